/**
 * The memory in which the workers of a TCP service count their connections together, and pass connections to each other. It
 * belongs to the main thread and outlives the workers. If a service has one worker, nobody takes the lock.
 *
 * A worker changes the shares and the tables by slot only with the lock. A slot belongs to the worker and to the connection that
 * `workerOf` and `numberOf` name. `workerOf` is set last and cleared first, so it is true whenever a thread dies.
 */
import { pinned, write } from '../os/libc.ts';
import { LOCK_WORDS, lockAfter, unlock } from './lock.ts';
import { HOST_SLOTS } from './host-slots.ts';
import { type NewConnections, createNewConnections } from './new-connections.ts';
import type { Words } from './share-records.ts';
import { type SlotShares, createSlotShares, rebuild, releaseSlot } from './shares.ts';

/** Workers have the numbers 1 to MAX_WORKERS. */
export const MAX_WORKERS = 16;
/** The main thread, as the holder of the lock. */
export const MAIN_THREAD = MAX_WORKERS + 1;

/** There is always room for first bytes up to this size, whatever other clients do: a usual ClientHello has 0.5 to 2 KB. */
export const OPENING_UNIT_BYTES = 4096;
/** How much more all clients together may send before their servers are known. */
export const LONG_OPENING_UNITS = (32 * 1024 * 1024) / OPENING_UNIT_BYTES;

/** Words of a worker. */
export const WORKER = {
  /** Its open connections. Only the worker writes it. */
  OPEN: 0,
  /** Whether it takes connections that others have accepted. */
  TAKES: 1,
  /** The eventfd to write to after a change of its letters or its displaced connections. */
  BELL: 2,
  /** Letters written and letters read; both wrap. */
  WRITTEN: 3,
  READ: 4,
} as const;
export const WORKER_WORDS = 5;

/** A connection that is passed on: its descriptor, that of its listener, and the address of the client. */
export const LETTER_WORDS = 2 + 7;
/** How many connections may be under way to one worker: a power of two. */
export const LETTERS = 128;

/** Words of a server: its connections, and those of them that it has not accepted. */
export const SERVER = { OPEN: 0, DIALLING: 1 } as const;
export const SERVER_WORDS = 2;
/** Words of all servers of a worker. */
export const SERVERS_WORDS = HOST_SLOTS * SERVER_WORDS;

const ONE = pinned(8);
ONE[0] = 1;

/** Wakes a worker: it has letters, or has lost connections. */
export function ring({ workers }: AdmissionMemory, worker: number): void {
  write(workers[worker * WORKER_WORDS + WORKER.BELL], ONE, 8);
}

export interface AdmissionMemory {
  readonly lock: Int32Array;
  readonly all: SlotShares;
  /** Connections whose server is not reached yet. One unit is OPENING_UNIT_BYTES of what they have sent. */
  readonly openings: SlotShares;
  /** By slot of `all`: the worker (0: the slot is free), and the number of the connection. */
  readonly workerOf: Int32Array;
  readonly numberOf: Int32Array;
  /** By slot of `all`: its slot of `openings`, and the reverse; 0 for none. */
  readonly openingOf: Int32Array;
  readonly slotOf: Int32Array;
  /** By slot of `all`: when bytes last moved. A worker updates it about once per second. */
  readonly sinceOf: Int32Array;
  /** By slot of `all`: not 0 if the memory for first bytes was the reason why another worker displaced the connection. */
  readonly forMemory: Int32Array;
  /** By worker: a bit for each slot that another worker took away. */
  readonly displaced: Int32Array;
  readonly displacedWords: number;
  /** By slot of `all`: the server (`hostAt` + 1); 0 for none. */
  readonly serverOf: Int32Array;
  /** By worker and server: its connections, and those that the server has not accepted (server-shares.ts). */
  readonly servers: Int32Array;
  /** New connections of this second. */
  readonly arrivals: NewConnections;
  readonly workers: Int32Array;
  readonly letters: Int32Array;
}

/** The part of it that a thread needs to attach. */
export interface AdmissionSeed {
  readonly buffer: SharedArrayBuffer;
  readonly maxConnections: number;
  /** A random number. */
  readonly seed: number;
}

function layOut(maxConnections: number, seed: number, words: Words): AdmissionMemory {
  const bySlot = () => words(maxConnections + 1);
  const displacedWords = (maxConnections >> 5) + 1;
  return {
    lock: words(LOCK_WORDS),
    all: createSlotShares({ slots: maxConnections, seed, words }),
    openings: createSlotShares({
      slots: maxConnections,
      units: maxConnections + LONG_OPENING_UNITS,
      seed,
      words,
    }),
    workerOf: bySlot(),
    numberOf: bySlot(),
    openingOf: bySlot(),
    slotOf: bySlot(),
    sinceOf: bySlot(),
    forMemory: bySlot(),
    displaced: words((MAX_WORKERS + 1) * displacedWords),
    displacedWords,
    serverOf: bySlot(),
    servers: words((MAX_WORKERS + 1) * SERVERS_WORDS),
    arrivals: createNewConnections(seed, words),
    workers: words((MAX_WORKERS + 1) * WORKER_WORDS),
    letters: words((MAX_WORKERS + 1) * LETTERS * LETTER_WORDS),
  };
}

/** Makes the memory. Pages that are not used are not allocated by the kernel. */
export function createAdmissionSeed(maxConnections: number, seed: number): AdmissionSeed {
  const none = new Int32Array(0);
  let total = 0;
  layOut(maxConnections, seed, (count) => {
    total += count;
    return none;
  });
  return { buffer: new SharedArrayBuffer(total * 4), maxConnections, seed };
}

export function attachAdmission({ buffer, maxConnections, seed }: AdmissionSeed): AdmissionMemory {
  let at = 0;
  return layOut(maxConnections, seed, (count) => {
    const part = new Int32Array(buffer, at * 4, count);
    at += count;
    return part;
  });
}

/** Gives a slot back, with its slot of `openings`. With the lock. */
export function freeSlot(memory: AdmissionMemory, slot: number): void {
  memory.workerOf[slot] = memory.serverOf[slot] = 0;
  freeOpening(memory, slot);
  releaseSlot(memory.all, slot);
}

/** Gives the slot of `openings` back. With the lock. */
export function freeOpening({ openings, openingOf, slotOf }: AdmissionMemory, slot: number): void {
  const opening = openingOf[slot];
  if (opening === 0) return;
  openingOf[slot] = slotOf[opening] = 0;
  releaseSlot(openings, opening);
}

/**
 * After the end of a worker: frees its slots, and the lock if it died with it. Its letters stay, until it starts again or somebody
 * else takes them. Call it in the main thread.
 */
export function forgetWorker(memory: AdmissionMemory, worker: number): void {
  const { lock, all, openings, workerOf, openingOf, slotOf, displaced, displacedWords, workers } = memory;
  const isBroken = lockAfter(lock, worker, MAIN_THREAD);
  if (isBroken) {
    for (let slot = 1; slot <= all.slots; slot++) if (workerOf[slot] === worker) workerOf[slot] = 0;
    rebuild(all, (slot) => workerOf[slot] !== 0);
    rebuild(openings, (opening) => isOpening(memory, opening));
    for (let slot = 1; slot <= all.slots; slot++) {
      if (slotOf[slot] !== 0 && !isOpening(memory, slot)) slotOf[slot] = 0;
      if (openingOf[slot] !== 0 && slotOf[openingOf[slot]] !== slot) openingOf[slot] = 0;
    }
  } else {
    for (let slot = 1; slot <= all.touchedSlots; slot++)
      if (workerOf[slot] === worker) freeSlot(memory, slot);
  }
  displaced.fill(0, worker * displacedWords, (worker + 1) * displacedWords);
  memory.servers.fill(0, worker * SERVERS_WORDS, (worker + 1) * SERVERS_WORDS);
  workers[worker * WORKER_WORDS + WORKER.OPEN] = workers[worker * WORKER_WORDS + WORKER.TAKES] = 0;
  unlock(lock);
}

const isOpening = ({ workerOf, openingOf, slotOf }: AdmissionMemory, opening: number): boolean =>
  slotOf[opening] !== 0 && workerOf[slotOf[opening]] !== 0 && openingOf[slotOf[opening]] === opening;
