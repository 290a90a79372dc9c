/** Compares the optimised NAT64 with the reference, on any number of generated packets. */
import fc from 'fast-check';
import { REFERENCE_PROPERTIES } from '../unit/services/nat64/reference/properties.ts';

/** Sequences from one seed of fast-check. It keeps some memory of them, which is freed after so many. */
const RUNS_A_SEED = 200;

/**
 * Compares at least `count` packets, the properties taking turns; throws what fast-check found, shrunk, with the property
 * and the seed that repeats it.
 */
export function compareWithReference({ count, seed }: { count: number; seed: number }): void {
  let packets = 0;
  for (let turn = 0; packets < count; turn++) {
    for (const { name, sequences, check } of REFERENCE_PROPERTIES) {
      const property = fc.property(sequences, (sequence) => {
        packets += sequence.length;
        check(sequence);
      });
      try {
        fc.assert(property, { seed: (seed + turn) | 0, numRuns: RUNS_A_SEED });
      } catch (cause) {
        throw new Error(`nat64-reference, ${name}, seed ${seed}, turn ${turn}`, { cause });
      }
    }
  }
}
