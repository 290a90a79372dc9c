/** Workers that count their connections together: they decide as one, and a thread that dies leaves nothing behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import {
  type Admission,
  createAdmission,
  createOwnAdmission,
  enter,
  leave,
  leaveOpenings,
  nextDisplaced,
  openingInTheWay,
  publishSilence,
  wasForMemory,
} from '../../../src/net/admission.ts';
import {
  LETTERS,
  MAIN_THREAD,
  WORKER,
  WORKER_WORDS,
  attachAdmission,
  forgetWorker,
} from '../../../src/net/admission-memory.ts';
import { MAPPED_WORD2 } from '../../../src/net/client.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { createLetter, passOn, redirect, setTaking, takeOver } from '../../../src/net/handover.ts';
import { lock, unlock } from '../../../src/net/lock.ts';
import { releaseSlot, takeSlot } from '../../../src/net/shares.ts';
import { E, errno, pinned, read } from '../../../src/os/libc.ts';
import { assertConsistent, createTestMemory, someConnection } from './shared-admission.ts';

const clientOf = (number: number) => ({ word0: 0, word1: 0, word2: MAPPED_WORD2, word3: number });

/** Connections by name, over one admission or several; displaced ones are closed at once. */
function createWorld(admissions: readonly Admission[]) {
  const open = new Map<string, { readonly connection: Connection; readonly admission: Admission }>();
  const end = (name: string) => {
    const { connection, admission } = open.get(name)!;
    leaveOpenings(admission, connection);
    leave(admission, connection);
    open.delete(name);
  };
  const nameOf = (wanted: Connection) => [...open].find(([, { connection }]) => connection === wanted)![0];
  function closeDisplaced(): void {
    for (const admission of admissions)
      for (;;) {
        const displaced = nextDisplaced(admission);
        if (displaced === undefined) break;
        end(nameOf(displaced));
      }
  }
  return {
    open,
    end,
    enter(name: string, worker: number, client: number, nowMs: number) {
      for (const { admission, connection } of open.values()) publishSilence(admission, connection);
      const admission = admissions[worker % admissions.length];
      const connection = someConnection(nowMs);
      if (!enter(admission, connection, clientOf(client), nowMs)) return;
      if (admission.displaced !== undefined) end(nameOf(admission.displaced));
      open.set(name, { connection, admission });
      closeDisplaced();
    },
    reach(name: string) {
      const { admission, connection } = open.get(name)!;
      leaveOpenings(admission, connection);
    },
    move(name: string, nowMs: number) {
      open.get(name)!.connection.sinceMs = nowMs;
    },
    send(name: string, bytes: number) {
      const { admission, connection } = open.get(name)!;
      if (connection.openingSlot === 0) return;
      connection.openingBytes += bytes;
      for (;;) {
        const other = openingInTheWay(admission, connection);
        closeDisplaced();
        if (other === undefined) return;
        end(nameOf(other));
        if (other === connection) return;
      }
    },
  };
}

describe('several workers', () => {
  test('decide as one worker would: who is refused, and whose connection goes', () => {
    const step = fc.record({
      do: fc.constantFrom('enter', 'enter', 'enter', 'end', 'reach', 'move', 'send'),
      worker: fc.nat({ max: 2 }),
      client: fc.integer({ min: 1, max: 5 }),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.array(step, { maxLength: 60 }), (slots, steps) => {
        using shared = createTestMemory(slots, 3);
        const together = [1, 2, 3].map((worker) => createAdmission(shared.memory, worker, true));
        const single = createOwnAdmission(slots, 1);
        const worlds = [createWorld(together), createWorld([single])];
        for (const [i, { do: what, worker, client, which }] of steps.entries()) {
          const names = [...worlds[0].open.keys()];
          if (what !== 'enter' && names.length === 0) continue;
          const name = names[which % Math.max(names.length, 1)];
          for (const world of worlds) {
            if (what === 'enter') world.enter(`${i}`, worker, client, i * 100);
            else if (what === 'end') world.end(name);
            else if (what === 'reach') world.reach(name);
            else if (what === 'move') world.move(name, i * 100);
            else world.send(name, 9_000_000);
          }
          assert.deepEqual([...worlds[0].open.keys()], [...worlds[1].open.keys()], `after step ${i}`);
          assertConsistent(shared.memory);
          assert.equal(shared.memory.all.most, single.memory.all.most);
          assert.equal(shared.memory.openings.usedUnits, single.memory.openings.usedUnits);
        }
      }),
    );
  });

  test('a connection that loses its slot to another worker: its worker is woken, and closes it', () => {
    using shared = createTestMemory(2, 2);
    const [one, two] = [1, 2].map((worker) => createAdmission(shared.memory, worker, true));
    const [first, second, newcomer] = [0, 0, 0].map(someConnection);
    enter(one, first, clientOf(1), 0);
    enter(one, second, clientOf(1), 0);
    for (const each of [first, second]) leaveOpenings(one, each);
    assert.ok(enter(two, newcomer, clientOf(2), 0));
    assert.equal(two.displaced, undefined);
    assert.equal(newcomer.slot, first.slot, 'at once');
    const bell = shared.memory.workers[WORKER_WORDS + WORKER.BELL];
    assert.equal(read(bell, pinned(8), 8), 8);
    assert.ok(read(bell, pinned(8), 8) < 0 && errno() === E.EAGAIN);
    assert.equal(nextDisplaced(one), first);
    assert.equal(wasForMemory(one, first.slot), false);
    // Closing it takes nothing from the new connection.
    leave(one, first);
    assert.equal(nextDisplaced(one), undefined);
    assert.equal(shared.memory.all.usedSlots, 2);
    leave(two, newcomer);
    leave(one, second);
    assert.equal(shared.memory.all.usedSlots, 0);
    assertConsistent(shared.memory);
  });

  test('the worker takes the same slot again before it has closed the old connection: that one is returned', () => {
    using shared = createTestMemory(2, 2);
    const [one, two] = [1, 2].map((worker) => createAdmission(shared.memory, worker, true));
    const [first, second, other, third] = [0, 0, 0, 0].map(someConnection);
    for (const each of [first, second]) {
      enter(one, each, clientOf(1), 0);
      leaveOpenings(one, each);
    }
    enter(two, other, clientOf(2), 0);
    leave(two, other);
    assert.ok(enter(one, third, clientOf(3), 0));
    assert.equal(third.slot, first.slot);
    assert.equal(one.displaced, first);
    assert.equal(nextDisplaced(one), undefined, 'it is not found twice');
  });

  test('two threads at once: afterwards every slot is free, and the tables are consistent', async () => {
    using shared = createTestMemory(16, 2);
    const workers = [1, 2].map((worker) => hammer(shared.seed, worker, 60_000));
    const isRunning = Promise.all(workers.map((worker) => once(worker, 'message')));
    let looks = 0;
    const looking = setInterval(() => {
      lock(shared.memory.lock, MAIN_THREAD);
      try {
        assertConsistent(shared.memory);
        looks++;
      } finally {
        unlock(shared.memory.lock);
      }
    }, 1);
    const displaced = (await isRunning).map(([count]) => count as number);
    clearInterval(looking);
    assert.ok(looks > 0 && displaced.every((count) => count > 0), `${looks} looks, ${displaced} displaced`);
    assertConsistent(shared.memory);
    assert.equal(shared.memory.all.usedSlots, 0);
    assert.equal(shared.memory.openings.usedUnits, 0);
    assert.deepEqual(
      [1, 2].map((worker) => shared.memory.workers[worker * WORKER_WORDS + WORKER.OPEN]),
      [0, 0],
    );
  });
});

const hammer = (seed: object, worker: number, rounds: number) =>
  new Worker(new URL('hammering-worker.ts', import.meta.url), { workerData: { seed, worker, rounds } });

describe('a worker dies', () => {
  test('its slots are free; those of others stay, with their owners', () => {
    using shared = createTestMemory(6, 2);
    const [one, two] = [1, 2].map((worker) => createAdmission(shared.memory, worker, true));
    const kept = someConnection(0);
    enter(two, kept, clientOf(2), 0);
    for (let i = 0; i < 5; i++) enter(one, someConnection(0), clientOf(1 + i), 0);
    forgetWorker(shared.memory, 1);
    assertConsistent(shared.memory);
    assert.equal(shared.memory.all.usedSlots, 1);
    assert.equal(shared.memory.openings.usedSlots, 1);
    leaveOpenings(two, kept);
    leave(two, kept);
    assert.equal(shared.memory.all.usedSlots, 0);
  });

  test('in the middle of a change: the lock is free, and the tables are made consistent', () => {
    using shared = createTestMemory(8, 2);
    const { memory } = shared;
    const two = createAdmission(memory, 2, true);
    const kept = [1, 1, 2, 3].map((client) => {
      const connection = someConnection(0);
      enter(two, connection, clientOf(client), 0);
      return connection;
    });
    leaveOpenings(two, kept[0]);
    // What worker 1 had done when it died: slots that belong to nobody yet, and numbers that are half written.
    lock(memory.lock, 1);
    const slot = takeSlot(memory.all, 1, 0, 0, MAPPED_WORD2, 1);
    memory.openingOf[slot] = takeSlot(memory.openings, 3, 0, 0, MAPPED_WORD2, 9);
    releaseSlot(memory.openings, memory.openingOf[kept[1].slot]); // its worker still counts it
    memory.all.usedSlots += 3;
    memory.all.heads.fill(7);
    memory.openings.rankFirst.fill(2);
    forgetWorker(memory, 1);
    assertConsistent(memory);
    assert.equal(memory.all.usedSlots, 4);
    lock(memory.lock, 2); // free
    unlock(memory.lock);
    for (const each of kept) {
      leaveOpenings(two, each);
      leave(two, each);
    }
    assert.equal(memory.all.usedSlots + memory.openings.usedUnits, 0);
    assertConsistent(memory);
  });

  test('threads that are terminated at any moment: the other one continues, and nothing is lost', async () => {
    using shared = createTestMemory(16, 2);
    const survivor = hammer(shared.seed, 2, 150_000);
    let isRunning = true;
    const ended = once(survivor, 'message').then(() => (isRunning = false));
    let deaths = 0;
    do {
      const victim = hammer(shared.seed, 1, 1e9);
      await once(victim, 'online');
      const { workers } = attachAdmission(shared.seed);
      while (workers[WORKER_WORDS + WORKER.OPEN] < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      await victim.terminate();
      forgetWorker(shared.memory, 1);
      deaths++;
      lock(shared.memory.lock, MAIN_THREAD);
      assertConsistent(shared.memory);
      unlock(shared.memory.lock);
    } while (isRunning && deaths < 15);
    await ended;
    assertConsistent(shared.memory);
    assert.equal(shared.memory.all.usedSlots, 0);
  });
});

describe('connections are passed on', () => {
  const peer = Uint8Array.from({ length: 28 }, (_, i) => 200 + i);
  const openOn = (admission: Admission, count: number) => {
    for (let i = 0; i < count; i++) enter(admission, someConnection(0), clientOf(i), 0);
  };

  test('to a worker that has clearly fewer and takes them, with the address of the client', () => {
    using shared = createTestMemory(32, 3);
    const [one, two, three] = [1, 2, 3].map((worker) => createAdmission(shared.memory, worker, true));
    setTaking(one, true);
    setTaking(two, true);
    openOn(one, 1);
    openOn(three, 0); // has none, but takes none: it is leaving
    assert.equal(passOn(one, 50, 5, peer), false, 'a difference of one is not worth it');
    openOn(one, 1);
    assert.equal(passOn(one, 50, 5, peer), true);
    assert.equal(passOn(one, 51, 5, peer), false, 'what is under way counts');
    const letter = createLetter();
    assert.equal(takeOver(three, letter), false);
    assert.equal(takeOver(two, letter), true);
    assert.deepEqual([letter.fd, letter.listenerFd, [...letter.peer]], [50, 5, [...peer]]);
    assert.equal(takeOver(two, letter), false);
  });

  test('the next ones stay when a worker does not read its letters', () => {
    using shared = createTestMemory(1000, 2);
    const [one, two] = [1, 2].map((worker) => createAdmission(shared.memory, worker, true));
    setTaking(two, true);
    openOn(one, 900);
    let passed = 0;
    while (passed < 900 && passOn(one, 100 + passed, 5, peer)) passed++;
    assert.equal(passed, LETTERS);
  });

  test('to a worker that dies: another one gets them; without another one, its successor does', () => {
    using shared = createTestMemory(32, 3);
    const { memory } = shared;
    const [one, two, three] = [1, 2, 3].map((worker) => createAdmission(memory, worker, true));
    const letter = createLetter();
    setTaking(two, true);
    openOn(one, 4);
    assert.ok(passOn(one, 50, 5, peer) && passOn(one, 51, 5, peer));
    forgetWorker(memory, 2);
    assert.equal(redirect(memory, 2, MAIN_THREAD, letter), 0);
    setTaking(three, true);
    assert.equal(redirect(memory, 2, MAIN_THREAD, letter), 1 << 3);
    assert.ok(takeOver(three, letter));
    assert.equal(letter.fd, 50);
    assert.ok(takeOver(three, letter));
    assert.equal(letter.fd, 51);
    assert.deepEqual([...letter.peer], [...peer]);
  });
});
