/**
 * Handles short outages. A pulled cable or a restarting switch removes the default route, and with DHCP or router advertisements
 * the addresses too, for some time. TCP connections survive that (RFC 9293 section 3.8.3), so sessions must survive it too. The
 * previous address stays valid until it is back, another one replaces it, or no connection waits for it any more.
 */
import { OUTAGE_MS } from '../../../os/seen.ts';

/** The address for "auto" in nat64.pool4. */
export interface AutomaticAddress {
  /** Unsigned. */
  readonly address: number;
  /** The IPv4 default route uses it. Otherwise it is the only address of the machine, and reaches no remote networks. */
  readonly isByRoute: boolean;
  /** Whether the machine has it now; otherwise it is kept for the sessions that it had. */
  readonly isThere: boolean;
  /** When the machine last had it, in milliseconds of a clock that is never set. */
  readonly seenMs: number;
}

/**
 * The address to use now; undefined if there is none. `byRoute`: the address that the default route uses; `only`: the only address
 * of the machine. During an outage it is the address of `before`.
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
