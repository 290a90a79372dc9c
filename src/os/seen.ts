/**
 * Addresses and networks that the machine had a moment ago still count for a while. A pulled cable or a restarting switch
 * removes them and brings them back. Their owners must not be refused meanwhile, nor in the first moment after.
 */

/**
 * Linux gives up a connection after about a quarter of an hour without an answer (`tcp_retries2`); RFC 9293 requires at least
 * 100 s.
 */
export const OUTAGE_MS = 900_000;

/** By its text: something that the machine had, and the last time, on a monotonic clock. */
export type Seen = ReadonlyMap<string, number>;

/** What exists now, in its order, then what has not been away for longer than an outage. */
export function followSeen(present: readonly string[], before: Seen, nowMs: number): Seen {
  const seen = new Map(present.map((text) => [text, nowMs]));
  for (const [text, seenMs] of before)
    if (!seen.has(text) && nowMs - seenMs <= OUTAGE_MS) seen.set(text, seenMs);
  return seen;
}
