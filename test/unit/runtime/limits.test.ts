/** A resource that is nearly used up is reported from 90 % on, until it is below 80 %. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { seldom, reportLimits } from '../../../src/runtime/limits.ts';
import { asIs, english } from '../../../src/texts/text.ts';

const nobody = () => assert.fail('no line of the timeline');

test('a limit is reported from 90 % on, until it is below 80 %, and never for a removed service', () => {
  const conditions = createConditions();
  const report = () => conditions.reports().find(({ name }) => name === 'limits')!.status;
  const steps: readonly (readonly [used: number | undefined, isReported: boolean])[] = [
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
  let reported = new Set<string>();
  for (const [used, isReported] of steps) {
    const row = { what: asIs('sessions'), used: used ?? 0, size: 100, advice: asIs('Do this.') };
    const empty = { what: asIs('ports'), used: 0, size: 0, advice: asIs('') };
    reported = reportLimits(used === undefined ? {} : { nat64: [row, empty] }, reported, conditions, nobody);
    assert.equal(report().state, isReported ? 'degraded' : 'running', `${used}`);
    if (isReported)
      assert.equal(english(report().problem!), 'nat64: 90 % of 100 sessions are in use. Do this.');
  }
});

test('two limits at once are both reported', () => {
  const conditions = createConditions();
  const row = (what: string) => ({ what: asIs(what), used: 10, size: 10, advice: asIs('Do this.') });
  reportLimits({ nat64: [row('sessions')], dns64: [row('connections')] }, new Set(), conditions, nobody);
  const { problem } = conditions.reports().find(({ name }) => name === 'limits')!.status;
  assert.match(english(problem!), /nat64: .* sessions .* dns64: .* connections/);
});

test('a harmless limit gives a line in the timeline, once each time, and no problem', () => {
  const conditions = createConditions();
  const lines: string[] = [];
  let reported = new Set<string>();
  for (const used of [100, 95, 10, 100]) {
    const row = { what: asIs('places'), used, size: 100, advice: asIs('Nothing to do.'), isHarmless: true };
    reported = reportLimits({ nat64: [row] }, reported, conditions, (service, text) =>
      lines.push(`${service} ${english(text)}`),
    );
    assert.equal(conditions.reports().find(({ name }) => name === 'limits')!.status.state, 'running');
  }
  assert.deepEqual(lines, Array(2).fill('nat64 nat64: 90 % of 100 places are in use. Nothing to do.'));
});

test('the same line appears at most once an hour', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const note = seldom(
    (_, text) => lines.push(english(text)),
    () => nowMs,
  );
  for (const [minutes, text] of [
    [0, 'a'],
    [1, 'a'],
    [1, 'b'],
    [59, 'a'],
    [60, 'a'],
  ] as const) {
    nowMs = minutes * 60_000;
    note('nat64', asIs(text));
  }
  assert.deepEqual(lines, ['a', 'b', 'a']);
});
