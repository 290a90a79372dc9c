import { seededRandom } from '../random.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** One input in this many is random bytes throughout. */
const RANDOM_EVERY = 20;
const LONGEST_RANDOM = 200;

/** Runs a target on `count` inputs; throws with the input and what repeats it when one fails. */
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
