/** The optimised translator compared with the reference: the short form of `npm run fuzz -- --only nat64-reference`. */
import { test } from 'node:test';
import fc from 'fast-check';
import { REFERENCE_PROPERTIES } from './reference/properties.ts';

for (const { name, sequences, check, numRuns } of REFERENCE_PROPERTIES)
  test(name, () => fc.assert(fc.property(sequences, check), { numRuns }));
