import { seededRandom } from '../../random.ts';

/** Reproducible noise: integers from 0 to below - 1. */
export function randomFrom(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => random() % below;
}
