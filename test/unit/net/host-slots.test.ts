/** Slots of servers: how they are assigned, and the values read from them, while servers are added and removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST, createHostCounters, createHostSlots } from '../../../src/net/host-slots.ts';

/** The main thread's side and a worker's; `open` and `close` are the begin and the end of a connection. */
function both(slots?: number) {
  const main = createHostSlots(slots);
  let worker = createHostCounters(main.buffer);
  let generation = 0;
  let applied = 0;
  return {
    read: main.read,
    /** A new configuration; the worker uses it if `isApplied`. */
    configure(names: readonly string[], isApplied = true) {
      const assigned = main.assign(names, ++generation, applied);
      if (isApplied) {
        worker.assign(assigned);
        applied = generation;
      }
      return assigned;
    },
    /** Counts the bytes of a connection that stays open; returns a function that ends it. */
    open(server: string, up: number, down: number) {
      const at = worker.offsetOf(server);
      worker.values[at + HOST.ACCEPTED]++;
      worker.values[at + HOST.OPEN]++;
      worker.values[at + HOST.UP] += up;
      worker.values[at + HOST.DOWN] += down;
      return () => void worker.values[at + HOST.OPEN]--;
    },
    restartWorker() {
      worker = createHostCounters(main.buffer);
      worker.assign(main.assign(Object.keys(main.read()), generation, applied));
    },
  };
}

const traffic = (up: number, down: number, accepted: number, connections: number) => ({
  'bytes-up': up,
  'bytes-down': down,
  accepted,
  connections,
  dialling: 0,
});

test('each server has its own figures, starting at zero', () => {
  const { configure, open, read } = both();
  configure(['a', 'b']);
  open('a', 10, 200)();
  open('a', 1, 2);
  assert.deepEqual(read(), { a: traffic(11, 202, 2, 1), b: traffic(0, 0, 0, 0) });
});

test('a removed server is reported while it has open connections, and keeps its slot', () => {
  const { configure, open, read } = both();
  const before = configure(['a', 'b']);
  const close = open('a', 5, 5);
  const after = configure(['b', 'c']);
  assert.equal(after['b'], before['b']);
  assert.notEqual(after['c'], before['a']);
  assert.deepEqual(read()['a'], traffic(5, 5, 1, 1));
  // The server is added again in the meantime: no figure is lost.
  assert.equal(configure(['a', 'b', 'c'])['a'], before['a']);
  assert.deepEqual(read()['a'], traffic(5, 5, 1, 1));
  configure(['b', 'c']);
  close();
  assert.equal('a' in read(), false);
});

test('a slot is reused when its configuration is applied and no connection holds it; the next server starts at zero', () => {
  const { configure, open, read } = both();
  const { a } = configure(['a']);
  const close = open('a', 7, 8);
  configure([]);
  assert.notEqual(configure(['b'])['b'], a, 'held by a connection');
  close();
  assert.equal(configure(['b', 'c'])['c'], a);
  assert.deepEqual(read()['c'], traffic(0, 0, 0, 0));
  open('c', 1, 1);
  assert.deepEqual(read()['c'], traffic(1, 1, 1, 1));
  // Not before the worker has the new configuration: it may still route connections to "c".
  configure(['b'], false);
  assert.notEqual(configure(['b', 'd'], false)['d'], a);
});

test('a server that is added again after its last connection starts at zero', () => {
  const { configure, open, read } = both();
  configure(['a']);
  open('a', 7, 8)();
  configure([]);
  configure(['a']);
  assert.deepEqual(read(), { a: traffic(0, 0, 0, 0) });
});

test('a restarted worker has no connections, and continues the counts', () => {
  const { configure, open, read, restartWorker } = both();
  configure(['a']);
  open('a', 7, 8);
  restartWorker();
  assert.deepEqual(read(), { a: traffic(7, 8, 1, 0) });
  open('a', 1, 1);
  assert.deepEqual(read(), { a: traffic(8, 9, 2, 1) });
});

test('servers beyond the number of slots are not counted', () => {
  const { configure, open, read } = both(3);
  assert.deepEqual(Object.keys(configure(['a', 'b', 'c'])), ['a', 'b']);
  open('c', 1, 1)();
  open('unknown', 1, 1)();
  assert.deepEqual(Object.keys(read()), ['a', 'b']);
  assert.deepEqual(read()['a'], traffic(0, 0, 0, 0));
});
