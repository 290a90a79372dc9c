/** Records of variable length in shared memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createByteRing, createByteWriter } from '../../../src/runtime/byte-ring.ts';

const MOST = 100;

test('records arrive whole and in order, whatever their lengths; those without room are counted', () => {
  const step = fc.oneof(
    fc.record({ write: fc.integer({ min: 0, max: MOST }) }),
    fc.record({ read: fc.integer({ min: 1, max: 5 }) }),
    fc.constant({ restart: true as const }),
    fc.constant({ abandon: true as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ring = createByteRing(256);
      ring.want(true);
      let writer = createByteWriter(ring.buffer);
      const expected: number[][] = [];
      let lost = 0;
      let next = 0;
      const read = (most: number) =>
        ring.drain((at) => {
          const { length } = expected[0]!;
          assert.equal(at % 8, 0);
          assert.deepEqual([...ring.bytes.subarray(at, at + length)], expected.shift());
        }, most);
      for (const each of steps) {
        if ('write' in each) {
          const at = writer.begin(MOST);
          if (at === -2) {
            lost++;
            assert.ok(expected.length > 0, 'an empty ring has room');
            continue;
          }
          assert.ok(at + MOST <= ring.bytes.length);
          const bytes = Array.from({ length: each.write }, () => next++ & 255);
          ring.bytes.set(bytes, at);
          writer.commit(bytes.length);
          expected.push(bytes);
        } else if ('read' in each) {
          const before = expected.length;
          assert.equal(read(each.read), Math.min(each.read, before));
        } else if ('restart' in each) {
          writer = createByteWriter(ring.buffer);
        } else {
          const at = writer.begin(MOST);
          if (at === -2) lost++;
        }
      }
      read(Number.POSITIVE_INFINITY);
      assert.deepEqual(expected, []);
      assert.equal(ring.lost(), lost);
    }),
  );
});

test('what nobody wants is neither written nor counted', () => {
  const ring = createByteRing(256);
  const writer = createByteWriter(ring.buffer);
  assert.equal(writer.begin(8), -1);
  ring.want(true);
  assert.ok(writer.begin(8) >= 0);
  writer.commit(8);
  ring.want(false);
  assert.equal(writer.begin(8), -1);
  assert.equal(ring.lost(), 0);
  assert.equal(
    ring.drain(() => {}, 10),
    1,
  );
});

test('a handler that throws loses its record only', () => {
  const ring = createByteRing(256);
  ring.want(true);
  const writer = createByteWriter(ring.buffer);
  for (const value of [1, 2]) {
    ring.bytes[writer.begin(1)] = value;
    writer.commit(1);
  }
  assert.throws(() =>
    ring.drain(() => {
      throw new Error('bad record');
    }, 2),
  );
  const read: number[] = [];
  ring.drain((at) => void read.push(ring.bytes[at]!), 2);
  assert.deepEqual(read, [2]);
});

test('the counts wrap', () => {
  const ring = createByteRing(64);
  ring.want(true);
  // HEAD and TAIL just before 2^32.
  ring.words[0] = ring.words[1] = -32;
  const writer = createByteWriter(ring.buffer);
  for (let i = 0; i < 10; i++) {
    ring.bytes[writer.begin(8)] = i;
    writer.commit(8);
    assert.equal(
      ring.drain((at) => assert.equal(ring.bytes[at], i), 9),
      1,
    );
  }
});

test('sizes that are none', () => {
  for (const capacity of [0, 32, 100]) assert.throws(() => createByteRing(capacity), /power of two/);
});
