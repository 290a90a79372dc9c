/** What an explanation says of health checks: where a client goes, and why not elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failingSteps, passing } from '../../../../../src/services/proxy/health/explain.ts';
import { english } from '../../../../../src/texts/text.ts';
import { address, failing, notYet } from '../../../admin/diagnostics/rows-health.ts';

const [A, B] = [10, 11].map((last) => `2001:db8:1::${last}`);

const ROWS = [
  ['no checks', [], [A, B], []],
  ['both pass, or are not known', [address(10), notYet(11)], [A, B], []],
  ['the first fails', [failing(10), address(11)], [B], [/::10 fails .* led elsewhere\. Nobody is there\./]],
  ['the second is not known', [failing(10), notYet(11)], [B], [/::10 fails .* led elsewhere/]],
  ['both fail', [failing(10), failing(11)], [A, B], [/::10 .* nevertheless/, /::11 .* nevertheless/]],
] as const;

for (const [title, checks, addresses, steps] of ROWS)
  test(title, () => {
    assert.deepEqual(passing([A, B], checks), addresses);
    const said = failingSteps([A, B], checks, 3);
    assert.equal(said.length, steps.length);
    for (const [i, { text, isOk, configPath }] of said.entries()) {
      assert.match(english(text), steps[i]!);
      assert.deepEqual([isOk, configPath], [true, '/hosts/3/health']);
    }
  });
