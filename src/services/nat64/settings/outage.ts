/**
 * What a short outage takes from the machine, and gives back: a pulled cable or a switch that starts again takes the default route, and
 * with DHCP or router advertisements the addresses too. TCP outlives that (RFC 9293 section 3.8.3), so sessions must: what was there goes
 * on to count until it is back, something else takes its place, or no connection waits for it any more.
 */
import { OUTAGE_MS } from '../../../os/seen.ts';

/** The address that "auto" stands for in nat64.pool4. */
export interface AutomaticAddress {
  /** Unsigned. */
  readonly address: number;
  /** The IPv4 default route uses it. Otherwise it is the only address there is, which leads to nobody far away. */
  readonly isByRoute: boolean;
  /** Whether the machine has it now; otherwise it is kept for the sessions that it had. */
  readonly isThere: boolean;
  /** When the machine had it last, on a clock that is never set. */
  readonly seenMs: number;
}

/**
 * The one to use now; undefined when there is none. `byRoute`: what the default route uses; `only`: the only address of the machine.
 * In an outage it is that of `before`.
 */
export function followAutomatic(
  byRoute: number | undefined,
  only: number | undefined,
  before: AutomaticAddress | undefined,
  nowMs: number,
): AutomaticAddress | undefined {
  if (byRoute !== undefined) return { address: byRoute, isByRoute: true, isThere: true, seenMs: nowMs };
  const kept =
    before !== undefined && nowMs - before.seenMs <= OUTAGE_MS ? { ...before, isThere: false } : undefined;
  if (only === undefined || (kept?.isByRoute && kept.address !== only)) return kept;
  return { address: only, isByRoute: kept?.isByRoute ?? false, isThere: true, seenMs: nowMs };
}
