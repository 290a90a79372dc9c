/** Each check on machines that differ in one thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../../src/admin/diagnostics/check.ts';
import { CHECKS } from '../../../../src/admin/diagnostics/checks/table.ts';
import { english } from '../../../../src/texts/text.ts';
import { checkDeps, fakeMachine } from './machine.ts';
import { COALESCING_ROWS } from './rows-coalescing.ts';
import { HEALTH_ROWS } from './rows-health.ts';
import { MACHINE_ROWS } from './rows-machine.ts';
import { NETWORK_ROWS } from './rows-network.ts';
import { SERVICES_ROWS } from './rows-services.ts';

const TABLE = [...NETWORK_ROWS, ...SERVICES_ROWS, ...HEALTH_ROWS, ...COALESCING_ROWS, ...MACHINE_ROWS];

for (const { title, check: id, machine, files, deps, state, what, remedy } of TABLE) {
  test(`${id}: ${title}: ${state}`, async () => {
    const check = CHECKS.find((each) => each.id === id) ?? assert.fail(`no check "${id}"`);
    const result = await check.run(checkDeps(fakeMachine(machine, files), deps));
    const [finding] = ([] as Finding[]).concat(result);
    assert.equal(finding?.state ?? 'none', state, english(finding?.what ?? ''));
    if (what !== undefined) assert.match(english(finding.what), what);
    if (remedy !== undefined) assert.match(english(finding.remedy ?? ''), remedy);
    // Every problem comes with its remedy.
    if (state === 'warn' || state === 'fail') assert.ok(english(finding.remedy ?? '').length > 0);
  });
}

test('every check has a unique id, says why it matters, and depends only on existing checks', () => {
  const ids = CHECKS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, why, title, needs = [] } of CHECKS) {
    assert.match(id, /^[a-z0-9-]+$/);
    assert.ok(english(why).length > 20 && english(title).length > 3);
    assert.deepEqual(
      needs.filter((need) => !ids.includes(need)),
      [],
    );
  }
  assert.deepEqual(
    ids.filter((id) => !TABLE.some(({ check }) => check === id)),
    [],
    'checks without a test',
  );
});
