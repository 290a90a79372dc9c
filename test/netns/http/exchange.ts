/** What the tables have in common. */
import { type Answer, type Request, answer, forwarded } from './forms.ts';
import { type ServerStep, gets } from './row.ts';

/** A server's part: a request and its answer. */
export const serves = (asks: Request, tells: Answer): ServerStep[] => [
  gets(forwarded(asks)),
  { sends: answer(tells) },
];
export const said = (body: string): Answer => ({ body });
/** Larger than every buffer on the way. */
export const MANY = 'x'.repeat(300_000);
