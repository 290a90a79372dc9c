import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { type EventRing, createEventRing, createEventWriter } from '../../../src/runtime/event-ring.ts';

const ALL = 0xffff;

const drain = (ring: EventRing, most?: number) => {
  const seen: { kind: number; timeMs: number; value: number }[] = [];
  ring.drain(({ kind, timeMs, words, at }) => seen.push({ kind, timeMs, value: words[(at >> 2) + 3] }), most);
  return seen;
};

function ringOf(records: number) {
  const ring = createEventRing({ recordBytes: 16, records });
  const writer = createEventWriter(ring.buffer);
  writer.tick(0);
  const put = (kind: number, value: number): boolean => {
    const at = writer.begin(kind);
    if (at < 0) return false;
    writer.words[(at >> 2) + 3] = value;
    writer.commit();
    return true;
  };
  return { ring, writer, put };
}

test('records come out in order, with kind and time', () => {
  const { ring, writer, put } = ringOf(4);
  ring.want(ALL);
  put(1, 10);
  writer.tick(5000);
  put(15, 20);
  assert.deepEqual(drain(ring), [
    { kind: 1, timeMs: 0, value: 10 },
    { kind: 15, timeMs: 5000, value: 20 },
  ]);
  assert.deepEqual(drain(ring), []);
});

test('a kind is recorded only while it is enabled, and a disabled kind does not count as lost', () => {
  const { ring, writer, put } = ringOf(4);
  assert.equal(put(2, 1), false);
  ring.want(1 << 2);
  assert.ok(writer.wants(2) && !writer.wants(3));
  assert.ok(put(2, 2));
  assert.equal(put(3, 3), false);
  ring.want(0);
  assert.equal(put(2, 4), false);
  assert.deepEqual(
    drain(ring).map(({ value }) => value),
    [2],
  );
  assert.deepEqual(ring.losses(2), { full: 0, limited: 0 });
});

test('a full ring drops the newest records, and counts them by kind', () => {
  const { ring, put } = ringOf(4);
  ring.want(ALL);
  for (let value = 0; value < 7; value++) put(value < 5 ? 0 : 1, value);
  assert.deepEqual(
    drain(ring).map(({ value }) => value),
    [0, 1, 2, 3],
  );
  assert.deepEqual(ring.losses(0), { full: 1, limited: 0 });
  assert.deepEqual(ring.losses(1), { full: 2, limited: 0 });
  assert.ok(put(0, 8));
});

test('a limit applies to each second', () => {
  const { ring, writer, put } = ringOf(64);
  ring.want(ALL);
  ring.limit(4, 2);
  writer.tick(1000);
  for (let i = 0; i < 5; i++) put(4, i);
  put(5, 99);
  writer.tick(1999);
  put(4, 50);
  writer.tick(2000);
  put(4, 51);
  assert.deepEqual(
    drain(ring).map(({ value }) => value),
    [0, 1, 99, 51],
  );
  assert.deepEqual(ring.losses(4), { full: 0, limited: 4 });
});

test('an uncommitted record is never read', () => {
  const { ring, writer, put } = ringOf(4);
  ring.want(ALL);
  assert.ok(writer.begin(0) >= 0);
  assert.deepEqual(drain(ring), []);
  put(1, 7);
  assert.deepEqual(drain(ring), [{ kind: 1, timeMs: 0, value: 7 }]);
});

test('a record counts as consumed if its reader throws', () => {
  const { ring, put } = ringOf(4);
  ring.want(ALL);
  put(0, 1);
  put(0, 2);
  assert.throws(() =>
    ring.drain(() => {
      throw new Error('reader');
    }),
  );
  assert.deepEqual(
    drain(ring).map(({ value }) => value),
    [2],
  );
});

for (const [recordBytes, records] of [
  [12, 4],
  [8, 4],
  [16, 3],
  [16, 0],
]) {
  test(`refuses ${records} records of ${recordBytes} bytes`, () => {
    assert.throws(() => createEventRing({ recordBytes, records }), /expected/);
  });
}

test('behaves like a bounded queue for any order of calls, also when the counts wrap and the writer is replaced', () => {
  const step = fc.oneof(
    fc.record({ put: fc.nat({ max: 3 }) }),
    fc.record({ drain: fc.nat({ max: 6 }) }),
    fc.record({ replace: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, start) => {
      const ring = createEventRing({ recordBytes: 24, records: 4 });
      // HEAD and TAIL as after many records, perhaps close to where they wrap.
      new Int32Array(ring.buffer).fill(start, 0, 2);
      ring.want(ALL);
      let writer = createEventWriter(ring.buffer);
      const queue: number[] = [];
      let lost = 0;
      let value = 0;
      for (const each of steps) {
        if ('replace' in each) {
          writer = createEventWriter(ring.buffer);
        } else if ('put' in each) {
          writer.tick(++value);
          const at = writer.begin(each.put);
          assert.equal(at >= 0, queue.length < 4);
          if (at < 0) {
            lost++;
            continue;
          }
          writer.words[(at >> 2) + 3] = value;
          queue.push(value);
          writer.commit();
        } else {
          const got = drain(ring, each.drain).map((record) => record.value);
          assert.deepEqual(got, queue.splice(0, each.drain));
        }
      }
      const full = [0, 1, 2, 3].reduce((sum, kind) => sum + ring.losses(kind).full, 0);
      assert.equal(full, lost);
    }),
  );
});

test('between two threads no record is torn, repeated or out of order, and every loss is counted', async () => {
  const count = 200_000;
  const words = 16;
  const ring = createEventRing({ recordBytes: words * 4, records: 256 });
  ring.want(1 << 3);
  const thread = new Worker(new URL('event-ring-writer.ts', import.meta.url), {
    workerData: { buffer: ring.buffer, count, words },
  });
  const ended = new Promise<number>((resolve) => thread.once('exit', resolve));
  let isEnded = false;
  void ended.then(() => (isEnded = true));
  let seen = 0;
  let last = -1;
  do {
    ring.drain((record) => {
      const first = record.at >> 2;
      const number = record.words[first + 3];
      if (number <= last || record.timeMs !== number) assert.fail(`${number} after ${last}`);
      for (let word = 3; word < words; word++) {
        if (record.words[first + word] !== number) assert.fail(`record ${number} is torn at word ${word}`);
      }
      last = number;
      seen++;
    });
    await new Promise(setImmediate);
  } while (!isEnded);
  ring.drain(() => seen++);
  assert.equal(await ended, 0);
  assert.equal(seen + ring.losses(3).full, count);
  assert.ok(seen > 0);
});
