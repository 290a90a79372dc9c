/**
 * Tells when something finite is nearly used up: the condition "limits", from 90 % of it on until it is below 80 % again, so
 * that status, page, screen, metrics and health say it. What happens at each limit is in docs/limits.md.
 */
import { type Text, english, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';

/** Something finite: how much of it is in use at the moment. */
export interface Limit {
  /** What there are so many of, in the plural: "sessions". */
  readonly what: Text;
  readonly used: number;
  readonly size: number;
  /** What may be done, as a whole sentence. */
  readonly advice: Text;
}

const TELL_FROM = 0.9;
const TELL_UNTIL = 0.8;
const LOOK_INTERVAL_MS = 5000;

/** Looks once; returns what is told now, to be given back the next time. */
export function tellLimits(
  limits: Readonly<Record<string, readonly Limit[]>>,
  told: ReadonlySet<string>,
  conditions: Pick<Conditions, 'set'>,
): Set<string> {
  const next = new Set<string>();
  for (const [service, ofService] of Object.entries(limits)) {
    for (const { what, used, size, advice } of ofService) {
      const key = `${service} ${english(what)}`;
      if (size === 0 || used < size * (told.has(key) ? TELL_UNTIL : TELL_FROM)) continue;
      next.add(key);
      // Without the present figure: a text that changes would be news each time.
      const values = { service, size, what, advice };
      conditions.set('limits', key, say('{service}: 90 % of {size} {what} are in use. {advice}', values));
    }
  }
  for (const key of told) if (!next.has(key)) conditions.set('limits', key, undefined);
  return next;
}

/** Looks every few seconds, until it is disposed. `limits`: by service; none of one that does not run. */
export function watchLimits(
  limits: () => Readonly<Record<string, readonly Limit[]>>,
  conditions: Pick<Conditions, 'set'>,
): Disposable {
  let told = new Set<string>();
  const timer = setInterval(() => {
    told = tellLimits(limits(), told, conditions);
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
