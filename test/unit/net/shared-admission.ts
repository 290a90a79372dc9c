/** The memory of admission in tests: workers on it, and whether its tables are consistent. */
import assert from 'node:assert/strict';
import {
  type AdmissionMemory,
  type AdmissionSeed,
  WORKER,
  WORKER_WORDS,
  attachAdmission,
  createAdmissionSeed,
} from '../../../src/net/admission-memory.ts';
import { createConnection } from '../../../src/net/connection.ts';
import { CLOSE } from '../../../src/net/gate.ts';
import { HELD, FIRST, HOLDER_WORDS, OWNER, SLOT_WORDS, UNITS } from '../../../src/net/share-records.ts';
import { type SlotShares, nextInAge, nextOfClient } from '../../../src/net/shares.ts';
import { EFD_NONBLOCK, close, eventfd } from '../../../src/os/libc.ts';

const gate = { begin: null, route: null, serverFailed: () => CLOSE };
export const someConnection = (sinceMs: number) => createConnection(gate, 0, sinceMs);

export interface TestMemory extends Disposable {
  readonly seed: AdmissionSeed;
  readonly memory: AdmissionMemory;
}

/** Memory with a bell for each worker. */
export function createTestMemory(maxConnections: number, workers: number): TestMemory {
  const seed = createAdmissionSeed(maxConnections, 1);
  const memory = attachAdmission(seed);
  const bells = Array.from({ length: workers }, () => eventfd(0, EFD_NONBLOCK));
  bells.forEach((fd, i) => (memory.workers[(i + 1) * WORKER_WORDS + WORKER.BELL] = fd));
  return { seed, memory, [Symbol.dispose]: () => bells.forEach((fd) => close(fd)) };
}

/** All that must hold whenever nobody has the lock. */
export function assertConsistent(memory: AdmissionMemory): void {
  const { all, openings, workerOf, openingOf, slotOf } = memory;
  const used = assertSharesConsistent(all);
  const opening = assertSharesConsistent(openings);
  for (let slot = 1; slot <= all.slots; slot++) {
    assert.equal(workerOf[slot] !== 0, used.has(slot), `the worker of slot ${slot}`);
    if (opening.has(slot)) assert.equal(openingOf[slotOf[slot]], slot);
    if (used.has(slot) && openingOf[slot] !== 0) assert.ok(opening.has(openingOf[slot]));
  }
}

/** Returns the slots in use. */
function assertSharesConsistent(shares: SlotShares): Set<number> {
  const { records, holders, rankFirst } = shares;
  const used = new Set<number>();
  let units = 0;
  for (let slot = shares.oldest; slot !== 0; slot = nextInAge(shares, slot)) {
    assert.ok(!used.has(slot), 'no slot twice');
    used.add(slot);
    units += records[slot * SLOT_WORDS + UNITS];
  }
  assert.equal(used.size, shares.usedSlots);
  assert.equal(units, shares.usedUnits);
  const free = new Set<number>();
  for (let slot = shares.freeSlot; slot !== 0; slot = records[slot * SLOT_WORDS + 2]) {
    assert.ok(!used.has(slot) && !free.has(slot), 'a free slot is free, and once');
    free.add(slot);
  }
  assert.equal(used.size + free.size, shares.touchedSlots, 'no slot is lost');
  // By rank: every holder once, with its slots and their units.
  let most = 0;
  const owned = new Set<number>();
  for (let rank = 1; rank <= shares.units; rank++) {
    for (let holder = rankFirst[rank]; holder !== 0; holder = holders[holder * HOLDER_WORDS + 8]) {
      most = rank;
      assert.equal(holders[holder * HOLDER_WORDS + HELD], rank);
      let held = 0;
      for (let slot = holders[holder * HOLDER_WORDS + FIRST]; slot !== 0; slot = nextOfClient(shares, slot)) {
        assert.equal(records[slot * SLOT_WORDS + OWNER], holder);
        owned.add(slot);
        held += records[slot * SLOT_WORDS + UNITS];
      }
      assert.equal(held, rank);
    }
  }
  assert.equal(most, shares.most);
  assert.deepEqual(owned, used);
  return used;
}
