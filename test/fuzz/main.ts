/**
 * `npm run fuzz`: mutated and random inputs for every parser; generated packets for NAT64, compared with the reference.
 *
 *   npm run fuzz -- [--count N] [--seed S] [--only NAME,...]     default: 1,000,000 each, a new seed
 *
 * A finding prints target, seed and input, and exits with 1.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { compareWithReference } from './nat64-reference.ts';
import { fuzzTargets } from './targets.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    only: { type: 'string' },
  },
});
const only = values.only?.split(',');
const campaigns = [
  ...(await fuzzTargets()).map((target) => ({
    name: target.name,
    run: (extent: { count: number; seed: number }) => fuzz(target, extent),
  })),
  { name: 'nat64-reference', run: compareWithReference },
].filter(({ name }) => only?.includes(name) ?? true);
if (campaigns.length === 0) throw new Error(`--only ${values.only}: no such target`);

for (const { name, run } of campaigns) {
  const startedAt = performance.now();
  run({ count: Number(values.count), seed: Number(values.seed) });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${name}: ${values.count} inputs in ${seconds.toFixed(1)} s, seed ${values.seed}`);
}
