/**
 * Memory for the datagrams that come in fragments, of one side: a record for each datagram, and blocks for what waits. A
 * fragment takes as many blocks as its bytes need, and one still when it has passed, because its place must stay known. When
 * all is in use, datagrams without a first fragment give way, as long as they have more than a quarter, else the others; of
 * either those of the client that has most, in steps of 8 KiB (net/shares.ts). Nothing here looks at packets.
 */
import {
  type SlotShares,
  createSlotShares,
  greediestSlot,
  growSlot,
  releaseSlot,
  takeSlot,
  unitsOf,
  victimFor,
  victimForOwner,
} from '../../../net/shares.ts';
import { COUNTER, type Reason } from '../counters.ts';
import { BLOCK, BLOCK_WORDS, type Blocks, createBlocks, freeChain } from './fragment-blocks.ts';
import { mix } from './tables.ts';

/** Of each side. */
export const MAX_DATAGRAMS = 4095;
export const MAX_BLOCKS = 16_383;
/** The most fragments of a datagram: 64 KiB through a link of the least MTU that IPv4 allows hosts. */
export const MAX_FRAGMENTS = 128;
/** Datagrams whose time is over that one packet may remove. */
const EXPIRED_PER_PACKET = 2;
/** What counts as one in the shares, beside the datagram itself: 8 KiB. */
const UNIT_BLOCKS_SHIFT = 5;

/** Datagrams that have shown a first fragment which may pass, and all others: they are judged apart. */
export const GROUP = { UNPROVEN: 0, PROVEN: 1 } as const;

const KEY_WORDS = 10;
const RECORD_WORDS = 32;
/** Words of a datagram's record. The key comes first: identification, protocol, addresses. */
export const DATAGRAM = {
  STATE: 10,
  STARTED_AT: 11,
  /** Fragments that have come, and their bytes of data. */
  COUNT: 12,
  RECEIVED: 13,
  /** Bytes of the whole datagram's data, once the last fragment has come; else -1. */
  BYTES: 14,
  /** First and last fragment, in the order of their offsets: a block each. */
  FIRST: 15,
  LAST: 16,
  /** How many blocks it has. */
  BLOCKS: 17,
  /** GROUP, and its place there. */
  GROUP: 18,
  SLOT: 19,
  /** In its hash chain; or in the list of unused records. */
  NEXT: 20,
  // What the first fragment has told about the others; see fragments.ts.
  HOST: 21,
  MAPPED_ADDRESS: 25,
  PREFIX_INDEX: 26,
  IS_HAIRPIN: 27,
  PROTOCOL: 28,
  /** Whether its fragments came back in. */
  IS_HAIRPINNED: 29,
} as const;

/** What is known of a datagram. */
export const STATE = {
  /** No first fragment has come, or it cannot be translated before all have. What comes waits. */
  WAITING: 0,
  /** All of it has come, and its first fragment can be translated. */
  WHOLE: 1,
  /** Each fragment is translated as it comes. */
  PASSING: 2,
  /** Its fragments go to the kernel. */
  KERNEL: 3,
  /** Its first fragment was not translated. */
  REFUSED: 4,
  /** Fragments overlapped. */
  SPOILT: 5,
} as const;

export interface FragmentMemory {
  readonly records: Int32Array;
  readonly heads: Int32Array;
  readonly blocks: Blocks;
  /** By GROUP: who has how much, and whose slot is whose. */
  readonly shares: readonly SlotShares[];
  readonly datagramOf: readonly Int32Array[];
  readonly blocksOf: Int32Array;
  readonly maxDatagrams: number;
  readonly seed: number;
  /** Of the datagram that is looked for, and the address of the client that it is from, four words. */
  readonly key: Int32Array;
  readonly client: Int32Array;
  usedRecords: number;
  freeRecord: number;
  datagrams: number;
  /** The datagram whose fragments that waited are given out, and the next of them; 0 when there is none. */
  released: number;
  nextReleased: number;
}

/** `maxDatagrams` is a power of two less one. */
export function createFragmentMemory(
  seed: number,
  maxDatagrams: number = MAX_DATAGRAMS,
  maxBlocks: number = MAX_BLOCKS,
): FragmentMemory {
  const units = maxDatagrams + (maxBlocks >> UNIT_BLOCKS_SHIFT);
  return {
    records: new Int32Array((maxDatagrams + 1) * RECORD_WORDS),
    heads: new Int32Array(maxDatagrams + 1),
    blocks: createBlocks(maxBlocks),
    shares: [0, 1].map(() => createSlotShares({ slots: maxDatagrams, units, seed })),
    datagramOf: [0, 1].map(() => new Int32Array(maxDatagrams + 1)),
    blocksOf: new Int32Array(2),
    maxDatagrams,
    seed,
    key: new Int32Array(KEY_WORDS),
    client: new Int32Array(4),
    usedRecords: 1,
    freeRecord: 0,
    datagrams: 0,
    released: 0,
    nextReleased: 0,
  };
}

/** Where a datagram's record begins in `records`. */
export const recordOffset = (datagram: number): number => datagram * RECORD_WORDS;
export const field = ({ records }: FragmentMemory, datagram: number, word: number): number =>
  records[datagram * RECORD_WORDS + word];
export function setField({ records }: FragmentMemory, datagram: number, word: number, value: number): void {
  records[datagram * RECORD_WORDS + word] = value;
}

function hashOfKey({ seed, heads }: FragmentMemory, words: Int32Array, at: number): number {
  let hash = seed;
  for (let word = 0; word < KEY_WORDS; word++) hash = mix(hash, words[at + word]);
  return hash & (heads.length - 1);
}

/** The datagram with the key in `memory.key`, or 0. */
export function findDatagram(memory: FragmentMemory): number {
  const { records, heads, key } = memory;
  let datagram = heads[hashOfKey(memory, key, 0)];
  for (; datagram !== 0; datagram = records[datagram * RECORD_WORDS + DATAGRAM.NEXT]) {
    const at = datagram * RECORD_WORDS;
    let word = 0;
    while (word < KEY_WORDS && records[at + word] === key[word]) word++;
    if (word === KEY_WORDS) return datagram;
  }
  return 0;
}

/** A record for the datagram with the key in `memory.key`, of `memory.client`; those that give way for it are counted. */
export function addDatagram(memory: FragmentMemory, counters: Float64Array, nowSeconds: number): number {
  const { records, heads, key, client, shares, maxDatagrams } = memory;
  if (memory.datagrams === maxDatagrams) {
    const group = groupToGiveWay(shares[GROUP.UNPROVEN].usedSlots, memory.datagrams, maxDatagrams);
    const slot =
      group === GROUP.UNPROVEN
        ? victimFor(shares[group], 1, client[0], client[1], client[2], client[3])
        : greediestSlot(shares[group]);
    letGiveWay(memory, memory.datagramOf[group][slot], counters);
  }
  const datagram = memory.freeRecord === 0 ? memory.usedRecords++ : memory.freeRecord;
  const at = datagram * RECORD_WORDS;
  if (memory.freeRecord !== 0) memory.freeRecord = records[at + DATAGRAM.NEXT];
  memory.datagrams++;
  records.fill(0, at, at + RECORD_WORDS);
  records.set(key, at);
  records[at + DATAGRAM.STARTED_AT] = nowSeconds;
  records[at + DATAGRAM.BYTES] = -1;
  const hash = hashOfKey(memory, key, 0);
  records[at + DATAGRAM.NEXT] = heads[hash];
  heads[hash] = datagram;
  enter(memory, datagram, GROUP.UNPROVEN, 1);
  return datagram;
}

/** The first fragment of a datagram of `memory.client` may pass: from now on it is judged with others of that kind. */
export function proveDatagram(memory: FragmentMemory, datagram: number): void {
  const { records, shares, blocksOf } = memory;
  const at = datagram * RECORD_WORDS;
  if (records[at + DATAGRAM.GROUP] === GROUP.PROVEN) return;
  const slot = records[at + DATAGRAM.SLOT];
  const units = unitsOf(shares[GROUP.UNPROVEN], slot);
  releaseSlot(shares[GROUP.UNPROVEN], slot);
  blocksOf[GROUP.UNPROVEN] -= records[at + DATAGRAM.BLOCKS];
  blocksOf[GROUP.PROVEN] += records[at + DATAGRAM.BLOCKS];
  enter(memory, datagram, GROUP.PROVEN, units);
}

function enter(
  { records, shares, datagramOf, client }: FragmentMemory,
  datagram: number,
  group: number,
  units: number,
): void {
  // There is a slot for each record, and a unit for each record and each 8 KiB.
  const slot = takeSlot(shares[group], units, client[0], client[1], client[2], client[3]);
  datagramOf[group][slot] = datagram;
  records[datagram * RECORD_WORDS + DATAGRAM.GROUP] = group;
  records[datagram * RECORD_WORDS + DATAGRAM.SLOT] = slot;
}

/** Which of the groups gives way when all of `size` is in use, of which the unproven have so much. */
const groupToGiveWay = (unproven: number, used: number, size: number): number =>
  unproven > size >> 2 || unproven === used ? GROUP.UNPROVEN : GROUP.PROVEN;

function letGiveWay(memory: FragmentMemory, datagram: number, counters: Float64Array): void {
  counters[COUNTER['datagrams-given-up']]++;
  removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-memory']);
}

/** Counts blocks that the datagram has taken, or with a negative number given back. */
export function countBlocks(
  { records, shares, blocksOf }: FragmentMemory,
  datagram: number,
  change: number,
): void {
  const at = datagram * RECORD_WORDS;
  const group = records[at + DATAGRAM.GROUP];
  const slot = records[at + DATAGRAM.SLOT];
  blocksOf[group] += change;
  records[at + DATAGRAM.BLOCKS] += change;
  const units = 1 + (records[at + DATAGRAM.BLOCKS] >> UNIT_BLOCKS_SHIFT) - unitsOf(shares[group], slot);
  if (units !== 0) growSlot(shares[group], slot, units);
}

/** Forgets the datagram; fragments of it that still wait are counted as dropped for this reason. */
export function removeDatagram(
  memory: FragmentMemory,
  datagram: number,
  counters: Float64Array,
  reason: Reason,
): void {
  const { records, heads } = memory;
  const at = datagram * RECORD_WORDS;
  counters[reason] += removeFragments(memory, datagram);
  releaseSlot(memory.shares[records[at + DATAGRAM.GROUP]], records[at + DATAGRAM.SLOT]);
  if (memory.released === datagram) memory.released = 0;
  const hash = hashOfKey(memory, records, at);
  if (heads[hash] === datagram) heads[hash] = records[at + DATAGRAM.NEXT];
  else {
    let other = heads[hash];
    while (records[other * RECORD_WORDS + DATAGRAM.NEXT] !== datagram)
      other = records[other * RECORD_WORDS + DATAGRAM.NEXT];
    records[other * RECORD_WORDS + DATAGRAM.NEXT] = records[at + DATAGRAM.NEXT];
  }
  records[at + DATAGRAM.NEXT] = memory.freeRecord;
  memory.freeRecord = datagram;
  memory.datagrams--;
}

/** Forgets all of a datagram's fragments; how many of them had not passed. */
export function removeFragments(memory: FragmentMemory, datagram: number): number {
  const { records, blocks } = memory;
  const { words } = blocks;
  const at = datagram * RECORD_WORDS;
  let waiting = 0;
  let freed = 0;
  let fragment = records[at + DATAGRAM.FIRST];
  while (fragment !== 0) {
    const next = words[fragment * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
    if (words[fragment * BLOCK_WORDS + BLOCK.BYTES] > 0) waiting++;
    freed += freeChain(blocks, fragment);
    fragment = next;
  }
  records[at + DATAGRAM.FIRST] = records[at + DATAGRAM.LAST] = records[at + DATAGRAM.COUNT] = 0;
  countBlocks(memory, datagram, -freed);
  return waiting;
}

/** Removes some of the datagrams that have been there for longer than so many seconds. */
export function removeExpired(
  memory: FragmentMemory,
  counters: Float64Array,
  nowSeconds: number,
  waitSeconds: number,
): void {
  for (let group = 0; group < memory.shares.length; group++) {
    for (let i = 0; i < EXPIRED_PER_PACKET; i++) {
      const datagram = memory.datagramOf[group][memory.shares[group].oldest];
      const isThere = memory.shares[group].oldest !== 0;
      if (!isThere || nowSeconds - field(memory, datagram, DATAGRAM.STARTED_AT) <= waitSeconds) break;
      removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-timeout']);
    }
  }
}

/** Lets others give way until there are so many free blocks; false when the datagram itself would have to. */
export function makeRoom(
  memory: FragmentMemory,
  counters: Float64Array,
  datagram: number,
  wanted: number,
): boolean {
  const { blocks, shares, records, blocksOf, datagramOf } = memory;
  while (blocks.free < wanted) {
    const group = groupToGiveWay(blocksOf[GROUP.UNPROVEN], blocks.size - blocks.free, blocks.size);
    const isOwn = records[datagram * RECORD_WORDS + DATAGRAM.GROUP] === group;
    const own = records[datagram * RECORD_WORDS + DATAGRAM.SLOT];
    const slot = isOwn ? victimForOwner(shares[group], 1, own) : greediestSlot(shares[group]);
    const loser = datagramOf[group][slot];
    if (loser === datagram || slot === 0) return false;
    letGiveWay(memory, loser, counters);
  }
  return true;
}
