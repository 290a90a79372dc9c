import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import {
  AGAIN_MS,
  FIRST_GAP_MS,
  ROUND_MS,
  SETTLED_MS,
  runInTurn,
} from '../../../../src/admin/diagnostics/background.ts';

/** Advances the time in steps. In each step, the tasks that are due finish. */
async function pass(milliseconds: number): Promise<void> {
  const STEP_MS = 1000;
  for (let passed = 0; passed < milliseconds; passed += STEP_MS) {
    mock.timers.tick(STEP_MS);
    await new Promise(setImmediate);
  }
}

test('each check gets its turn; one that finds a fault runs again soon, until the fault is gone', async (t) => {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ['setTimeout'] });
  const looks = [0, 0];
  let isFaulty = true;
  using _ = runInTurn(
    looks.map((_look, task) => async () => {
      looks[task]++;
      return task === 1 && isFaulty;
    }),
    (error) => assert.fail(String(error)),
  );
  await pass(FIRST_GAP_MS + 1000);
  assert.deepEqual(looks, [1, 1]);
  await pass(3 * AGAIN_MS);
  assert.deepEqual(looks, [1, 4]);
  isFaulty = false;
  await pass(AGAIN_MS);
  assert.deepEqual(looks, [1, 5]);
  await pass(ROUND_MS);
  assert.deepEqual(looks, [2, 6]);
});

test('no check runs after the end, and an exception does not end the others', async (t) => {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ['setTimeout'] });
  const errors: unknown[] = [];
  const looks = [0, 0];
  const running = runInTurn(
    looks.map((_look, task) => async () => {
      looks[task]++;
      if (task === 0) throw new Error('a defect');
      return true;
    }),
    (error) => errors.push(error),
  );
  await pass(FIRST_GAP_MS + 1000);
  assert.deepEqual(looks, [1, 1]);
  assert.equal(errors.length, 1);
  running[Symbol.dispose]();
  await pass(ROUND_MS);
  assert.deepEqual(looks, [1, 1]);
});

test('after a change of the network all run soon, once for the changes of some seconds', async (t) => {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ['setTimeout'] });
  const looks = [0, 0];
  using running = runInTurn(
    looks.map((_look, task) => async () => {
      looks[task]++;
      return false;
    }),
    (error) => assert.fail(String(error)),
  );
  await pass(FIRST_GAP_MS + 1000);
  assert.deepEqual(looks, [1, 1]);
  running.lookSoon();
  await pass(SETTLED_MS / 2);
  running.lookSoon();
  assert.deepEqual(looks, [1, 1]);
  await pass(SETTLED_MS / 2);
  assert.deepEqual(looks, [2, 2]);
  // A network that changes all the time.
  for (let passedMs = 0; passedMs < AGAIN_MS; passedMs += 1000) {
    running.lookSoon();
    await pass(1000);
  }
  assert.deepEqual(looks, [2, 2]);
  await pass(SETTLED_MS);
  assert.deepEqual(looks, [3, 3]);
});
