/**
 * Shares limited resources fairly among clients. A client is an IPv4 address, or the /64 of an IPv6 address, because one machine
 * can choose any address of its /64. While there is enough, no client is limited. At the limit, the greediest client loses first:
 *
 * - Resources that can be taken away (connections that have sent nothing yet, stored packets): `takeSlot` and `victimFor`. The
 *   newcomer gets the slot that the greediest client has not used for longest.
 * - Resources that cannot be taken away (ports, sessions, queries in progress): `isWithinShare`. If little is left, clients that
 *   hold much get no more.
 * - Rates: `rate-shares.ts`, by the same rule.
 *
 * Addresses are four big-endian words, IPv4 in its mapped form. No function here allocates or throws, and each takes constant
 * time, whatever clients do. The number 0 means "none". Memory that was never used is never touched.
 */
import { IPV4_CLIENT_BITS, IPV6_CLIENT_BITS, maskOfWord } from './client.ts';
import {
  ALL_NEXT,
  FIRST,
  HELD,
  HOLDER_WORDS,
  NEXT,
  OWNER,
  SLOT_WORDS,
  STATE_WORDS,
  type FixedShares,
  type SlotShares,
  UNITS,
  type Words,
  addHolder,
  append,
  detach,
  findHolder,
  removeHolder,
  setHeld,
  withOwnState,
  withStateIn,
} from './share-records.ts';

export type { SlotShares } from './share-records.ts';

/** A host may hold this many times what is left: one host alone 4/5 of everything, two hosts 4/9 each, and so on. */
export const HOST_SHARE = 4;
/** The same for all addresses of a client together: 16/17 of everything, so that 1/17 is left for others whatever it does. */
export const CLIENT_SHARE = 16;

/**
 * Whether a client that holds `held` may have one more while `left` are free: the dynamic threshold of Choudhury and Hahne
 * (1998). It needs no data about other clients, and one client alone can never use up everything.
 */
export const isWithinShare = (held: number, left: number, share: number): boolean =>
  left > 0 && held < left * share;

export interface SlotSharesOptions {
  /** The number of slots. */
  readonly slots: number;
  /** How much all slots together may hold, for example bytes in steps. Default: one unit per slot. */
  readonly units?: number;
  /** A random number. */
  readonly seed: number;
  readonly ipv4Bits?: number;
  readonly ipv6Bits?: number;
  /** Where the memory comes from, if threads share it: zeroed words. */
  readonly words?: Words;
}

export function createSlotShares(options: SlotSharesOptions): SlotShares {
  const { slots, units = slots, seed, ipv4Bits = IPV4_CLIENT_BITS, ipv6Bits = IPV6_CLIENT_BITS } = options;
  const words = options.words ?? ((count) => new Int32Array(count));
  const hashSize = 1 << (32 - Math.clz32(Math.max(slots, 1)));
  const fixed: FixedShares = {
    slots,
    units,
    seed,
    hashMask: hashSize - 1,
    mask4: maskOfWord(ipv4Bits, 0),
    mask6: Int32Array.from({ length: 4 }, (_, word) => maskOfWord(ipv6Bits, word)),
    records: words((slots + 1) * SLOT_WORDS),
    holders: words((slots + 1) * HOLDER_WORDS),
    heads: words(hashSize),
    rankFirst: words(units + 1),
    rankLast: words(units + 1),
  };
  return options.words === undefined ? withOwnState(fixed) : withStateIn(fixed, words(STATE_WORDS));
}

/** How much the client holds. */
export function heldBy(
  shares: SlotShares,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  const holder = findHolder(shares, word0, word1, word2, word3);
  return holder === 0 ? 0 : shares.holders[holder * HOLDER_WORDS + HELD];
}

/** Takes a slot for the client, with this many units; 0 if there is no room: see `victimFor`. */
export function takeSlot(
  shares: SlotShares,
  units: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  if (shares.usedSlots === shares.slots || shares.usedUnits + units > shares.units) return 0;
  const { records, holders } = shares;
  const holder =
    findHolder(shares, word0, word1, word2, word3) || addHolder(shares, word0, word1, word2, word3);
  let slot = shares.freeSlot;
  if (slot === 0) slot = ++shares.touchedSlots;
  else shares.freeSlot = records[slot * SLOT_WORDS + NEXT];
  const at = slot * SLOT_WORDS;
  records[at + OWNER] = holder;
  records[at + UNITS] = units;
  append(shares, slot);
  shares.usedSlots++;
  shares.usedUnits += units;
  setHeld(shares, holder, holders[holder * HOLDER_WORDS + HELD] + units);
  return slot;
}

/** Takes a slot of `shares` for the client that holds a slot of `others`; 0 if there is no room. */
export function takeSlotForOwner(
  shares: SlotShares,
  units: number,
  others: SlotShares,
  slot: number,
): number {
  const at = others.records[slot * SLOT_WORDS + OWNER] * HOLDER_WORDS;
  const { holders } = others;
  return takeSlot(shares, units, holders[at], holders[at + 1], holders[at + 2], holders[at + 3]);
}

/** Adds units to a slot; false if not enough are left. */
export function growSlot(shares: SlotShares, slot: number, units: number): boolean {
  if (shares.usedUnits + units > shares.units) return false;
  const at = slot * SLOT_WORDS;
  const holder = shares.records[at + OWNER];
  shares.records[at + UNITS] += units;
  shares.usedUnits += units;
  setHeld(shares, holder, shares.holders[holder * HOLDER_WORDS + HELD] + units);
  return true;
}

/** Notes a use of the slot: it becomes the last one of its client to be taken away. */
export function touchSlot(shares: SlotShares, slot: number): void {
  detach(shares, slot);
  append(shares, slot);
}

/** Gives the slot back. */
export function releaseSlot(shares: SlotShares, slot: number): void {
  const { records, holders } = shares;
  const at = slot * SLOT_WORDS;
  const holder = records[at + OWNER];
  const units = records[at + UNITS];
  detach(shares, slot);
  shares.usedSlots--;
  shares.usedUnits -= units;
  setHeld(shares, holder, holders[holder * HOLDER_WORDS + HELD] - units);
  if (holders[holder * HOLDER_WORDS + FIRST] === 0) removeHolder(shares, holder);
  records[at + OWNER] = 0;
  records[at + NEXT] = shares.freeSlot;
  shares.freeSlot = slot;
}

/** The slot that the greediest client has not used for longest; 0 if none is in use. */
export function greediestSlot({ rankFirst, most, holders }: SlotShares): number {
  return most === 0 ? 0 : holders[rankFirst[most] * HOLDER_WORDS + FIRST];
}

/** Whether the slot is held by this client. */
export function isHeldBy(
  shares: SlotShares,
  slot: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean {
  return findHolder(shares, word0, word1, word2, word3) === shares.records[slot * SLOT_WORDS + OWNER];
}

/**
 * The slot to take away for a newcomer of this client with this many units: one of the greediest client, or one of this client if
 * the newcomer would make it the greediest. So a client that holds no more than its fair part (units / clients) loses nothing to
 * others. 0 if no slot is in use.
 */
export function victimFor(
  shares: SlotShares,
  units: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  return victimOf(shares, units, findHolder(shares, word0, word1, word2, word3));
}

/** The same for the owner of this slot, which needs this many more units; the result may be this slot itself. */
export const victimForOwner = (shares: SlotShares, units: number, slot: number): number =>
  victimOf(shares, units, shares.records[slot * SLOT_WORDS + OWNER]);

function victimOf(shares: SlotShares, units: number, holder: number): number {
  const at = holder * HOLDER_WORDS;
  const isGreedy = holder !== 0 && shares.holders[at + HELD] + units >= shares.most;
  return isGreedy ? shares.holders[at + FIRST] : greediestSlot(shares);
}

export const unitsOf = ({ records }: SlotShares, slot: number): number => records[slot * SLOT_WORDS + UNITS];

/** The next slot in the order of last use; 0 after the last. */
export const nextInAge = ({ records }: SlotShares, slot: number): number =>
  records[slot * SLOT_WORDS + ALL_NEXT];

/** The same among the slots of one client. */
export const nextOfClient = ({ records }: SlotShares, slot: number): number =>
  records[slot * SLOT_WORDS + NEXT];

/**
 * Makes the shares consistent again after a thread died in the middle of a change. Only slots that `isTaken` stay, with their
 * owners and units. Their order of use is lost.
 */
export function rebuild(shares: SlotShares, isTaken: (slot: number) => boolean): void {
  const { slots, records, holders } = shares;
  const taken: number[][] = [];
  for (let slot = 1; slot <= slots; slot++) {
    if (!isTaken(slot)) continue;
    const holderAt = records[slot * SLOT_WORDS + OWNER] * HOLDER_WORDS;
    taken.push([slot, unitsOf(shares, slot), ...holders.subarray(holderAt, holderAt + HELD)]);
  }
  shares.heads.fill(0);
  shares.rankFirst.fill(0);
  shares.rankLast.fill(0);
  shares.usedSlots = shares.usedUnits = shares.most = shares.oldest = shares.newest = 0;
  shares.freeSlot = shares.freeHolder = shares.touchedHolders = 0;
  shares.touchedSlots = taken.at(-1)?.[0] ?? 0;
  const isFree = new Uint8Array(slots + 1).fill(1);
  for (const [slot, units, word0, word1, word2, word3] of taken) {
    isFree[slot] = 0;
    shares.freeSlot = slot; // the next slot that is taken
    records[slot * SLOT_WORDS + NEXT] = 0;
    takeSlot(shares, units, word0, word1, word2, word3);
  }
  for (let slot = shares.touchedSlots; slot > 0; slot--) {
    if (isFree[slot] === 0) continue;
    records[slot * SLOT_WORDS + OWNER] = 0;
    records[slot * SLOT_WORDS + NEXT] = shares.freeSlot;
    shares.freeSlot = slot;
  }
}
