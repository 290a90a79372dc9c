import { seededRandom } from '../../random.ts';

/** Noise that can be had again: integers from 0 to below - 1. */
export function randomFrom(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => random() % below;
}
