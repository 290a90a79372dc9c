/** Questions, and answers that are kept as assertions. */
import type { ExplainOutcome } from '../../core/contract.ts';

export type Protocol = 'tcp' | 'udp' | 'icmp';
export interface Question {
  readonly from: string;
  readonly protocol: Protocol;
  readonly to: string;
  readonly port: string;
}
export interface Assertion {
  name: string;
  from: string;
  protocol: Protocol;
  to: string;
  port?: number;
  expect: string;
}

export const assertionsOf = (document: Readonly<Record<string, unknown>>) =>
  (document['assertions'] ?? []) as readonly Assertion[];

/** Outcomes that no rule of the configuration decides cannot be expected. */
const NOT_EXPECTED = ['appliance', 'direct', 'unknown'];

export const expectationOf = ({ kind, server }: ExplainOutcome): string | undefined =>
  kind === 'server' ? (server ?? undefined) : NOT_EXPECTED.includes(kind) ? undefined : kind;
