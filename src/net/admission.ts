/**
 * Which client of the engine loses a connection when there is no room for another one, or for the first bytes of a connection
 * (shares.ts). Connections whose server is not reached yet are closed before those that are in use.
 */
import type { Connection } from './connection.ts';
import type { Client } from './client.ts';
import {
  type SlotShares,
  createSlotShares,
  greediestSlot,
  growSlot,
  heldBy,
  nextOfClient,
  releaseSlot,
  takeSlot,
  takeSlotForOwner,
  unitsOf,
  victimFor,
  victimForOwner,
} from './shares.ts';

/** There is always room for first bytes up to this size, whatever other clients do: a usual ClientHello has 0.5 to 2 KB. */
export const OPENING_UNIT_BYTES = 4096;
/** How much more all clients together may send before their servers are known. */
export const LONG_OPENING_UNITS = (32 * 1024 * 1024) / OPENING_UNIT_BYTES;
/** How many connections of the greediest client are examined to find the one that has been silent for longest. */
const LOOKED_AT = 8;

export interface Admission {
  readonly all: SlotShares;
  /** Connections whose server is not reached yet. One unit is OPENING_UNIT_BYTES of what they have sent. */
  readonly openings: SlotShares;
  /** `connections` is by slot of `all`, `opening` by slot of `openings`. */
  readonly connections: (Connection | undefined)[];
  readonly opening: (Connection | undefined)[];
}

/** `seed`: a random number. */
export const createAdmission = (maxConnections: number, seed: number): Admission => ({
  all: createSlotShares({ slots: maxConnections, seed }),
  openings: createSlotShares({
    slots: maxConnections,
    units: maxConnections + LONG_OPENING_UNITS,
    seed,
  }),
  connections: [],
  opening: [],
});

/** False if all connections are in use and no client has more than one. New clients then wait in the backlog. */
export const mayAccept = ({ all }: Admission): boolean => all.usedSlots < all.slots || all.most > 1;

/**
 * At the limit: the connection to close so that this client can have one. Undefined if no other client has more: then the new
 * connection must be refused.
 */
export function connectionInTheWay(
  { all, openings, connections, opening }: Admission,
  { word0, word1, word2, word3 }: Client,
  nowMs: number,
): Connection | undefined {
  if (heldBy(openings, word0, word1, word2, word3) + 1 < openings.most)
    return opening[victimFor(openings, 1, word0, word1, word2, word3)];
  if (heldBy(all, word0, word1, word2, word3) + 1 >= all.most) return undefined;
  let slot = greediestSlot(all);
  let idlest = connections[slot];
  for (let i = 1; i < LOOKED_AT && slot !== 0; i++) {
    slot = nextOfClient(all, slot);
    const other = connections[slot];
    if (other !== undefined && idlest !== undefined && nowMs - other.sinceMs > nowMs - idlest.sinceMs)
      idlest = other;
  }
  return idlest;
}

/** Adds a new connection; there must be room. */
export function enter(admission: Admission, connection: Connection, client: Client): void {
  const { word0, word1, word2, word3 } = client;
  connection.slot = takeSlot(admission.all, 1, word0, word1, word2, word3);
  connection.openingSlot = takeSlot(admission.openings, 1, word0, word1, word2, word3);
  admission.opening[connection.openingSlot] = connection;
  admission.connections[connection.slot] = connection;
}

/**
 * Counts the bytes that the connection has sent so far. Undefined if there is room for them; otherwise the connection to close,
 * which may be this one.
 */
export function openingInTheWay(admission: Admission, connection: Connection): Connection | undefined {
  const { openings, opening } = admission;
  const slot = connection.openingSlot;
  const more = Math.ceil(connection.openingBytes / OPENING_UNIT_BYTES) - unitsOf(openings, slot);
  // One unit is reserved for each connection that may still come.
  const kept = openings.slots - openings.usedSlots;
  const fits = more <= 0 || openings.usedUnits + more + kept <= openings.units;
  if (fits && (more <= 0 || growSlot(openings, slot, more))) return undefined;
  return opening[victimForOwner(openings, more, slot)];
}

/** A connection whose server was reached sends first bytes again: those of its next request. */
export function reenterOpenings(admission: Admission, connection: Connection): void {
  connection.openingSlot = takeSlotForOwner(admission.openings, 1, admission.all, connection.slot);
  admission.opening[connection.openingSlot] = connection;
}

/**
 * A connection is another client's: a trusted proxy has said whose it is. It keeps its place, so the client may have one more than
 * its share for a moment; the next new connection then takes it from the greediest.
 */
export function becomeClient(admission: Admission, connection: Connection, client: Client): void {
  leaveOpenings(admission, connection);
  leave(admission, connection);
  enter(admission, connection, client);
}

/** The opening is over: the server is reached, or the connection ends before that. */
export function leaveOpenings(admission: Admission, connection: Connection): void {
  if (connection.openingSlot === 0) return;
  releaseSlot(admission.openings, connection.openingSlot);
  admission.opening[connection.openingSlot] = undefined;
  connection.openingSlot = 0;
}

export function leave(admission: Admission, connection: Connection): void {
  releaseSlot(admission.all, connection.slot);
  admission.connections[connection.slot] = undefined;
  connection.slot = 0;
}
