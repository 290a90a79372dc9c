/**
 * `npm run fuzz`: mutated and random inputs for every parser; generated packets for NAT64, compared with the reference;
 * requests for every route of the admin API.
 *
 *   npm run fuzz -- [--count N] [--seed S] [--only NAME,...]     default: 1,000,000 each, a new seed
 *
 * A finding prints target, seed and input, and exits with 1.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzzApi } from './api.ts';
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
/** `share`: of --count. A request takes as long as a thousand packets. */
const campaigns = [
  ...(await fuzzTargets()).map((target) => ({
    name: target.name,
    run: (extent: { count: number; seed: number }) => fuzz(target, extent),
    share: 1,
  })),
  { name: 'nat64-reference', run: compareWithReference, share: 1 },
  { name: 'api', run: fuzzApi, share: 0.05 },
].filter(({ name }) => only?.includes(name) ?? true);
if (campaigns.length === 0) throw new Error(`--only ${values.only}: no such target`);

for (const { name, run, share } of campaigns) {
  const count = Math.ceil(Number(values.count) * share);
  const startedAt = performance.now();
  await run({ count, seed: Number(values.seed) });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${name}: ${count} inputs in ${seconds.toFixed(1)} s, seed ${values.seed}`);
}
