import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createLogRing } from '../../../src/state/log-ring.ts';

test("pino's lines by level, newest first, a page at a time", () => {
  const ring = createLogRing();
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => ring.add(line) });
  log.info({ port: 53 }, 'listens');
  log.debug({}, 'detail');
  log.error({ err: new Error('no such thing') }, 'could not');
  log.warn({}, 'careful');
  const { lines, nextCursor } = ring.page('info', undefined, 10);
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message}`),
    ['warn careful', 'error could not', 'info listens'],
  );
  assert.deepEqual(lines[2].fields, { port: 53 });
  assert.equal((lines[1].fields['err'] as Error).message, 'no such thing');
  assert.equal(nextCursor, null);
  const first = ring.page('debug', undefined, 3);
  assert.equal(first.lines.length, 3);
  const second = ring.page('debug', first.nextCursor ?? undefined, 3);
  assert.deepEqual(
    second.lines.map(({ message }) => message),
    ['listens'],
  );
  assert.equal(second.nextCursor, null);
});

test('a flood of ordinary lines does not displace the warnings', () => {
  const ring = createLogRing();
  ring.add('{"level":40,"time":1,"msg":"careful"}');
  for (let i = 0; i < 5000; i++) ring.add(`{"level":30,"time":2,"msg":"mapping ${i}"}`);
  ring.add('{"level":50,"time":3,"msg":"trouble"}');
  const { lines } = ring.page('debug', undefined, 5000);
  assert.deepEqual(
    [lines[0].message, lines[1].message, lines.at(-1)?.message],
    ['trouble', 'mapping 4999', 'careful'],
  );
});

test('limited in size, whatever is logged; a line that is not JSON is kept unchanged', () => {
  const ring = createLogRing();
  for (let i = 0; i < 5000; i++) ring.add(`{"level":30,"time":1,"msg":"${i}"}\n`);
  assert.equal(ring.page('debug', undefined, 5000).lines.length, 800);
  for (let i = 0; i < 100; i++) ring.add(`x${'y'.repeat(100_000)}`);
  const { lines } = ring.page('debug', undefined, 5000);
  assert.ok(lines.length <= 24 && lines.every(({ message }) => message.length <= 8192));
});
