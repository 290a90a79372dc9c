/**
 * Who of the engine's clients gives way when there is no room for another connection, or for what it says before its server
 * is known (shares.ts). What has said nothing yet, or leads nowhere yet, goes before what is in use.
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
  unitsOf,
  victimFor,
  victimForOwner,
} from './shares.ts';

/** An opening of this size is always heard out, whatever others do: a usual ClientHello has 0.5 to 2 KB. */
export const OPENING_UNIT_BYTES = 4096;
/** What all clients together may have sent beyond that before their servers are known. */
export const LONG_OPENING_UNITS = (32 * 1024 * 1024) / OPENING_UNIT_BYTES;
/** Of the greediest client's connections so many are looked at for the one that has been silent for longest. */
const LOOKED_AT = 8;

export interface Admission {
  readonly all: SlotShares;
  /** Those whose server is not reached yet; units are OPENING_UNIT_BYTES of what they have sent. */
  readonly openings: SlotShares;
  /** By slot of `all`, and of `openings`. */
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

/** False when all connections are taken and nobody has more than one: new clients wait in the backlog. */
export const mayAccept = ({ all }: Admission): boolean => all.usedSlots < all.slots || all.most > 1;

/**
 * At the limit: the connection that has to end so that this client can have one; undefined when it has as much as anybody,
 * and is to be refused.
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

/** Enters a new connection; there must be room. */
export function enter(admission: Admission, connection: Connection, client: Client): void {
  const { word0, word1, word2, word3 } = client;
  connection.slot = takeSlot(admission.all, 1, word0, word1, word2, word3);
  connection.openingSlot = takeSlot(admission.openings, 1, word0, word1, word2, word3);
  admission.opening[connection.openingSlot] = connection;
  admission.connections[connection.slot] = connection;
}

/**
 * Counts what the connection has sent so far. Undefined when there is room for it; else the connection that has to end, which
 * may be itself.
 */
export function openingInTheWay(admission: Admission, connection: Connection): Connection | undefined {
  const { openings, opening } = admission;
  const slot = connection.openingSlot;
  const more = Math.ceil(connection.openingBytes / OPENING_UNIT_BYTES) - unitsOf(openings, slot);
  // One unit is kept for each connection that may yet come.
  const kept = openings.slots - openings.usedSlots;
  const fits = more <= 0 || openings.usedUnits + more + kept <= openings.units;
  if (fits && (more <= 0 || growSlot(openings, slot, more))) return undefined;
  return opening[victimForOwner(openings, more, slot)];
}

/** The server is reached, or never will be. */
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
