/** The short form of `npm run fuzz`: the same targets, a fixed seed and a new one. */
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fuzzApi } from '../fuzz/api.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { fuzzTargets } from '../fuzz/targets.ts';

for (const target of await fuzzTargets()) {
  test(`mutated input: ${target.name}`, () => {
    fuzz(target, { count: 10_000, seed: 1 });
    fuzz(target, { count: 10_000, seed: randomInt(2 ** 31) });
  });
}

test('requests to every route of the admin API', async () => {
  await fuzzApi({ count: 2000, seed: 1 });
  const more = Number(process.env['TOMBOLO_MORE_REQUESTS'] ?? 0);
  if (more > 0) await fuzzApi({ count: more, seed: randomInt(2 ** 31) });
});
