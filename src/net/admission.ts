/**
 * Which client of the engine loses a connection when there is no room for another one, or for the first bytes of a connection
 * (shares.ts). Connections whose server is not reached yet are closed before those that are in use. The workers of a service
 * count together (admission-memory.ts): a worker that needs a slot takes it from a connection of any worker, at once, and the
 * worker of that connection closes it later.
 */
import {
  type AdmissionMemory,
  OPENING_UNIT_BYTES,
  SERVER,
  WORKER,
  WORKER_WORDS,
  attachAdmission,
  createAdmissionSeed,
  freeOpening,
  freeSlot,
  ring,
} from './admission-memory.ts';
import type { Connection } from './connection.ts';
import { type Client, createClient } from './client.ts';
import { type Holders, listHolders } from './holders.ts';
import { lock, unlock } from './lock.ts';
import { serverSum } from './server-counts.ts';
import { readOwner } from './share-records.ts';
import {
  greediestSlot,
  growSlot,
  heldBy,
  nextOfClient,
  takeSlot,
  takeSlotForOwner,
  unitsOf,
  victimFor,
  victimForOwner,
} from './shares.ts';
import type { ConnectionLimits } from './timeouts.ts';

/** How many connections of the greediest client are examined to find the one that has been silent for longest. */
const LOOKED_AT = 8;

export interface Admission {
  readonly memory: AdmissionMemory;
  /** The number of this worker. */
  readonly worker: number;
  /** Other workers use the memory, too. */
  isShared: boolean;
  /** The connections of this worker, by slot. */
  readonly connections: (Connection | undefined)[];
  /** A connection of this worker that lost its slot in `enter` or `takesPlace`, to be closed by the caller. */
  displaced: Connection | undefined;
  /** The client that lost a slot last, and whether that was not noted yet (`closeDisplaced`). */
  readonly loser: Client;
  hasLoser: boolean;
  /** As configured, and no more than there are slots. */
  maxConnections: number;
}

/** `isShared`: other workers use the memory, too. */
export const createAdmission = (memory: AdmissionMemory, worker: number, isShared: boolean): Admission => ({
  memory,
  worker,
  isShared,
  connections: [],
  displaced: undefined,
  loser: createClient(),
  hasLoser: false,
  maxConnections: memory.all.slots,
});

/** For one thread. `seed`: a random number. */
export const createOwnAdmission = (maxConnections: number, seed: number): Admission =>
  createAdmission(attachAdmission(createAdmissionSeed(maxConnections, seed)), 1, false);

/** Before and after a change of the memory. */
export function begin({ isShared, memory, worker }: Admission): void {
  if (isShared) lock(memory.lock, worker);
}

export function end({ isShared, memory }: Admission): void {
  if (isShared) unlock(memory.lock);
}

/** False if all connections are in use and no client has more than one. New clients then wait in the backlog. */
export const mayAccept = ({ memory: { all }, maxConnections }: Admission): boolean =>
  all.usedSlots < maxConnections || all.most > 1;

/** How many connections the client has. */
export function connectionsOf(admission: Admission, { word0, word1, word2, word3 }: Client): number {
  begin(admission);
  const held = heldBy(admission.memory.all, word0, word1, word2, word3);
  end(admission);
  return held;
}

/** Whether no other worker has taken the slot of this connection away. */
export const holdsSlot = (
  { memory: { workerOf, numberOf }, worker }: Admission,
  { slot, number }: Connection,
): boolean => slot !== 0 && workerOf[slot] === worker && numberOf[slot] === number;

/** The connection of this worker that holds the slot. */
function ownConnection(admission: Admission, slot: number): Connection | undefined {
  const connection = admission.connections[slot];
  return connection !== undefined && holdsSlot(admission, connection) ? connection : undefined;
}

/**
 * Adds a new connection. At the limit, it takes the slot of a connection of the client that has most: one of this worker is then
 * in `displaced`. False if no other client has more: the new connection must be refused.
 */
export function enter(admission: Admission, connection: Connection, client: Client, nowMs: number): boolean {
  const { memory, worker } = admission;
  let rung = 0;
  begin(admission);
  if (memory.all.usedSlots >= admission.maxConnections) {
    const slot = slotInTheWay(admission, client, nowMs);
    if (slot === 0) {
      end(admission);
      return false;
    }
    rung = displace(admission, slot, 0);
  }
  occupy(admission, connection, client, nowMs);
  end(admission);
  memory.workers[worker * WORKER_WORDS + WORKER.OPEN]++;
  admission.displaced = place(admission, connection);
  if (rung !== 0) ring(memory, rung);
  return true;
}

/** Takes the slots of a connection whose server is not reached yet; there is room. With the lock. */
function occupy(
  { memory, worker }: Admission,
  connection: Connection,
  { word0, word1, word2, word3 }: Client,
  sinceMs: number,
): void {
  const { all, openings, workerOf, numberOf, openingOf, slotOf, sinceOf } = memory;
  const slot = takeSlot(all, 1, word0, word1, word2, word3);
  const opening = takeSlot(openings, 1, word0, word1, word2, word3);
  openingOf[slot] = opening;
  slotOf[opening] = slot;
  numberOf[slot] = connection.number;
  sinceOf[slot] = sinceMs;
  workerOf[slot] = worker;
  connection.slot = slot;
  connection.openingSlot = opening;
}

/**
 * Keeps the connection at its slot. The slot was free before, so the connection that this worker had there has lost it, now or
 * earlier: that one is the result.
 */
function place({ connections }: Admission, connection: Connection): Connection | undefined {
  const lost = connections[connection.slot];
  connections[connection.slot] = connection;
  return lost;
}

/**
 * At the limit: the slot to take away so that this client can have one. 0 if no other client has more. With the lock.
 */
function slotInTheWay(admission: Admission, { word0, word1, word2, word3 }: Client, nowMs: number): number {
  const { all, openings, slotOf } = admission.memory;
  if (heldBy(openings, word0, word1, word2, word3) + 1 < openings.most)
    return slotOf[victimFor(openings, 1, word0, word1, word2, word3)];
  if (heldBy(all, word0, word1, word2, word3) + 1 >= all.most) return 0;
  let slot = greediestSlot(all);
  let idlest = slot;
  let silentMs = silentFor(admission, slot, nowMs);
  for (let i = 1; i < LOOKED_AT; i++) {
    slot = nextOfClient(all, slot);
    if (slot === 0) break;
    const otherMs = silentFor(admission, slot, nowMs);
    if (otherMs <= silentMs) continue;
    idlest = slot;
    silentMs = otherMs;
  }
  return idlest;
}

function silentFor(admission: Admission, slot: number, nowMs: number): number {
  const sinceMs = ownConnection(admission, slot)?.sinceMs ?? admission.memory.sinceOf[slot];
  return (nowMs - sinceMs) | 0;
}

/** Takes the slot away from its connection. The number of the worker to ring for, if it is another one. With the lock. */
function displace(admission: Admission, slot: number, forMemory: number): number {
  const { memory, worker } = admission;
  const other = memory.workerOf[slot];
  readOwner(memory.all, slot, admission.loser);
  admission.hasLoser = true;
  freeSlot(memory, slot);
  if (other === worker) return 0;
  memory.forMemory[slot] = forMemory;
  Atomics.or(memory.displaced, other * memory.displacedWords + (slot >> 5), 1 << (slot & 31));
  return other;
}

const asking = createClient();

/**
 * The server of this connection has its share: the connection takes the place of another one, whose client has more, and which
 * holds nothing of a server, or of a server that has at least as much. One of this worker is then in `displaced`. False if there is
 * none. At a configured limit, only one of the same server helps.
 */
export function takesPlace(
  admission: Admission,
  connection: Connection,
  { connectionsPerServer }: ConnectionLimits,
  nowMs: number,
): boolean {
  const { memory, worker, connections } = admission;
  const server = connection.hostAt + 1;
  const open = serverSum(admission, connection.hostAt, SERVER.OPEN);
  const isCapped = connectionsPerServer !== undefined && open > connectionsPerServer;
  let rung = 0;
  begin(admission);
  readOwner(memory.all, connection.slot, asking);
  const slot = holdsSlot(admission, connection) ? slotInTheWay(admission, asking, nowMs) : 0;
  const other = memory.serverOf[slot];
  const mayTake =
    slot !== 0 &&
    slot !== connection.slot &&
    (other === server ||
      (!isCapped && (other === 0 || serverSum(admission, other - 1, SERVER.OPEN) >= open)));
  if (mayTake) {
    if (memory.workerOf[slot] === worker) {
      admission.displaced = connections[slot];
      connections[slot] = undefined;
    }
    rung = displace(admission, slot, 0);
  }
  end(admission);
  if (rung !== 0) ring(memory, rung);
  return mayTake;
}

/** Lists those with most. */
export function listShares(admission: Admission, holders: Holders): void {
  begin(admission);
  listHolders(holders, admission.memory.all, admission.memory.openings);
  end(admission);
}

/**
 * Counts the bytes that the connection has sent so far. Undefined if there is room for them; otherwise the connection of this
 * worker to close, which may be this one.
 */
export function openingInTheWay(admission: Admission, connection: Connection): Connection | undefined {
  const { memory } = admission;
  const { openings, slotOf } = memory;
  let rung = 0;
  let inTheWay: Connection | undefined;
  begin(admission);
  if (!holdsSlot(admission, connection)) inTheWay = connection;
  else {
    const slot = connection.openingSlot;
    const more = Math.ceil(connection.openingBytes / OPENING_UNIT_BYTES) - unitsOf(openings, slot);
    while (!hasGrown(memory, slot, more)) {
      const victim = slotOf[victimForOwner(openings, more, slot)];
      inTheWay = ownConnection(admission, victim);
      if (inTheWay !== undefined) break;
      rung |= 1 << displace(admission, victim, 1);
    }
  }
  end(admission);
  for (let worker = 1; rung >> worker > 0; worker++) if ((rung & (1 << worker)) !== 0) ring(memory, worker);
  return inTheWay;
}

function hasGrown({ openings }: AdmissionMemory, slot: number, more: number): boolean {
  if (more <= 0) return true;
  // One unit is reserved for each connection that may still come.
  const kept = openings.slots - openings.usedSlots;
  return openings.usedUnits + more + kept <= openings.units && growSlot(openings, slot, more);
}

/**
 * A connection whose server was reached sends first bytes again: those of its next request. False if another worker has taken its
 * slot away.
 */
export function reenterOpenings(admission: Admission, connection: Connection): boolean {
  const { openings, all, openingOf, slotOf } = admission.memory;
  const { slot } = connection;
  begin(admission);
  const isHeld = holdsSlot(admission, connection);
  if (isHeld) {
    const opening = takeSlotForOwner(openings, 1, all, slot);
    openingOf[slot] = opening;
    slotOf[opening] = slot;
    connection.openingSlot = opening;
  }
  end(admission);
  return isHeld;
}

/**
 * A connection is another client's: a trusted proxy has said whose it is. It keeps its place, so the client may have one more than
 * its share for a moment; the next new connection then takes it from the greediest. The result: a connection of this worker that
 * has lost its slot before, to be closed by the caller.
 */
export function becomeClient(
  admission: Admission,
  connection: Connection,
  client: Client,
): Connection | undefined {
  const before = connection.slot;
  begin(admission);
  if (!holdsSlot(admission, connection)) {
    end(admission);
    return undefined; // it is about to be closed
  }
  freeSlot(admission.memory, before);
  occupy(admission, connection, client, connection.sinceMs);
  end(admission);
  admission.connections[before] = undefined;
  return place(admission, connection);
}

/** The opening is over: the server is reached, or the connection ends before that. */
export function leaveOpenings(admission: Admission, connection: Connection): void {
  if (connection.openingSlot === 0) return;
  begin(admission);
  if (holdsSlot(admission, connection)) freeOpening(admission.memory, connection.slot);
  end(admission);
  connection.openingSlot = 0;
}

export function leave(admission: Admission, connection: Connection): void {
  const { memory, worker, connections } = admission;
  const { slot } = connection;
  begin(admission);
  if (holdsSlot(admission, connection)) freeSlot(memory, slot);
  end(admission);
  memory.workers[worker * WORKER_WORDS + WORKER.OPEN]--;
  if (connections[slot] === connection) connections[slot] = undefined;
  connection.slot = 0;
}

/** Lets the other workers know since when the connection is silent. */
export function publishSilence(admission: Admission, connection: Connection): void {
  if (holdsSlot(admission, connection)) admission.memory.sinceOf[connection.slot] = connection.sinceMs;
}

/**
 * A connection of this worker whose slot another worker has taken away, and that is still to be closed; undefined if there is none.
 */
export function nextDisplaced({ memory, worker, connections }: Admission): Connection | undefined {
  const { displaced, displacedWords, workerOf, numberOf } = memory;
  const from = worker * displacedWords;
  for (let at = from; at < from + displacedWords; at++) {
    while (displaced[at] !== 0) {
      const bit = 31 - Math.clz32(displaced[at]);
      Atomics.and(displaced, at, ~(1 << bit));
      const slot = ((at - from) << 5) + bit;
      const connection = connections[slot];
      // The slot may belong to a newer connection of this worker, which has closed the older one.
      if (connection === undefined || (workerOf[slot] === worker && numberOf[slot] === connection.number))
        continue;
      return connection;
    }
  }
  return undefined;
}

/** Whether a displaced connection had to go for the memory of first bytes. */
export const wasForMemory = ({ memory }: Admission, slot: number): boolean => memory.forMemory[slot] !== 0;
