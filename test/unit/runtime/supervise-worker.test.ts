import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { silentLog } from '../../../src/runtime/log.ts';
import { createStillness, superviseWorker } from '../../../src/runtime/supervise-worker.ts';

const ENTRY = new URL('./echo-worker.ts', import.meta.url);

/** A supervised echo worker, and its answers as events. */
async function startEcho(greetings: string[], failAtStart = false) {
  const answers = new EventEmitter();
  let starts = 0;
  const worker = await superviseWorker<{ greeting: string; failAtStart: boolean }, 'ping' | 'hang', string>({
    name: 'echo',
    entry: ENTRY,
    init: () => ({ greeting: greetings[starts++], failAtStart }),
    onMessage: (answer) => answers.emit('answer', answer),
    log: silentLog,
  });
  const ask = async (): Promise<string[]> => {
    const answer = once(answers, 'answer');
    worker.send('ping');
    return ((await answer)[0] as string).split(' ');
  };
  return { worker, ask };
}

const isDevNull = (fd: string) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/null';
  } catch {
    return false;
  }
};

test('messages reach the thread and come back; the end closes the descriptors that it left open', async () => {
  const { worker, ask } = await startEcho(['hello']);
  const [greeting, , fd] = await ask();
  assert.equal(greeting, 'hello');
  assert.ok(isDevNull(fd));
  await worker[Symbol.asyncDispose]();
  assert.equal(worker.alive, false);
  assert.ok(!isDevNull(fd));
});

test('a thread that throws is restarted with a new init', async () => {
  const { worker, ask } = await startEcho(['first', 'second']);
  await using _ = worker;
  assert.equal((await ask())[0], 'first');
  worker.fail();
  // Messages to a dead thread are dropped by contract, so repeat until the new thread answers.
  while (worker.restarts === 0 || !worker.alive) await new Promise(setImmediate);
  assert.equal((await ask())[0], 'second');
  assert.equal(worker.restarts, 1);
});

test('a first start that fails rejects with the reason', async () => {
  await assert.rejects(startEcho(['never'], true), /configured to fail at start/);
});

test('a thread that hangs in JavaScript can still be stopped', async () => {
  const { worker, ask } = await startEcho(['hello']);
  await ask();
  worker.send('hang');
  await worker[Symbol.asyncDispose]();
  assert.equal(worker.alive, false);
});

test('a loop that does not run for ten seconds is stuck, and reported once', () => {
  const isStuck = createStillness(0);
  const looks = Array.from({ length: 23 }, (_, second) => isStuck(7, second * 1000));
  assert.deepEqual(
    looks.flatMap((isStill, second) => (isStill ? [second] : [])),
    [11, 22],
  );
});

test('a running loop, or a missing one, is not stuck', () => {
  const isStuck = createStillness(0);
  for (let second = 0; second < 60; second++)
    assert.equal(isStuck(second < 30 ? Math.floor(second / 9) : undefined, second * 1000), false);
});

test('time that passes while the main thread itself is stopped is no sign of a stuck loop', () => {
  const isStuck = createStillness(0);
  isStuck(7, 1000);
  // Stopped for 20 s (SIGSTOP, a frozen cgroup), then the main thread is the first to run.
  assert.equal(isStuck(7, 21_500), false);
  assert.equal(isStuck(8, 22_500), false);
  // The main thread is stopped again and again, and yet the checks that it makes are counted.
  const seen = Array.from({ length: 6 }, (_, i) => isStuck(8, 60_000 * (i + 1)));
  assert.deepEqual(seen, [false, false, false, false, false, true]);
});
