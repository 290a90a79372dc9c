/** The state of a server, from what was measured here and from its health checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindingState } from '../../../../src/admin/contract/checks.ts';
import { addressChecks, withChecks } from '../../../../src/admin/diagnostics/address-checks.ts';
import type { AddressHealthFound } from '../../../../src/runtime/address-health.ts';
import { report } from './check-rows.ts';
import { address, failing, notYet } from './rows-health.ts';

const CHECKED = '2026-07-30T09:00:00.000Z';
const LATER = '2026-07-30T11:00:00.000Z';
const http = { service: 'http', port: 80 };

const ROWS: readonly (readonly [
  title: string,
  measured: FindingState,
  checks: readonly AddressHealthFound[],
  state: FindingState,
  checkedAt: string | null,
])[] = [
  ['no health checks', 'ok', [], 'ok', CHECKED],
  ['nothing at all', 'unknown', [], 'unknown', null],
  ['health checks that are not done yet do not count', 'ok', [notYet(10)], 'ok', CHECKED],
  ['they are known before anything was measured here', 'unknown', [address(10)], 'ok', LATER],
  ['both are well', 'ok', [address(10), address(11)], 'ok', LATER],
  ['one of two addresses fails', 'ok', [address(10), failing(11)], 'warn', LATER],
  ['both fail', 'ok', [failing(10), failing(11)], 'fail', LATER],
  ['they fail at one port only', 'ok', [failing(10), address(10, http)], 'fail', LATER],
  ['what was measured here is worse', 'fail', [address(10)], 'fail', LATER],
];

for (const [title, measured, checks, state, checkedAt] of ROWS)
  test(title, () => {
    const health = { state: measured, checkedAt: measured === 'unknown' ? null : CHECKED, probes: [] };
    assert.deepEqual(withChecks(health, checks), { ...health, state, checkedAt });
  });

test('the checks of all services are one list for each server', () => {
  const [a, b, c] = [address(10), address(11), failing(12)];
  const reports = [
    { ...report('proxy', {}), health: { web1: [a], web2: [b] } },
    { ...report('other', {}), health: { web1: [c] } },
    report('nat64', {}),
  ];
  assert.deepEqual(
    [...addressChecks(reports)],
    [
      ['web1', [a, c]],
      ['web2', [b]],
    ],
  );
});
