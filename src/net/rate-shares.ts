/**
 * A rate limit per second, with a share for each client and each host: the rule of shares.ts, applied to what is left in the
 * current second. The counts are in a table without keys, indexed by a hash (stochastic fairness, McKenney 1990). The hash
 * changes every second, so two clients with the same place share it only for that second. Constant time and memory, no
 * allocation.
 */
import { mix } from '../runtime/hash.ts';
import { IPV6_CLIENT_BITS, isMapped, maskOfWord } from './client.ts';
import { CLIENT_SHARE, HOST_SHARE, isWithinShare } from './shares.ts';
import { PLACES, TABLES_WORDS, placeOf } from './second-counts.ts';

export interface RateShares {
  readonly perSecond: number;
  /** How many are left in this second. */
  left: number;
  second: number;
  readonly seed: number;
  readonly clientMask: Int32Array;
  /** The places of clients, then those of hosts. */
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
  places: new Int32Array(TABLES_WORDS),
});

/**
 * Takes one for the host with this address (four big-endian words, IPv4 mapped); false if none is left in this second, or none
 * for this host. Any clock can be used for the seconds.
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
 * Counts one for the host in this second. False, without counting, if the host already has its share of `left`, which the caller
 * keeps.
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
  // With IPv4, the host and the client are the same.
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
