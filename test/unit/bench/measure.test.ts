import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  OURS,
  type RowPlan,
  type Sample,
  fillRow,
  interleave,
  pairedRatios,
  summarize,
} from '../../bench/measure.ts';
import { formatFigure, renderTable } from '../../bench/report.ts';

// Without -0, which sorting does not distinguish from 0.
const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((value) => value + 0);

test('summarize gives the median, the least and the greatest', () => {
  const table: [values: number[], median: number, min: number, max: number][] = [
    [[7], 7, 7, 7],
    [[3, 1, 2], 2, 1, 3],
    [[4, 1, 3, 2], 2.5, 1, 4],
    [[10, 9], 9.5, 9, 10],
  ];
  for (const [values, median, min, max] of table) assert.deepEqual(summarize(values), { median, min, max });
  assert.throws(() => summarize([]), /no values/);
});

test('half of the values are on either side of the median, and their order does not matter', () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 30 }), (values) => {
      const { median, min, max } = summarize(values);
      assert.ok(min <= median && median <= max);
      assert.ok(values.filter((value) => value <= median).length * 2 >= values.length);
      assert.ok(values.filter((value) => value >= median).length * 2 >= values.length);
      assert.deepEqual(summarize(values.toReversed()), { median, min, max });
    }),
  );
});

test('ratios are taken within a round', () => {
  // In the second round the machine is half as fast: the ratio is not affected.
  assert.deepEqual(pairedRatios([10, 5], [5, 2.5]), [2, 2]);
  assert.throws(() => pairedRatios([1], [1, 2]), /1 values against 2/);
});

test('contenders take turns, after a warm-up that is not counted', async () => {
  const turns: string[] = [];
  const contender = (name: string) => ({
    name,
    run: async (seconds: number) => {
      turns.push(`${name}${seconds}`);
      return { turn: turns.length };
    },
  });
  const contenders = ['a', 'b', 'c'].map(contender);
  const samples = await interleave(contenders, {
    rounds: 2,
    seconds: 4,
    warmUpSeconds: 1,
  });
  assert.equal(turns.join(' '), 'a1 b1 c1 a4 b4 c4 a4 b4 c4');
  assert.deepEqual(samples.get('b'), [{ turn: 5 }, { turn: 8 }]);
});

const plan = (targets: RowPlan['targets']): RowPlan => ({
  id: 'row',
  title: 'Row',
  metric: 'speed',
  unit: 'k/s',
  scale: 1000,
  better: 'more',
  targets,
});

const samplesOf = (series: Record<string, number[]>) =>
  new Map<string, Sample[]>(
    Object.entries(series).map(([name, values]) => [name, values.map((speed) => ({ speed }))]),
  );

test('a target is judged by the median of the ratios, bounds included', () => {
  const samples = samplesOf({
    [OURS]: [1000, 2000, 3000],
    peer: [2000, 2000, 2000],
  });
  const table: [target: RowPlan['targets'][number], measured: number, reached: boolean][] = [
    [{ against: 'peer', bound: 'at least', value: 1 }, 1, true],
    [{ against: 'peer', bound: 'at least', value: 1.01 }, 1, false],
    [{ against: 'peer', bound: 'at most', value: 1 }, 1, true],
    [{ against: 'peer', bound: 'at most', value: 0.99 }, 1, false],
    [{ bound: 'at most', value: 2 }, 2, true],
    [{ bound: 'at least', value: 2.1 }, 2, false],
  ];
  for (const [target, measured, reached] of table) {
    assert.deepEqual(fillRow(plan([target]), samples).verdicts, [{ ...target, measured, reached }]);
  }
});

test('a row refuses what it cannot compare', () => {
  const samples = samplesOf({ [OURS]: [1000], peer: [Number.NaN] });
  assert.throws(() => fillRow(plan([]), samples), /no finite "speed"/);
  const absent = plan([{ against: 'absent', bound: 'at least', value: 1 }]);
  assert.throws(() => fillRow(absent, samplesOf({ [OURS]: [1] })), /"absent", which was not measured/);
});

test('a contender without the figure is left out of the row', () => {
  const samples = new Map<string, Sample[]>([
    [OURS, [{ speed: 1000 }]],
    ['kernel', [{ packets: 5 }]],
  ]);
  assert.deepEqual(
    fillRow(plan([]), samples).figures.map(({ contender }) => contender),
    [OURS],
  );
});

test('figures have three digits', () => {
  const table: [value: number, text: string][] = [
    [0, '0'],
    [0.04267, '0.043'],
    [0.5678, '0.568'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [12_345, '12345'],
    [Number.POSITIVE_INFINITY, '-'],
  ];
  for (const [value, text] of table) assert.equal(formatFigure(value), text);
});

test('the table shows beside each figure whether its target is reached', () => {
  const samples = samplesOf({ peer: [4000, 4000], [OURS]: [1000, 2000] });
  const rows = [plan([{ against: 'peer', bound: 'at least', value: 0.5 }])].map((p) => fillRow(p, samples));
  const table = renderTable(rows).split('\n');
  assert.equal(table[1], 'Row, k/s');
  assert.match(table[2], /^ {2}peer +4\.00 +4\.00-4\.00 +0\.375 +0\.250-0\.500 +>= 0\.5: SHORT$/);
  assert.match(table[3], /^ {2}tombolo +1\.50 +1\.00-2\.00$/);
});
