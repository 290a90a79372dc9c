/** The series of servers: their bytes on disk, and rates of servers that come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceReport } from '../../../src/runtime/report.ts';
import { createHostSampler } from '../../../src/state/figures.ts';
import {
  HOST_WIDTH,
  createHostRing,
  decodeHosts,
  encodeHosts,
  mergeHosts,
} from '../../../src/state/host-series.ts';
import { report } from '../admin/fixture.ts';

const figures = fc.float32Array({ minLength: HOST_WIDTH, maxLength: HOST_WIDTH, noNaN: true });
const row = fc
  .uniqueArray(
    fc.tuple(
      fc.string({ maxLength: 63 }).filter((name) => Buffer.byteLength(name) < 256),
      fc.record({ mean: figures, highest: figures }, { noNullPrototype: true }),
    ),
    { selector: ([name]) => Buffer.from(name).toString(), maxLength: 8 },
  )
  .map((entries) => new Map(entries.map(([name, each]) => [Buffer.from(name).toString(), each] as const)));

test('encoded data is decoded again, all servers or one', () => {
  fc.assert(
    fc.property(row, (hosts) => {
      const bytes = encodeHosts(hosts);
      assert.deepEqual([...decodeHosts(bytes)], [...hosts]);
      for (const [name, each] of hosts) assert.deepEqual([...decodeHosts(bytes, name)], [[name, each]]);
      assert.equal(decodeHosts(bytes, `no ${[...hosts.keys()].join()}`).size, 0);
    }),
  );
});

test('any bytes can be decoded; truncated data gives its complete part', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decodeHosts(bytes).size <= bytes.length),
  );
  fc.assert(
    fc.property(row, fc.nat(400), (hosts, cut) => {
      const bytes = encodeHosts(hosts);
      const known = [...decodeHosts(bytes.subarray(0, Math.max(0, bytes.length - cut)))];
      assert.deepEqual(known, [...hosts].slice(0, known.length));
    }),
  );
});

test('merging weighs by time; an absent server counts as zero, unknown times do not count', () => {
  const of = (value: number) => ({
    mean: new Float32Array(HOST_WIDTH).fill(value),
    highest: new Float32Array(HOST_WIDTH).fill(value),
  });
  const merged = mergeHosts([
    { seconds: 60, hosts: new Map([['a', of(9)]]) },
    { seconds: 30, hosts: new Map() },
    { seconds: 500, hosts: undefined },
  ]);
  assert.deepEqual([...(merged ?? [])], [['a', { ...of(6), highest: of(9).highest }]]);
  assert.equal(mergeHosts([{ seconds: 60, hosts: undefined }]), undefined);
});

test('in memory: an hour and ten minutes, for every server', () => {
  const ring = createHostRing();
  ring.add(0, new Map([['a', [1, 2, 3, 4]]]));
  for (let i = 1; i < 420; i++) ring.add(i * 10_000, new Map());
  assert.deepEqual(
    ring
      .samples('a', 0, 20_000)
      .map(({ values, at }) => values[at])
      .toArray(),
    [1, 0],
  );
  assert.deepEqual(
    [...ring.minutes(0, 120_000)].map(([at, hosts]) => [at, [...hosts.keys()]]),
    [
      [0, ['a']],
      [60, []],
    ],
  );
  ring.add(4_200_000, new Map());
  assert.equal(ring.firstMs, 10_000);
  assert.deepEqual(
    ring
      .samples('a', 0, 30_000)
      .map(({ values, at }) => values[at])
      .toArray(),
    [0, 0],
  );
  // The clock was set back.
  ring.add(15_000, new Map([['b', [5, 0, 0, 0]]]));
  assert.deepEqual(
    ring
      .samples('b', 0, 9e9)
      .map(({ timeMs }) => timeMs)
      .toArray(),
    [10_000, 15_000],
  );
});

test('rates: from the second sample on; a total that restarts at zero; a server that is removed and added again', () => {
  let hosts: ServiceReport['hosts'] = {};
  const sample = createHostSampler(() => [{ ...report('proxy'), hosts }]);
  const at = (seconds: number, next: Record<string, [up: number, connections: number]>) => {
    hosts = Object.fromEntries(
      Object.entries(next).map(([name, [up, connections]]) => [
        name,
        { 'bytes-up': up, 'bytes-down': up * 2, accepted: 0, connections, dialling: 0 },
      ]),
    );
    return Object.fromEntries(sample(seconds * 1000));
  };
  assert.deepEqual(at(0, { a: [1000, 0], idle: [0, 0] }), {});
  assert.deepEqual(at(10, { a: [1500, 2], idle: [0, 0] }), { a: [50, 100, 0, 2] });
  assert.deepEqual(at(20, { a: [1500, 1], b: [100, 0] }), { a: [0, 0, 0, 1], b: [10, 20, 0, 0] });
  assert.deepEqual(at(30, { a: [20, 0] }), { a: [2, 4, 0, 0] });
  assert.deepEqual(at(40, { a: [20, 0], b: [30, 0] }), { b: [3, 6, 0, 0] });
});
