/**
 * New connections for each client in a second. As long as nobody waits to be accepted, or the client is alone, nothing is
 * refused: a household behind one address, or a benchmark, may open as many as the machine can serve. When clients wait because
 * the loop does not keep up, a client is refused that has more than a household needs, and more than the mean of all clients of
 * this second. A refusal costs a quarter of what a connection costs, so the queue becomes short again for the others.
 *
 * The counts are two tables without keys, indexed by different hashes; the smaller count is that of the client (a count-min
 * sketch: Cormode, Muthukrishnan 2005). The hashes change every second. Constant time and memory, no allocation. The tables are
 * plain numbers: threads may share them, and an update that is lost then does no harm.
 */
import { mix } from '../runtime/hash.ts';
import { IPV6_CLIENT_BITS, type Client, isMapped, maskOfWord } from './client.ts';
import type { Words } from './share-records.ts';
import { PLACES, TABLES_WORDS, placeOf } from './second-counts.ts';

/** A client with fewer new connections in this second is never refused, unless a smaller number is configured. */
export const FREE_PER_SECOND = 256;
/** How many clients may wait to be accepted before somebody is refused: at 8000 connections/s they wait for 32 ms. */
export const MAX_WAITING = 256;

export interface NewConnections {
  /** The second; how many were accepted in it, and from about how many clients. */
  readonly state: Int32Array;
  readonly seed: number;
  /** The places of the first table, then those of the second one. */
  readonly places: Int32Array;
}

const MASK = Int32Array.from({ length: 4 }, (_, word) => maskOfWord(IPV6_CLIENT_BITS, word));

/** `seed`: a random number. `words`: where the memory comes from, if threads share it. */
export const createNewConnections = (
  seed: number,
  words: Words = (count) => new Int32Array(count),
): NewConnections => ({ seed, state: words(3), places: words(TABLES_WORDS) });

const SECOND = 0;
const TOTAL = 1;
const CLIENTS = 2;

/** How many clients wait to be accepted on a listening socket. */
export type WaitingOf = (listener: number) => number;

/**
 * Counts a new connection. False, without counting, if it is to be refused. `perSecond`: the configured limit for each client;
 * undefined for none. `waitingOf` is asked only about clients that have had many.
 */
export function countNew(
  counts: NewConnections,
  nowMs: number,
  client: Client,
  perSecond: number | undefined,
  listener: number,
  waitingOf: WaitingOf,
): boolean {
  const { word0, word1, word2, word3 } = client;
  const { places, state } = counts;
  const second = Math.floor(nowMs / 1000);
  if (state[SECOND] !== second) {
    state[SECOND] = second;
    state[TOTAL] = state[CLIENTS] = 0;
  }
  const seed = mix(counts.seed, second);
  const first = isMapped(word0, word1, word2)
    ? mix(seed, word3)
    : mix(mix(seed, word1 & MASK[1]), word0 & MASK[0]);
  const a = placeOf(places, second, 0, first);
  const b = placeOf(places, second, PLACES, mix(seed, first));
  const count = Math.min(places[a], places[b]);
  if (perSecond !== undefined && count >= perSecond) return false;
  const isGreedy = count >= FREE_PER_SECOND && count * state[CLIENTS] > state[TOTAL];
  if (isGreedy && waitingOf(listener) > MAX_WAITING) return false;
  if (count === 0) state[CLIENTS]++;
  state[TOTAL]++;
  // Only the smaller count grows: the larger one is that of somebody else.
  if (places[a] === count) places[a] = count + 1;
  if (places[b] === count) places[b] = count + 1;
  return true;
}
