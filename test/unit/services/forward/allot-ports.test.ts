import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HostConfig } from '../../../../src/config/schema.ts';
import { type Allotments, allotPorts, portsInUse } from '../../../../src/services/forward/allot-ports.ts';
import { hostAt } from '../../net/support.ts';

const range = { first: 22001, last: 22003 };
const ssh = (name: string, port?: number) =>
  hostAt(name, { ssh: port === undefined ? { targetPort: 22 } : { port, targetPort: 22 } });
const allot = (hosts: HostConfig[], previous: Allotments = {}, reservedPorts: number[] = [], nowMs = 1000) =>
  allotPorts({ hosts, range, reservedPorts, previous, nowMs });

test('the lowest free ports are chosen, around reserved and configured ones', () => {
  const hosts = [ssh('a'), ssh('b', 22002), ssh('c'), hostAt('none')];
  assert.deepEqual(portsInUse(allot(hosts)), { b: 22002, a: 22001, c: 22003 });
  assert.deepEqual(portsInUse(allot([ssh('a')], {}, [22001])), { a: 22002 });
});

test('a port stays with its server whatever the order, and while the server is missing', () => {
  const first = allot([ssh('a'), ssh('b')]);
  assert.deepEqual(portsInUse(allot([ssh('b'), ssh('a')], first)), { b: 22002, a: 22001 });
  const without = allot([ssh('b'), ssh('c')], first);
  assert.deepEqual(portsInUse(without), { b: 22002, c: 22003 });
  assert.deepEqual(without['a'], { port: 22001, releasedAtMs: 1000 });
  assert.deepEqual(portsInUse(allot([ssh('b'), ssh('a')], without)), { b: 22002, a: 22001 });
});

test('ssh: false releases the port, but remembers it', () => {
  const off = allot([hostAt('a'), ssh('b')], allot([ssh('a')]));
  assert.deepEqual(portsInUse(off), { b: 22002 });
  assert.deepEqual(portsInUse(allot([ssh('a'), ssh('b')], off)), { a: 22001, b: 22002 });
});

test('a full range reuses the port that was released first', () => {
  let state = allot([ssh('a'), ssh('b'), ssh('c')]);
  state = allot([ssh('a'), ssh('c')], state, [], 2000);
  state = allot([ssh('c')], state, [], 3000);
  assert.deepEqual(portsInUse(allot([ssh('c'), ssh('d')], state, [], 4000)), { c: 22003, d: 22002 });
});

test('a configured port takes precedence over a chosen one', () => {
  const first = allot([ssh('a')]);
  assert.deepEqual(portsInUse(allot([ssh('a'), ssh('b', 22001)], first)), { b: 22001, a: 22002 });
  assert.deepEqual(portsInUse(allot([ssh('a')], first, [22001])), { a: 22002 });
});

for (const [title, hosts, reserved, message] of [
  ['two servers with one port', [ssh('a', 1), ssh('b', 1)], [], /host "b": ssh\.port 1 .* host "a"/],
  ['a reserved port', [ssh('a', 443)], [443], /host "a": ssh\.port 443 .* another listener/],
  [
    'no port left',
    ['a', 'b', 'c', 'd'].map((name) => ssh(name)),
    [],
    /host "d": no SSH port left in 22001-22003/,
  ],
] as [string, HostConfig[], number[], RegExp][]) {
  test(`${title} is an error`, () => assert.throws(() => allot(hosts, {}, reserved), message));
}

test('after any history, present servers keep their ports, and no two share one', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 12 }), (history) => {
      let state: Allotments = {};
      for (const [step, present] of history.entries()) {
        const before = portsInUse(state);
        const wide = { first: 22001, last: 22005 };
        state = allotPorts({
          hosts: present.map((name) => ssh(name)),
          range: wide,
          reservedPorts: [22003],
          previous: state,
          nowMs: step,
        });
        const now = portsInUse(state);
        assert.deepEqual(Object.keys(now).sort(), [...present].sort());
        for (const name of present) if (name in before) assert.equal(now[name], before[name]);
        const all = Object.values(state).map(({ port }) => port);
        assert.equal(new Set(all).size, all.length);
        assert.ok(all.every((port) => port >= 22001 && port <= 22005 && port !== 22003));
      }
    }),
  );
});
