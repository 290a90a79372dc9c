/** When an address begins to fail, and when it is well again: results as a text, states as a text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AddressState,
  STABLE_MS,
  judge,
  newAddressState,
  nextCheckMs,
} from '../../../../../src/services/proxy/health/state.ts';

const RULES = { intervalMs: 10_000, failures: 3, successes: 2 };
const LETTER = { unknown: '?', ok: '+', fail: '-' } as const;

/** Feeds results ("+" and "-"), one every ten seconds, and returns the state after each. */
function states(results: string, rules = RULES, of = newAddressState(0), fromMs = 0): string {
  return [...results]
    .map((result, i) => {
      judge(of, result === '+', rules, fromMs + i * rules.intervalMs);
      return LETTER[of.state];
    })
    .join('');
}

const ROWS: readonly (readonly [title: string, results: string, states: string])[] = [
  ['the first success is enough', '+', '+'],
  ['the first failure is not', '-', '?'],
  ['nor the second; the third is', '---', '??-'],
  ['a success among the first failures', '--+', '??+'],
  ['failures that are not in a row never take it out', '+--+--+--+', '++++++++++'],
  ['three in a row do', '+---', '+++-'],
  ['one success does not bring it back', '+---+-+-+', '+++------'],
  ['two in a row do', '+---++', '+++--+'],
  ['the second time it needs four', '+---++---++++', '+++--+++----+'],
  ['the third time eight', '+---++---++++---++++++++', '+++--+++----+++--------+'],
];

describe('the state of an address', () => {
  for (const [title, results, expected] of ROWS) test(title, () => assert.equal(states(results), expected));

  test('a server that flaps for an hour comes and goes only a few times', () => {
    const of = newAddressState(0);
    states('---++'.repeat(72), RULES, of);
    assert.equal(of.falls, 2, 'after the second time, two successes in a row are not enough any more');
  });

  test('who has been well for long enough is trusted again', () => {
    const fallen = (): AddressState => {
      const of = newAddressState(0);
      states('+---++---++++', RULES, of);
      return of;
    };
    const soon = fallen();
    assert.equal(states('---++', RULES, soon, soon.sinceMs + STABLE_MS - 60_000), '++---');
    const later = fallen();
    assert.equal(states('---++', RULES, later, later.sinceMs + STABLE_MS), '++--+');
  });

  test('a result is told to have changed the state only when it has', () => {
    const of = newAddressState(0);
    const changes = [...'+---++'].map((result) => judge(of, result === '+', RULES, 0));
    assert.deepEqual(changes, [true, false, false, true, false, true]);
    assert.equal(of.falls, 1);
  });
});

describe('the time of the next check', () => {
  const cases: readonly (readonly [title: string, results: string, intervalMs: number, expected: number])[] =
    [
      ['well', '+', 10_000, 10_000],
      ['not known yet', '', 10_000, 2000],
      ['it may be failing', '+-', 10_000, 2000],
      ['it fails', '+---', 10_000, 10_000],
      ['it may be well again', '+---+', 10_000, 2000],
      ['it flaps: it has to be well for longer', '+---++---+', 10_000, 10_000],
      ['a long interval', '+-', 600_000, 120_000],
      ['not more often than each second', '+-', 2000, 1000],
      ['unless the interval is a second', '+-', 1000, 1000],
    ];
  for (const [title, results, intervalMs, expected] of cases)
    test(title, () => {
      const of = newAddressState(0);
      const rules = { ...RULES, intervalMs };
      states(results, rules, of);
      assert.equal(nextCheckMs(of, rules, 0.5), expected);
      assert.ok(nextCheckMs(of, rules, 0) < expected && nextCheckMs(of, rules, 1) > expected);
    });
});
