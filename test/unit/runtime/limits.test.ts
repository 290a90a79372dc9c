/** What is nearly used up is told from 90 % on, until it is below 80 %. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { tellLimits } from '../../../src/runtime/limits.ts';
import { asIs, english } from '../../../src/texts/text.ts';

test('a limit is told from 90 % on, until it is below 80 %, and never of a service that is gone', () => {
  const conditions = createConditions();
  const report = () => conditions.reports().find(({ name }) => name === 'limits')!.status;
  const steps: readonly (readonly [used: number | undefined, isTold: boolean])[] = [
    [0, false],
    [89, false],
    [90, true],
    [100, true],
    [81, true],
    [79, false],
    [85, false],
    [95, true],
    [undefined, false],
    [85, false],
  ];
  let told = new Set<string>();
  for (const [used, isTold] of steps) {
    const row = { what: asIs('sessions'), used: used ?? 0, size: 100, advice: asIs('Do this.') };
    const empty = { what: asIs('ports'), used: 0, size: 0, advice: asIs('') };
    told = tellLimits(used === undefined ? {} : { nat64: [row, empty] }, told, conditions);
    assert.equal(report().state, isTold ? 'degraded' : 'running', `${used}`);
    if (isTold) assert.equal(english(report().problem!), 'nat64: 90 % of 100 sessions are in use. Do this.');
  }
});

test('two limits at once are told both', () => {
  const conditions = createConditions();
  const row = (what: string) => ({ what: asIs(what), used: 10, size: 10, advice: asIs('Do this.') });
  tellLimits({ nat64: [row('sessions')], dns64: [row('connections')] }, new Set(), conditions);
  const { problem } = conditions.reports().find(({ name }) => name === 'limits')!.status;
  assert.match(english(problem!), /nat64: .* sessions .* dns64: .* connections/);
});
