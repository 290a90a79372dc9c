/** Slows down who guesses. */
import { mappedIpv4, parseIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, maskAddress } from '../../wire/ip-prefix.ts';

const FREE_FAILURES = 5;
const LONGEST_WAIT_MS = 60_000;
const FORGET_AFTER_MS = 600_000;
const MAX_SOURCES = 1000;

/**
 * Slows down who guesses: after FREE_FAILURES wrong tokens a source waits 1 s, then twice as long after each further one.
 * The right token is never made to wait: with 256 bits it cannot be guessed, and a neighbour in the same /64 must not
 * be able to lock its owner out.
 */
export class BackOff {
  readonly #sources = new Map<string, { failures: number; lastMs: number; untilMs: number }>();

  /** Records a wrong token; the milliseconds still to wait when this one came too early, else 0. */
  fail(remoteAddress: string, nowMs: number): number {
    const source = sourceKey(remoteAddress);
    const known = this.#sources.get(source);
    if (known !== undefined && nowMs < known.untilMs) return known.untilMs - nowMs;
    const remembered = known !== undefined && nowMs - known.lastMs < FORGET_AFTER_MS ? known.failures : 0;
    const failures = remembered + 1;
    const excess = failures - FREE_FAILURES;
    const waitMs = excess < 0 ? 0 : Math.min(1000 * 2 ** Math.min(excess, 10), LONGEST_WAIT_MS);
    this.#sources.delete(source); // set again below: the map's order is that of the last failure
    this.#sources.set(source, { failures, lastMs: nowMs, untilMs: nowMs + waitMs });
    if (this.#sources.size > MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
    return 0;
  }

  succeed(remoteAddress: string): void {
    this.#sources.delete(sourceKey(remoteAddress));
  }
}

/** One IPv4 address, or one IPv6 /64: what a single machine can choose its addresses from. */
function sourceKey(remoteAddress: string): string {
  const address = parseIpAddress(remoteAddress.split('%')[0]);
  if (address === undefined) return remoteAddress;
  const prefixBits = mappedIpv4(address) === undefined ? 64 : 128;
  return formatIpPrefix({ address: maskAddress(address, prefixBits), prefixBits });
}
