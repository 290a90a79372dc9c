/** The health checks of a server's addresses, which decide where clients are led, beside what was measured here. */
import type { AddressHealthFound } from '../../runtime/address-health.ts';
import type { ServiceReport } from '../../runtime/report.ts';
import type { FindingState } from '../contract/checks.ts';
import type { HealthFound } from './found.ts';
import { worstOf } from './health.ts';

/** By name of the server: those of all services. */
export function addressChecks(reports: readonly ServiceReport[]): Map<string, AddressHealthFound[]> {
  const found = new Map<string, AddressHealthFound[]>();
  for (const { health = {} } of reports)
    for (const [server, checks] of Object.entries(health))
      found.set(server, [...(found.get(server) ?? []), ...checks]);
  return found;
}

/** The state of a server with its health checks. What was not measured yet does not count beside what was. */
export function withChecks(health: HealthFound, checks: readonly AddressHealthFound[]): HealthFound {
  const known = checks.filter(({ state }) => state !== 'unknown');
  if (known.length === 0) return health;
  const states = known.map((each) => ({ state: stateAmong(each, known) }));
  const times = known.flatMap(({ checkedAt }) => checkedAt ?? []);
  if (health.checkedAt === null) return { ...health, state: worstOf(states), checkedAt: latest(times) };
  return {
    ...health,
    state: worstOf([health, ...states]),
    checkedAt: latest([health.checkedAt, ...times]),
  };
}

/** A failure costs nothing where another address serves the clients: it is a warning. */
function stateAmong(
  { state, service }: AddressHealthFound,
  known: readonly AddressHealthFound[],
): FindingState {
  const isServed = known.some((other) => other.service === service && other.state === 'ok');
  return state === 'fail' && isServed ? 'warn' : state;
}

/** ISO 8601 in UTC sorts by time. */
const latest = (times: readonly string[]): string => times.toSorted().at(-1)!;
