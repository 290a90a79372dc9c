/** Verdicts and counters: what the compiler rejects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CONTINUE,
  COUNTER,
  type Control,
  DATAGRAMS,
  FRAGMENT,
  HELD,
  type Nat64Counter,
  RETURN_TO_KERNEL,
  type Reason,
  type Verdict,
  isDrop,
} from '../../../../src/services/nat64/counters.ts';

const CONTROLS = { CONTINUE, DATAGRAMS, FRAGMENT, HELD, RETURN_TO_KERNEL };

test('each counter of a drop is a verdict that drops; no control verdict drops', () => {
  for (const [name, verdict] of Object.entries(CONTROLS)) assert.equal(isDrop(verdict), false, name);
  assert.equal(new Set(Object.values(CONTROLS)).size, Object.keys(CONTROLS).length);
  const drops = Object.keys(COUNTER).filter((name) => name.startsWith('drop-')) as Nat64Counter[];
  assert.ok(drops.length > 30);
  for (const name of drops) assert.equal(isDrop(COUNTER[name] as Reason), true, name);
});

test('a control verdict is not the index of a counter, and only counters of drops are verdicts', () => {
  const counters = new Float64Array(1);
  const control: Control = HELD;
  // @ts-expect-error
  counters[control]++;
  const verdict = HELD as Verdict;
  // @ts-expect-error It might be a control verdict.
  counters[verdict]++;
  // @ts-expect-error
  const notADrop: Verdict = COUNTER.hairpinned;
  // @ts-expect-error
  const anyNumber: Verdict = -3;
  if (isDrop(verdict)) counters[verdict]++;
  assert.deepEqual([isDrop(notADrop), isDrop(anyNumber)], [true, false]);
  assert.deepEqual([...counters], [0]);
});
