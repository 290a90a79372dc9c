/**
 * So many of something in a second, with a share for each client and each host: the rule of shares.ts over what is left of
 * the second. The counts are in a table without keys, found by a hash (stochastic fairness, McKenney 1990) that is another
 * in each second: two clients that meet in a place share it for that second only. Constant time and memory, no allocation.
 */
import { mix } from '../runtime/hash.ts';
import { IPV6_CLIENT_BITS, isMapped, maskOfWord } from './client.ts';
import { CLIENT_SHARE, HOST_SHARE, isWithinShare } from './shares.ts';

/** Places, of each kind: a few hundred clients a second are at odds of some percent to share one. */
const PLACES = 4096;
/** Words of a place: the second that it counts, and how many. */
const PLACE_WORDS = 2;

export interface RateShares {
  readonly perSecond: number;
  /** What is left of the second. */
  left: number;
  second: number;
  readonly seed: number;
  readonly clientMask: Int32Array;
  /** Clients' places, then hosts'. */
  readonly places: Int32Array;
}

/** `seed`: a random number. */
export const createRateShares = (
  perSecond: number,
  seed: number,
  clientBits = IPV6_CLIENT_BITS,
): RateShares => ({
  perSecond,
  left: perSecond,
  second: 0,
  seed,
  clientMask: Int32Array.from({ length: 4 }, (_, word) => maskOfWord(clientBits, word)),
  places: new Int32Array(2 * PLACES * PLACE_WORDS),
});

/**
 * Takes one for the host with this address (four big-endian words, IPv4 mapped); false when there is none left in this
 * second, or none for it. Seconds are those of any clock.
 */
export function takeOfRate(
  shares: RateShares,
  second: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean {
  if (shares.second !== second) {
    shares.second = second;
    shares.left = shares.perSecond;
  }
  if (!countWithin(shares, second, shares.left, word0, word1, word2, word3)) return false;
  shares.left--;
  return true;
}

/**
 * Counts one of the host in this second; false, and nothing is counted, when it has its share already of `left`, which the
 * caller knows.
 */
export function countWithin(
  shares: RateShares,
  second: number,
  left: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean {
  const { places, clientMask } = shares;
  const isIpv4 = isMapped(word0, word1, word2);
  const seed = mix(shares.seed, second);
  const host = placeOf(places, second, PLACES, mix(mix(mix(mix(seed, word3), word2), word1), word0));
  // An IPv4 address is host and client in one.
  const client = isIpv4
    ? host
    : placeOf(
        places,
        second,
        0,
        mix(
          mix(mix(mix(seed, word3 & clientMask[3]), word2 & clientMask[2]), word1 & clientMask[1]),
          word0 & clientMask[0],
        ),
      );
  if (!isWithinShare(places[host], left, HOST_SHARE)) return false;
  if (!isWithinShare(places[client], left, CLIENT_SHARE)) return false;
  places[host]++;
  if (client !== host) places[client]++;
  return true;
}

/** Where the count of a place is; it begins at 0 in each second. */
function placeOf(places: Int32Array, second: number, first: number, hash: number): number {
  const at = (first + (hash & (PLACES - 1))) * PLACE_WORDS;
  if (places[at] !== second) {
    places[at] = second;
    places[at + 1] = 0;
  }
  return at + 1;
}
