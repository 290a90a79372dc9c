import { seededRandom } from '../random.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** One input in this many consists entirely of random bytes. */
const RANDOM_EVERY = 20;
const LONGEST_RANDOM = 200;

/** Runs a target on `count` inputs; if one fails, throws with the input and how to repeat it. */
export function fuzz(target: FuzzTarget, { count, seed }: { count: number; seed: number }): void {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    const input =
      i % RANDOM_EVERY === 0
        ? Uint8Array.from({ length: random() % LONGEST_RANDOM }, () => random() & 255)
        : Uint8Array.from(mutate(target.seeds, random));
    try {
      target.run(input);
    } catch (cause) {
      const hex = Buffer.from(input).toString('hex');
      throw new Error(`${target.name}: input ${i} of seed ${seed}: ${hex}`, { cause });
    }
  }
}
