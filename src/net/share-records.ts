/**
 * The memory of shares.ts: records of slots and of the clients that hold them. Clients are found by a hash; slots are ordered by
 * their last use, and clients by how much they hold. Nothing here decides who loses a slot.
 */
import { mix } from '../runtime/hash.ts';
import { isMapped } from './client.ts';

// Words of the record of a holder: the masked address of the client, then these.
export const HELD = 4;
/** Its slots, from the least recently used one to the most recently used one. */
export const FIRST = 5;
const LAST = 6;
/** The next record in its hash chain, or in the list of free records. */
const CHAIN = 7;
/** Its neighbours among the holders that hold the same amount. */
const RANK_NEXT = 8;
const RANK_PREVIOUS = 9;
export const HOLDER_WORDS = 10;

// Words of the record of a slot.
export const OWNER = 0;
export const UNITS = 1;
/** Its neighbours among the slots of its holder. */
export const NEXT = 2;
const PREVIOUS = 3;
/** Its neighbours among all slots. */
export const ALL_NEXT = 4;
const ALL_PREVIOUS = 5;
export const SLOT_WORDS = 6;

/** Makes zeroed memory. */
export type Words = (count: number) => Int32Array;

/** What does not change: sizes and memory. */
export interface FixedShares {
  readonly slots: number;
  readonly units: number;
  readonly seed: number;
  readonly hashMask: number;
  readonly mask4: number;
  readonly mask6: Int32Array;
  readonly records: Int32Array;
  readonly holders: Int32Array;
  readonly heads: Int32Array;
  /** By amount held (rank): the holder that came to this rank first, and the one that came last. */
  readonly rankFirst: Int32Array;
  readonly rankLast: Int32Array;
}

/** Slots 1 to `slots`, held by clients. */
export interface SlotShares extends FixedShares {
  usedSlots: number;
  usedUnits: number;
  /** How much the greediest client holds. */
  most: number;
  /** The least recently used slot of all clients; 0 if none is in use. */
  oldest: number;
  newest: number;
  freeSlot: number;
  touchedSlots: number;
  freeHolder: number;
  touchedHolders: number;
}

/** The shares of one thread. */
export const withOwnState = (fixed: FixedShares): SlotShares => ({
  ...fixed,
  usedSlots: 0,
  usedUnits: 0,
  most: 0,
  oldest: 0,
  newest: 0,
  freeSlot: 0,
  touchedSlots: 0,
  freeHolder: 0,
  touchedHolders: 0,
});

/** The changing numbers of shares that several threads use. */
export const STATE_WORDS = 9;

/** The changing numbers in shared memory. They are in a prototype: V8 inlines accessors only if all objects have the same ones. */
const inMemory: Omit<SlotShares, keyof FixedShares> & ThisType<{ readonly state: Int32Array }> = {
  get usedSlots() {
    return this.state[0];
  },
  set usedSlots(value: number) {
    this.state[0] = value;
  },
  get usedUnits() {
    return this.state[1];
  },
  set usedUnits(value: number) {
    this.state[1] = value;
  },
  get most() {
    return this.state[2];
  },
  set most(value: number) {
    this.state[2] = value;
  },
  get oldest() {
    return this.state[3];
  },
  set oldest(value: number) {
    this.state[3] = value;
  },
  get newest() {
    return this.state[4];
  },
  set newest(value: number) {
    this.state[4] = value;
  },
  get freeSlot() {
    return this.state[5];
  },
  set freeSlot(value: number) {
    this.state[5] = value;
  },
  get touchedSlots() {
    return this.state[6];
  },
  set touchedSlots(value: number) {
    this.state[6] = value;
  },
  get freeHolder() {
    return this.state[7];
  },
  set freeHolder(value: number) {
    this.state[7] = value;
  },
  get touchedHolders() {
    return this.state[8];
  },
  set touchedHolders(value: number) {
    this.state[8] = value;
  },
};

/** The shares of several threads. */
export const withStateIn = (fixed: FixedShares, state: Int32Array): SlotShares =>
  Object.assign(Object.create(inMemory) as SlotShares, fixed, { state });

function hashOf(shares: SlotShares, word0: number, word1: number, word2: number, word3: number): number {
  return mix(mix(mix(mix(shares.seed, word3), word2), word1), word0) & shares.hashMask;
}

/** The record of the client; 0 if it holds nothing. */
export function findHolder(
  shares: SlotShares,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
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

/** Adds a record for a client that has none. */
export function addHolder(
  shares: SlotShares,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
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

/** Removes the record of a client that has no slot left. */
export function removeHolder(shares: SlotShares, holder: number): void {
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

/** Moves the holder to the rank for the amount that it holds now. Rank 0 is always empty. */
export function setHeld(shares: SlotShares, holder: number, held: number): void {
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
  // At most as many steps as the slot had units: at the latest the loop ends at the rank of this holder, or at 0.
  while (shares.most > 0 && rankFirst[shares.most] === 0) shares.most--;
}

/** Adds the slot at the end of both orders: that of its holder, and that of all slots. */
export function append(shares: SlotShares, slot: number): void {
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

/** Removes the slot from both orders: that of its holder, and that of all slots. */
export function detach(shares: SlotShares, slot: number): void {
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
