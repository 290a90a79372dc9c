/** Reproducible pseudo-random numbers. */

/** xorshift32: the same unsigned 32-bit numbers for the same seed. */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
