/**
 * What the machine had a moment ago goes on to count for a while. A pulled cable, or a switch that starts again, takes addresses and networks, and gives them
 * back: who had them is not to be refused meanwhile, nor in the first moment after.
 */

/** Linux gives a connection up after about a quarter of an hour without an answer (`tcp_retries2`); RFC 9293 asks for at least 100 s. */
export const OUTAGE_MS = 900_000;

/** By its text: something that the machine had, and when last, on a clock that is never set. */
export type Seen = ReadonlyMap<string, number>;

/** What is there, in its order, then what has not been away for longer than an outage. */
export function followSeen(present: readonly string[], before: Seen, nowMs: number): Seen {
  const seen = new Map(present.map((text) => [text, nowMs]));
  for (const [text, seenMs] of before)
    if (!seen.has(text) && nowMs - seenMs <= OUTAGE_MS) seen.set(text, seenMs);
  return seen;
}
