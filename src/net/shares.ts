/**
 * Who may have how much of what is finite. A client is an IPv4 address, or the /64 of an IPv6 address: what one machine
 * can choose its addresses from. As long as there is enough, nobody is limited. At the limit the greediest loses first:
 *
 * - What can be taken away (connections that said nothing yet, stored packets): `takeSlot` and `victimFor`. The newcomer
 *   gets the slot that the greediest client has not used for longest.
 * - What cannot (ports, sessions, questions under way): `isWithinShare`. Who holds much gets no more when little is left.
 * - What is a rate: `rate-shares.ts`, by the same rule.
 *
 * Addresses are four big-endian words, IPv4 in its mapped form. No function here allocates or throws, and each
 * takes constant time whatever clients did. Number 0 means "none", and memory that was never used is never touched.
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
  type SlotShares,
  UNITS,
  addHolder,
  append,
  detach,
  findHolder,
  removeHolder,
  setHeld,
} from './share-records.ts';

export type { SlotShares } from './share-records.ts';

/** A host may hold this many times what is left: alone 4/5 of everything; two hosts 4/9 each, and so on. */
export const HOST_SHARE = 4;
/** All addresses of a client together: 16/17 of everything, so that 1/17 is left for others whatever one client does. */
export const CLIENT_SHARE = 16;

/**
 * Whether who holds `held` may have one more while `left` are free: the dynamic threshold of Choudhury and Hahne (1998).
 * It needs to know nobody else, and what is left never becomes nothing on account of one.
 */
export const isWithinShare = (held: number, left: number, share: number): boolean =>
  left > 0 && held < left * share;

export interface SlotSharesOptions {
  /** Slots at most. */
  readonly slots: number;
  /** What the slots together may hold, e.g. bytes in steps; as many as slots where each holds one. */
  readonly units?: number;
  /** A random number. */
  readonly seed: number;
  readonly ipv4Bits?: number;
  readonly ipv6Bits?: number;
}

export function createSlotShares(options: SlotSharesOptions): SlotShares {
  const { slots, units = slots, seed, ipv4Bits = IPV4_CLIENT_BITS, ipv6Bits = IPV6_CLIENT_BITS } = options;
  const hashSize = 1 << (32 - Math.clz32(Math.max(slots, 1)));
  return {
    slots,
    units,
    usedSlots: 0,
    usedUnits: 0,
    most: 0,
    oldest: 0,
    newest: 0,
    seed,
    hashMask: hashSize - 1,
    mask4: maskOfWord(ipv4Bits, 0),
    mask6: Int32Array.from({ length: 4 }, (_, word) => maskOfWord(ipv6Bits, word)),
    records: new Int32Array((slots + 1) * SLOT_WORDS),
    holders: new Int32Array((slots + 1) * HOLDER_WORDS),
    heads: new Int32Array(hashSize),
    rankFirst: new Int32Array(units + 1),
    rankLast: new Int32Array(units + 1),
    freeSlot: 0,
    touchedSlots: 0,
    freeHolder: 0,
    touchedHolders: 0,
  };
}

/** What the client holds. */
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

/** A slot for the client, with so many units; 0 when there is no room: see `victimFor`. */
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

/** Adds units to a slot; false when there are not so many left. */
export function growSlot(shares: SlotShares, slot: number, units: number): boolean {
  if (shares.usedUnits + units > shares.units) return false;
  const at = slot * SLOT_WORDS;
  const holder = shares.records[at + OWNER];
  shares.records[at + UNITS] += units;
  shares.usedUnits += units;
  setHeld(shares, holder, shares.holders[holder * HOLDER_WORDS + HELD] + units);
  return true;
}

/** Notes that the slot is in use: it is the last of its client's to be taken away. */
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

/** The slot that the greediest client has not used for longest; 0 when none is in use. */
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
 * The slot to be taken away for a newcomer of this client with so many units: the greediest's, or the client's own where the
 * newcomer would make it the greediest. So a client that holds no more than its part of all (units / clients) loses nothing
 * to others. 0 when no slot is in use.
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

/** The same for who has this slot already, and wants so many units more; it may be this slot. */
export const victimForOwner = (shares: SlotShares, units: number, slot: number): number =>
  victimOf(shares, units, shares.records[slot * SLOT_WORDS + OWNER]);

function victimOf(shares: SlotShares, units: number, holder: number): number {
  const at = holder * HOLDER_WORDS;
  const isGreedy = holder !== 0 && shares.holders[at + HELD] + units >= shares.most;
  return isGreedy ? shares.holders[at + FIRST] : greediestSlot(shares);
}

export const unitsOf = ({ records }: SlotShares, slot: number): number => records[slot * SLOT_WORDS + UNITS];

/** The slot used next after this one; 0 behind the last. */
export const nextInAge = ({ records }: SlotShares, slot: number): number =>
  records[slot * SLOT_WORDS + ALL_NEXT];

/** The same within the slots of one client. */
export const nextOfClient = ({ records }: SlotShares, slot: number): number =>
  records[slot * SLOT_WORDS + NEXT];
