/** Slows down password guessing. */
import { mappedIpv4, parseIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, maskAddress } from '../../wire/ip-prefix.ts';

const LONGEST_WAIT_MS = 60_000;
const FORGET_AFTER_MS = 600_000;
const MAX_KEYS = 1000;

/**
 * After `freeFailures` failures a key waits 1 s. Each further failure doubles the wait, up to a minute. After a success, or ten
 * minutes without a failure, the count starts again.
 */
export class BackOff {
  readonly #freeFailures: number;
  readonly #keys = new Map<string, { failures: number; lastMs: number; untilMs: number }>();

  constructor(freeFailures: number) {
    this.#freeFailures = freeFailures;
  }

  /** The milliseconds that the key still has to wait; 0 if none. */
  waitMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#keys.get(key)?.untilMs ?? 0) - nowMs);
  }

  /** Whether the next failure of the key is still free. */
  isFree(key: string, nowMs: number): boolean {
    return this.#remembered(key, nowMs) < this.#freeFailures;
  }

  fail(key: string, nowMs: number): void {
    const failures = this.#remembered(key, nowMs) + 1;
    const excess = failures - this.#freeFailures;
    const waitMs = excess < 0 ? 0 : Math.min(1000 * 2 ** Math.min(excess, 10), LONGEST_WAIT_MS);
    this.#keys.delete(key); // set again below: the map is ordered by the last failure
    this.#keys.set(key, { failures, lastMs: nowMs, untilMs: nowMs + waitMs });
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
  }

  succeed(key: string): void {
    this.#keys.delete(key);
  }

  #remembered(key: string, nowMs: number): number {
    const known = this.#keys.get(key);
    return known !== undefined && nowMs - known.lastMs < FORGET_AFTER_MS ? known.failures : 0;
  }
}

/** One IPv4 address, or one IPv6 /64: the range from which a single machine can choose its addresses. */
export function sourceKey(remoteAddress: string): string {
  const address = parseIpAddress(remoteAddress.split('%')[0]);
  if (address === undefined) return remoteAddress;
  const prefixBits = mappedIpv4(address) === undefined ? 64 : 128;
  return formatIpPrefix({ address: maskAddress(address, prefixBits), prefixBits });
}
