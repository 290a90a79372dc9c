/**
 * The state of one address that is checked regularly. It changes only after several equal results in a row. An address that
 * falls again soon after it came back has to prove itself longer each time, so that it does not come and go (flap).
 * Time and chance are arguments.
 */

/** From the configuration. */
export interface HealthRules {
  readonly intervalMs: number;
  /** So many failures in a row: it fails. */
  readonly failures: number;
  /** So many successes in a row: it is well again. */
  readonly successes: number;
}

export interface AddressState {
  /** unknown: there was no result yet, or not enough failures. Clients are led there. */
  state: 'unknown' | 'ok' | 'fail';
  /** Since when, in milliseconds of a clock that is never set. */
  sinceMs: number;
  /** Results in a row that speak against the state. */
  against: number;
  /** How often it fell without having been well for STABLE_MS in between. */
  fallsLately: number;
  /** In all. */
  falls: number;
}

/** After this time without a failure in its state, earlier falls are forgotten. */
export const STABLE_MS = 600_000;
/** The number of successes doubles with each fall, up to this factor. */
const MOST_PATIENCE = 16;
/** While results speak against the state, checks are so much more frequent, but not more often than FASTEST_MS. */
const HURRY = 5;
const FASTEST_MS = 1000;
/** The part of the interval by which checks are moved, so that those of many servers do not stay together. */
const JITTER = 0.1;

export const newAddressState = (nowMs: number): AddressState => ({
  state: 'unknown',
  sinceMs: nowMs,
  against: 0,
  fallsLately: 0,
  falls: 0,
});

/** Takes in the result of a check. Returns whether the state has changed. */
export function judge(of: AddressState, isWell: boolean, rules: HealthRules, nowMs: number): boolean {
  const said = isWell ? 'ok' : 'fail';
  if (of.state === said) {
    of.against = 0;
    return false;
  }
  // The first success is enough: nothing was known against it.
  const needed = isWell ? (of.state === 'unknown' ? 1 : successesNeeded(of, rules)) : rules.failures;
  if (++of.against < needed) return false;
  if (!isWell) {
    of.fallsLately = of.state === 'ok' && nowMs - of.sinceMs >= STABLE_MS ? 1 : of.fallsLately + 1;
    of.falls++;
  }
  of.state = said;
  of.sinceMs = nowMs;
  of.against = 0;
  return true;
}

const successesNeeded = ({ fallsLately }: AddressState, { successes }: HealthRules): number =>
  successes * Math.min(2 ** Math.max(fallsLately - 1, 0), MOST_PATIENCE);

/** When to check next. `chance`: from 0 to 1. */
export function nextCheckMs(
  { state, against, fallsLately }: AddressState,
  { intervalMs }: HealthRules,
  chance: number,
): number {
  const mayHurry = state !== 'fail' || fallsLately <= 1;
  const isUnsure = against > 0 || state === 'unknown';
  const everyMs =
    isUnsure && mayHurry ? Math.min(intervalMs, Math.max(intervalMs / HURRY, FASTEST_MS)) : intervalMs;
  return everyMs * (1 - JITTER + 2 * JITTER * chance);
}
