/**
 * Memory for the datagrams that come in fragments, of one side: a record for each datagram, and blocks for what waits. A
 * fragment takes as many blocks as its bytes need, and one still when it has passed, because its place must stay known. When
 * all is in use, datagrams without a first fragment give way first, as far as they have more than a quarter of the memory;
 * among the others, in either case, those of the greediest client do (fragment-shares.ts). Nothing here looks at packets.
 */
import { foldSum } from '../../wire/checksum.ts';
import { COUNTER, type Verdict } from './counters.ts';
import {
  BLOCK,
  BLOCK_WORDS,
  type Blocks,
  blocksFor,
  copyChain,
  createBlocks,
  freeChain,
  keepBytes,
  sumOfChain,
} from './fragment-blocks.ts';
import { GROUP, type Shares, charge, createShares, give, greediest, takeAway } from './fragment-shares.ts';
import { HEADROOM_BYTES } from './packet.ts';
import { mix } from './tables.ts';

/** Of each side. */
export const MAX_DATAGRAMS = 4095;
export const MAX_BLOCKS = 16_383;
/** The most fragments of a datagram: 64 KiB through a link of the least MTU that IPv4 allows hosts. */
export const MAX_FRAGMENTS = 128;
/** Datagrams whose time is over that one packet may remove. */
const EXPIRED_PER_PACKET = 4;

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
  /** What it counts as in the shares. */
  UNITS: 17,
  /** Neighbours in the order of arrival. */
  BEFORE: 18,
  AFTER: 19,
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
  readonly shares: Shares;
  readonly maxDatagrams: number;
  readonly seed: number;
  /** Of the datagram that is looked for. */
  readonly key: Int32Array;
  usedRecords: number;
  freeRecord: number;
  datagrams: number;
  oldest: number;
  newest: number;
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
  return {
    records: new Int32Array((maxDatagrams + 1) * RECORD_WORDS),
    heads: new Int32Array(maxDatagrams + 1),
    blocks: createBlocks(maxBlocks),
    shares: createShares(maxDatagrams, seed),
    maxDatagrams,
    seed,
    key: new Int32Array(KEY_WORDS),
    usedRecords: 1,
    freeRecord: 0,
    datagrams: 0,
    oldest: 0,
    newest: 0,
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

/** A record for the datagram with the key in `memory.key`; those that give way for it are counted. */
export function addDatagram(
  memory: FragmentMemory,
  counters: Float64Array,
  owner0: number,
  owner1: number,
  nowSeconds: number,
): number {
  const { records, heads, key } = memory;
  if (memory.datagrams === memory.maxDatagrams)
    letGiveWay(memory, victim(memory, memory.maxDatagrams), counters);
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
  records[at + DATAGRAM.BEFORE] = memory.newest;
  if (memory.newest === 0) memory.oldest = datagram;
  else records[memory.newest * RECORD_WORDS + DATAGRAM.AFTER] = datagram;
  memory.newest = datagram;
  records[at + DATAGRAM.UNITS] = 1;
  give(memory.shares, datagram, GROUP.UNPROVEN, owner0, owner1, 1);
  return datagram;
}

/** Its first fragment may pass: from now on it is judged with others of that kind. */
export function proveDatagram(
  { shares, records }: FragmentMemory,
  datagram: number,
  owner0: number,
  owner1: number,
): void {
  const units = records[datagram * RECORD_WORDS + DATAGRAM.UNITS];
  takeAway(shares, datagram, units);
  give(shares, datagram, GROUP.PROVEN, owner0, owner1, units);
}

/** Who gives way when there is no more of something of which there is so much. */
function victim({ shares }: FragmentMemory, size: number): number {
  const reserve = size >> 2;
  const isUnproven = shares.unitsOf[GROUP.UNPROVEN] > reserve || shares.unitsOf[GROUP.PROVEN] === 0;
  return greediest(shares, isUnproven ? GROUP.UNPROVEN : GROUP.PROVEN);
}

function letGiveWay(memory: FragmentMemory, datagram: number, counters: Float64Array): void {
  counters[COUNTER['datagrams-given-up']]++;
  removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-memory']);
}

/** Forgets the datagram; fragments of it that still wait are counted as dropped for this reason. */
export function removeDatagram(
  memory: FragmentMemory,
  datagram: number,
  counters: Float64Array,
  reason: Verdict,
): void {
  const { records, heads } = memory;
  const at = datagram * RECORD_WORDS;
  counters[reason] += removeFragments(memory, datagram);
  takeAway(memory.shares, datagram, records[at + DATAGRAM.UNITS]);
  if (memory.released === datagram) memory.released = 0;
  const hash = hashOfKey(memory, records, at);
  if (heads[hash] === datagram) heads[hash] = records[at + DATAGRAM.NEXT];
  else {
    let other = heads[hash];
    while (records[other * RECORD_WORDS + DATAGRAM.NEXT] !== datagram)
      other = records[other * RECORD_WORDS + DATAGRAM.NEXT];
    records[other * RECORD_WORDS + DATAGRAM.NEXT] = records[at + DATAGRAM.NEXT];
  }
  const before = records[at + DATAGRAM.BEFORE];
  const after = records[at + DATAGRAM.AFTER];
  if (before === 0) memory.oldest = after;
  else records[before * RECORD_WORDS + DATAGRAM.AFTER] = after;
  if (after === 0) memory.newest = before;
  else records[after * RECORD_WORDS + DATAGRAM.BEFORE] = before;
  records[at + DATAGRAM.NEXT] = memory.freeRecord;
  memory.freeRecord = datagram;
  memory.datagrams--;
}

/** Forgets all of a datagram's fragments; how many of them had not passed. */
export function removeFragments(memory: FragmentMemory, datagram: number): number {
  const { records, blocks, shares } = memory;
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
  records[at + DATAGRAM.UNITS] -= freed;
  charge(shares, datagram, -freed);
  return waiting;
}

/** Removes some of the datagrams that have been there for longer than so many seconds. */
export function removeExpired(
  memory: FragmentMemory,
  counters: Float64Array,
  nowSeconds: number,
  waitSeconds: number,
): void {
  for (let i = 0; i < EXPIRED_PER_PACKET && memory.oldest !== 0; i++) {
    if (nowSeconds - field(memory, memory.oldest, DATAGRAM.STARTED_AT) <= waitSeconds) return;
    removeDatagram(memory, memory.oldest, counters, COUNTER['drop-fragment-timeout']);
  }
}

/** Where a fragment belongs: behind the fragment returned (0: first of all), or one of the reasons not to take it. */
export const PLACE = { DUPLICATE: -1, OVERLAP: -2, TOO_MANY: -3 } as const;

/**
 * The place of a fragment from byte `from` up to `to` of the datagram's data. One that has exactly the bounds of another is
 * its copy; any other that covers the same bytes, or contradicts where the datagram ends, overlaps (RFC 5722).
 */
export function placeOf(
  { records, blocks: { words } }: FragmentMemory,
  datagram: number,
  from: number,
  to: number,
  hasMore: boolean,
): number {
  const at = datagram * RECORD_WORDS;
  const last = records[at + DATAGRAM.LAST];
  const bytes = records[at + DATAGRAM.BYTES];
  const range = (fragment: number): number => words[fragment * BLOCK_WORDS + BLOCK.RANGE];
  let before = 0;
  let next = records[at + DATAGRAM.FIRST];
  if (last !== 0 && (range(last) & 0xffff) <= from) {
    // Most come in order.
    before = last;
    next = 0;
  }
  while (next !== 0 && range(next) >>> 16 < from) {
    before = next;
    next = words[next * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
  }
  if (next !== 0 && range(next) === ((from << 16) | to)) return PLACE.DUPLICATE;
  const overlaps =
    (before !== 0 && (range(before) & 0xffff) > from) || (next !== 0 && range(next) >>> 16 < to);
  const isBehindEnd = bytes !== -1 && (to > bytes || !hasMore);
  const leavesSomeBehind = !hasMore && last !== 0 && (range(last) & 0xffff) > to;
  if (overlaps || isBehindEnd || leavesSomeBehind) return PLACE.OVERLAP;
  return records[at + DATAGRAM.COUNT] === MAX_FRAGMENTS ? PLACE.TOO_MANY : before;
}

/**
 * Enters a fragment behind `before`, with the `bytes` of its packet, or none when it passes at once. False when there is no
 * room, because nobody is greedier than the datagram itself.
 */
export function addFragment(
  memory: FragmentMemory,
  counters: Float64Array,
  datagram: number,
  before: number,
  range: number,
  bytes: Uint8Array | undefined,
  dataAt: number,
): boolean {
  const { records, blocks } = memory;
  const { words } = blocks;
  const wanted = blocksFor(bytes?.length ?? 0);
  if (!makeRoom(memory, counters, datagram, wanted)) return false;
  const fragment = keepBytes(blocks, bytes);
  const at = fragment * BLOCK_WORDS;
  const recordAt = datagram * RECORD_WORDS;
  words[at + BLOCK.RANGE] = range;
  words[at + BLOCK.BYTES] = bytes?.length ?? 0;
  words[at + BLOCK.DATA_AT] = dataAt;
  if (before === 0) {
    words[at + BLOCK.NEXT_FRAGMENT] = records[recordAt + DATAGRAM.FIRST];
    records[recordAt + DATAGRAM.FIRST] = fragment;
  } else {
    words[at + BLOCK.NEXT_FRAGMENT] = words[before * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
    words[before * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT] = fragment;
  }
  if (words[at + BLOCK.NEXT_FRAGMENT] === 0) records[recordAt + DATAGRAM.LAST] = fragment;
  records[recordAt + DATAGRAM.COUNT]++;
  records[recordAt + DATAGRAM.RECEIVED] += (range & 0xffff) - (range >>> 16);
  records[recordAt + DATAGRAM.UNITS] += wanted;
  charge(memory.shares, datagram, wanted);
  return true;
}

/** Lets others give way until there are so many free blocks; false when the datagram itself would have to. */
function makeRoom(memory: FragmentMemory, counters: Float64Array, datagram: number, wanted: number): boolean {
  while (memory.blocks.free < wanted) {
    const loser = victim(memory, memory.blocks.size);
    if (loser === datagram) return false;
    letGiveWay(memory, loser, counters);
  }
  return true;
}

/** Begins to give out what waits of a datagram, in the order of the offsets. */
export function releaseDatagram(memory: FragmentMemory, datagram: number): void {
  memory.released = datagram;
  memory.nextReleased = field(memory, datagram, DATAGRAM.FIRST);
}

/** Copies the next packet that waited to HEADROOM_BYTES of `into`, and forgets it; its length, or 0 when there is none. */
export function nextWaiting(memory: FragmentMemory, into: Uint8Array): number {
  const { blocks, records, released } = memory;
  const { words } = blocks;
  while (memory.nextReleased !== 0) {
    const fragment = memory.nextReleased;
    const at = fragment * BLOCK_WORDS;
    memory.nextReleased = words[at + BLOCK.NEXT_FRAGMENT];
    const bytes = words[at + BLOCK.BYTES];
    if (bytes === 0) continue;
    copyChain(blocks, fragment, bytes, into, HEADROOM_BYTES);
    words[at + BLOCK.BYTES] = 0;
    const freed = freeChain(blocks, words[at + BLOCK.NEXT]);
    words[at + BLOCK.NEXT] = 0;
    records[released * RECORD_WORDS + DATAGRAM.UNITS] -= freed;
    charge(memory.shares, released, -freed);
    return bytes;
  }
  return 0;
}

/** The folded sum of what waits of a datagram's data, but for its first fragment, up to the byte `limit`. */
export function sumOfWaiting({ records, blocks }: FragmentMemory, datagram: number, limit: number): number {
  const { words } = blocks;
  let sum = 0;
  const first = records[datagram * RECORD_WORDS + DATAGRAM.FIRST];
  let fragment = words[first * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
  for (; fragment !== 0; fragment = words[fragment * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT]) {
    const at = fragment * BLOCK_WORDS;
    const range = words[at + BLOCK.RANGE];
    const dataAt = words[at + BLOCK.DATA_AT];
    const end = dataAt + Math.min(range & 0xffff, limit) - (range >>> 16);
    sum = foldSum(sum + sumOfChain(blocks, fragment, dataAt, end));
  }
  return sum;
}
