/** Noise that can be had again: xorshift32 from a seed. Returns a function that gives integers from 0 to below - 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
