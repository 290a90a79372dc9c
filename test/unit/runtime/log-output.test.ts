/** A log that nobody reads blocks nothing, and memory does not grow. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { test } from 'node:test';
import { check, close, pinned, pipe2 } from '../../../src/os/libc.ts';
import { MOST_WAITING_BYTES, openLogOutput } from '../../../src/runtime/log-output.ts';

/** A blocking pipe, as a service manager provides it. */
function makePipe(): [read: number, write: number] {
  const fds = pinned(8);
  check(pipe2(fds, 0), 'pipe2');
  const view = new DataView(fds.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

function read(fd: number): string {
  const into = Buffer.alloc(1 << 20);
  return into.toString('utf8', 0, readSync(fd, into));
}

test('a pipe that nobody reads blocks nothing; later its reader gets the oldest lines complete, and the number of the lines left out', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [reader, writer] = makePipe();
  const output = openLogOutput(writer);
  const COUNT = 20_000;
  for (let i = 0; i < COUNT; i++) output.write(`line ${i} ${'x'.repeat(40)}\n`);
  output.write(`${'y'.repeat(5000)}\n`);
  let text = '';
  while (!text.includes('left out')) {
    text += read(reader);
    t.mock.timers.tick(100);
  }
  const lines = text.trimEnd().split('\n');
  const whole = lines.length - 1;
  for (const [i, line] of lines.slice(0, whole).entries()) assert.equal(line, `line ${i} ${'x'.repeat(40)}`);
  assert.ok(text.length > MOST_WAITING_BYTES);
  const { msg, lines: leftOut } = JSON.parse(lines[whole]) as { msg: string; lines: number };
  assert.match(msg, /lines were left out, because nobody read them/);
  assert.equal(whole + leftOut, COUNT + 1);
  output.write('and on\n');
  assert.equal(read(reader), 'and on\n');
  close(reader);
  output.write('to nobody\n');
  close(writer);
});

test('a full disk behind it: lines that cannot be written are not kept, but counted', () => {
  const written: string[] = [];
  let isFull = true;
  const fd = openSync('/dev/null', 'w');
  const output = openLogOutput(fd, (_fd, bytes) => {
    if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    written.push(Buffer.from(bytes).toString('utf8'));
    return bytes.length;
  });
  for (let i = 0; i < 1000; i++) output.write(`${i}\n`);
  isFull = false;
  output.write('again\n');
  assert.equal(written[0], 'again\n');
  assert.equal((JSON.parse(written[1]) as { lines: number }).lines, 1000);
  assert.equal(written.length, 2);
  closeSync(fd);
});
