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
import { mix } from '../runtime/hash.ts';
import { IPV4_CLIENT_BITS, IPV6_CLIENT_BITS, isMapped, maskOfWord } from './client.ts';

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

// Words of a holder's record: the client's address, masked, then these.
const HELD = 4;
/** Its slots, from the one not used for longest to the one used last. */
const FIRST = 5;
const LAST = 6;
/** The next in its hash chain, or of the free records. */
const CHAIN = 7;
/** Its neighbours among those that hold as much. */
const RANK_NEXT = 8;
const RANK_PREVIOUS = 9;
const HOLDER_WORDS = 10;

// Words of a slot's record.
const OWNER = 0;
const UNITS = 1;
/** Its neighbours among the slots of its holder ... */
const NEXT = 2;
const PREVIOUS = 3;
/** ... and among all slots. */
const ALL_NEXT = 4;
const ALL_PREVIOUS = 5;
const SLOT_WORDS = 6;

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

/** Slots 1 to `slots`, held by clients. */
export interface SlotShares {
  readonly slots: number;
  readonly units: number;
  usedSlots: number;
  usedUnits: number;
  /** What the greediest holds. */
  most: number;
  /** The slot not used for longest, whose ever it is; 0 when none is in use. */
  oldest: number;
  newest: number;
  readonly seed: number;
  readonly hashMask: number;
  readonly mask4: number;
  readonly mask6: Int32Array;
  readonly records: Int32Array;
  readonly holders: Int32Array;
  readonly heads: Int32Array;
  /** By what they hold: the holder that came there first, and last. */
  readonly rankFirst: Int32Array;
  readonly rankLast: Int32Array;
  freeSlot: number;
  touchedSlots: number;
  freeHolder: number;
  touchedHolders: number;
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

function hashOf(shares: SlotShares, word0: number, word1: number, word2: number, word3: number): number {
  return mix(mix(mix(mix(shares.seed, word3), word2), word1), word0) & shares.hashMask;
}

function findHolder(shares: SlotShares, word0: number, word1: number, word2: number, word3: number): number {
  const { holders, heads, mask4, mask6 } = shares;
  const isIpv4 = isMapped(word0, word1, word2);
  const key0 = isIpv4 ? word0 : word0 & mask6[0];
  const key1 = isIpv4 ? word1 : word1 & mask6[1];
  const key2 = isIpv4 ? word2 : word2 & mask6[2];
  const key3 = word3 & (isIpv4 ? mask4 : mask6[3]);
  let holder = heads[hashOf(shares, key0, key1, key2, key3)];
  while (holder !== 0) {
    const at = holder * HOLDER_WORDS;
    if (
      holders[at] === key0 &&
      holders[at + 1] === key1 &&
      holders[at + 2] === key2 &&
      holders[at + 3] === key3
    )
      return holder;
    holder = holders[at + CHAIN];
  }
  return 0;
}

function addHolder(shares: SlotShares, word0: number, word1: number, word2: number, word3: number): number {
  const { holders, heads, mask4, mask6 } = shares;
  let holder = shares.freeHolder;
  if (holder === 0) holder = ++shares.touchedHolders;
  else shares.freeHolder = holders[holder * HOLDER_WORDS + CHAIN];
  const at = holder * HOLDER_WORDS;
  const isIpv4 = isMapped(word0, word1, word2);
  holders[at] = isIpv4 ? word0 : word0 & mask6[0];
  holders[at + 1] = isIpv4 ? word1 : word1 & mask6[1];
  holders[at + 2] = isIpv4 ? word2 : word2 & mask6[2];
  holders[at + 3] = word3 & (isIpv4 ? mask4 : mask6[3]);
  holders[at + HELD] = holders[at + FIRST] = holders[at + LAST] = 0;
  const hash = hashOf(shares, holders[at], holders[at + 1], holders[at + 2], holders[at + 3]);
  holders[at + CHAIN] = heads[hash];
  heads[hash] = holder;
  return holder;
}

function removeHolder(shares: SlotShares, holder: number): void {
  const { holders, heads } = shares;
  const at = holder * HOLDER_WORDS;
  const hash = hashOf(shares, holders[at], holders[at + 1], holders[at + 2], holders[at + 3]);
  let before = heads[hash];
  if (before === holder) heads[hash] = holders[at + CHAIN];
  else {
    while (holders[before * HOLDER_WORDS + CHAIN] !== holder) before = holders[before * HOLDER_WORDS + CHAIN];
    holders[before * HOLDER_WORDS + CHAIN] = holders[at + CHAIN];
  }
  holders[at + CHAIN] = shares.freeHolder;
  shares.freeHolder = holder;
}

/** Moves the holder to the rank of what it holds now. Nobody is in rank 0. */
function setHeld(shares: SlotShares, holder: number, held: number): void {
  const { holders, rankFirst, rankLast } = shares;
  const at = holder * HOLDER_WORDS;
  const before = holders[at + HELD];
  if (before === held) return;
  if (before > 0) {
    const next = holders[at + RANK_NEXT];
    const previous = holders[at + RANK_PREVIOUS];
    if (previous === 0) rankFirst[before] = next;
    else holders[previous * HOLDER_WORDS + RANK_NEXT] = next;
    if (next === 0) rankLast[before] = previous;
    else holders[next * HOLDER_WORDS + RANK_PREVIOUS] = previous;
  }
  holders[at + HELD] = held;
  if (held > 0) {
    const last = rankLast[held];
    holders[at + RANK_NEXT] = 0;
    holders[at + RANK_PREVIOUS] = last;
    if (last === 0) rankFirst[held] = holder;
    else holders[last * HOLDER_WORDS + RANK_NEXT] = holder;
    rankLast[held] = holder;
  }
  if (held > shares.most) shares.most = held;
  // At most as many steps as the slot had units: the holder itself is there, unless it holds nothing more.
  while (shares.most > 0 && rankFirst[shares.most] === 0) shares.most--;
}

/** Puts the slot behind all others. */
function append(shares: SlotShares, slot: number): void {
  const { records, holders } = shares;
  const at = slot * SLOT_WORDS;
  const holderAt = records[at + OWNER] * HOLDER_WORDS;
  const last = holders[holderAt + LAST];
  records[at + NEXT] = 0;
  records[at + PREVIOUS] = last;
  if (last === 0) holders[holderAt + FIRST] = slot;
  else records[last * SLOT_WORDS + NEXT] = slot;
  holders[holderAt + LAST] = slot;

  records[at + ALL_NEXT] = 0;
  records[at + ALL_PREVIOUS] = shares.newest;
  if (shares.newest === 0) shares.oldest = slot;
  else records[shares.newest * SLOT_WORDS + ALL_NEXT] = slot;
  shares.newest = slot;
}

function detach(shares: SlotShares, slot: number): void {
  const { records, holders } = shares;
  const at = slot * SLOT_WORDS;
  const holderAt = records[at + OWNER] * HOLDER_WORDS;
  const next = records[at + NEXT];
  const previous = records[at + PREVIOUS];
  if (previous === 0) holders[holderAt + FIRST] = next;
  else records[previous * SLOT_WORDS + NEXT] = next;
  if (next === 0) holders[holderAt + LAST] = previous;
  else records[next * SLOT_WORDS + PREVIOUS] = previous;

  const allNext = records[at + ALL_NEXT];
  const allPrevious = records[at + ALL_PREVIOUS];
  if (allPrevious === 0) shares.oldest = allNext;
  else records[allPrevious * SLOT_WORDS + ALL_NEXT] = allNext;
  if (allNext === 0) shares.newest = allPrevious;
  else records[allNext * SLOT_WORDS + ALL_PREVIOUS] = allPrevious;
}
