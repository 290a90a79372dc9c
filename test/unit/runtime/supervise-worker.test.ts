import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { silentLog } from '../../../src/runtime/log.ts';
import { superviseWorker } from '../../../src/runtime/supervise-worker.ts';

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

test('messages reach the thread and come back; the end closes what it left open', async () => {
  const { worker, ask } = await startEcho(['hello']);
  const [greeting, , fd] = await ask();
  assert.equal(greeting, 'hello');
  assert.ok(isDevNull(fd));
  await worker[Symbol.asyncDispose]();
  assert.equal(worker.alive, false);
  assert.ok(!isDevNull(fd));
});

test('a thread that throws is started again with a new init', async () => {
  const { worker, ask } = await startEcho(['first', 'second']);
  await using _ = worker;
  assert.equal((await ask())[0], 'first');
  worker.fail();
  // Messages to a dead thread are dropped by contract, so ask until the new one answers.
  while (worker.restarts === 0 || !worker.alive) await new Promise(setImmediate);
  assert.equal((await ask())[0], 'second');
  assert.equal(worker.restarts, 1);
});

test('a first start that fails rejects with the reason', async () => {
  await assert.rejects(startEcho(['never'], true), /told to fail at start/);
});

test('a thread that hangs in JavaScript can still be stopped', async () => {
  const { worker, ask } = await startEcho(['hello']);
  await ask();
  worker.send('hang');
  await worker[Symbol.asyncDispose]();
  assert.equal(worker.alive, false);
});
