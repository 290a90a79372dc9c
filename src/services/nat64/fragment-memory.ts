/**
 * Memory for the datagrams that come in fragments, of one side: a record for each datagram, and blocks for what waits. A
 * fragment takes as many blocks as its bytes need, and one still when it has passed, because its place must stay known. When
 * all is in use, datagrams without a first fragment give way first, as far as they have more than a quarter of the memory;
 * among the others, in either case, those of the greediest client do (fragment-shares.ts). Nothing here looks at packets.
 */
import { foldSum, sumOfBytes } from '../../wire/checksum.ts';
import { COUNTER, type Verdict } from './counters.ts';
import { GROUP, type Shares, charge, createShares, give, greediest, takeAway } from './fragment-shares.ts';
import { HEADROOM_BYTES } from './packet.ts';
import { mix } from './tables.ts';

/** Of each side. */
export const MAX_DATAGRAMS = 4095;
export const BLOCK_BYTES = 256;
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

const BLOCK_WORDS = 5;
const BLOCK = {
  /** The block with the next bytes of the same fragment; or the next that is not in use. */
  NEXT: 0,
  // Of a fragment's first block:
  /** The next fragment. */
  NEXT_FRAGMENT: 1,
  /** Offset of the first byte in the datagram's data * 65536, and of the end. */
  RANGE: 2,
  /** Bytes of the packet kept; 0 once it has passed. */
  BYTES: 3,
  /** Offset of the fragment's data in the packet. */
  DATA_AT: 4,
} as const;

export interface FragmentMemory {
  readonly records: Int32Array;
  readonly heads: Int32Array;
  readonly blocks: Int32Array;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly shares: Shares;
  readonly maxDatagrams: number;
  readonly maxBlocks: number;
  readonly seed: number;
  /** Of the datagram that is looked for. */
  readonly key: Int32Array;
  usedRecords: number;
  freeRecord: number;
  datagrams: number;
  usedBlocks: number;
  freeBlock: number;
  freeBlocks: number;
  oldest: number;
  newest: number;
  /** The datagram whose fragments that waited are given out, and the next of them; 0 when there is none. */
  released: number;
  nextReleased: number;
}

/** Pages of it that have never been used take no memory. Sizes are powers of two less one. */
export function createFragmentMemory(
  seed: number,
  maxDatagrams: number = MAX_DATAGRAMS,
  maxBlocks: number = MAX_BLOCKS,
): FragmentMemory {
  const data = new Uint8Array((maxBlocks + 1) * BLOCK_BYTES);
  return {
    records: new Int32Array((maxDatagrams + 1) * RECORD_WORDS),
    heads: new Int32Array(maxDatagrams + 1),
    blocks: new Int32Array((maxBlocks + 1) * BLOCK_WORDS),
    data,
    view: new DataView(data.buffer),
    shares: createShares(maxDatagrams, seed),
    maxDatagrams,
    maxBlocks,
    seed,
    key: new Int32Array(KEY_WORDS),
    usedRecords: 1,
    freeRecord: 0,
    datagrams: 0,
    usedBlocks: 1,
    freeBlock: 0,
    freeBlocks: maxBlocks,
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
    removeDatagram(memory, victim(memory, memory.maxDatagrams), counters, COUNTER['drop-fragment-memory']);
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
  const { records, blocks } = memory;
  const at = datagram * RECORD_WORDS;
  let waiting = 0;
  let fragment = records[at + DATAGRAM.FIRST];
  while (fragment !== 0) {
    const next = blocks[fragment * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
    if (blocks[fragment * BLOCK_WORDS + BLOCK.BYTES] > 0) waiting++;
    freeBlocks(memory, datagram, fragment);
    fragment = next;
  }
  records[at + DATAGRAM.FIRST] = records[at + DATAGRAM.LAST] = records[at + DATAGRAM.COUNT] = 0;
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
  { records, blocks }: FragmentMemory,
  datagram: number,
  from: number,
  to: number,
  hasMore: boolean,
): number {
  const at = datagram * RECORD_WORDS;
  const last = records[at + DATAGRAM.LAST];
  const bytes = records[at + DATAGRAM.BYTES];
  const range = (fragment: number): number => blocks[fragment * BLOCK_WORDS + BLOCK.RANGE];
  let before = 0;
  let next = records[at + DATAGRAM.FIRST];
  if (last !== 0 && (range(last) & 0xffff) <= from) {
    // Most come in order.
    before = last;
    next = 0;
  }
  while (next !== 0 && range(next) >>> 16 < from) {
    before = next;
    next = blocks[next * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
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
  const wanted = bytes === undefined ? 1 : Math.ceil(bytes.length / BLOCK_BYTES);
  if (!makeRoom(memory, counters, datagram, wanted)) return false;
  const fragment = takeBlock(memory);
  const at = fragment * BLOCK_WORDS;
  const recordAt = datagram * RECORD_WORDS;
  blocks[at + BLOCK.RANGE] = range;
  blocks[at + BLOCK.BYTES] = bytes?.length ?? 0;
  blocks[at + BLOCK.DATA_AT] = dataAt;
  if (before === 0) {
    blocks[at + BLOCK.NEXT_FRAGMENT] = records[recordAt + DATAGRAM.FIRST];
    records[recordAt + DATAGRAM.FIRST] = fragment;
  } else {
    blocks[at + BLOCK.NEXT_FRAGMENT] = blocks[before * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
    blocks[before * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT] = fragment;
  }
  if (blocks[at + BLOCK.NEXT_FRAGMENT] === 0) records[recordAt + DATAGRAM.LAST] = fragment;
  if (bytes !== undefined) keepBytes(memory, fragment, bytes);
  records[recordAt + DATAGRAM.COUNT]++;
  records[recordAt + DATAGRAM.RECEIVED] += (range & 0xffff) - (range >>> 16);
  records[recordAt + DATAGRAM.UNITS] += wanted;
  charge(memory.shares, datagram, wanted);
  return true;
}

/** Lets others give way until there are so many free blocks; false when the datagram itself would have to. */
function makeRoom(memory: FragmentMemory, counters: Float64Array, datagram: number, wanted: number): boolean {
  while (memory.freeBlocks < wanted) {
    const loser = victim(memory, memory.maxBlocks);
    if (loser === datagram) return false;
    removeDatagram(memory, loser, counters, COUNTER['drop-fragment-memory']);
  }
  return true;
}

function takeBlock(memory: FragmentMemory): number {
  const block = memory.freeBlock === 0 ? memory.usedBlocks++ : memory.freeBlock;
  if (memory.freeBlock !== 0) memory.freeBlock = memory.blocks[block * BLOCK_WORDS + BLOCK.NEXT];
  memory.freeBlocks--;
  memory.blocks[block * BLOCK_WORDS + BLOCK.NEXT] = 0;
  return block;
}

function keepBytes(memory: FragmentMemory, fragment: number, bytes: Uint8Array): void {
  const { blocks, data } = memory;
  let block = fragment;
  for (let from = 0; ; ) {
    const to = Math.min(from + BLOCK_BYTES, bytes.length);
    data.set(bytes.subarray(from, to), block * BLOCK_BYTES);
    if (to === bytes.length) return;
    from = to;
    block = blocks[block * BLOCK_WORDS + BLOCK.NEXT] = takeBlock(memory);
  }
}

/** Frees this block and those behind it, which count no more. */
function freeBlocks(memory: FragmentMemory, datagram: number, from: number): void {
  const { blocks, records } = memory;
  let freed = 0;
  let block = from;
  while (block !== 0) {
    const next = blocks[block * BLOCK_WORDS + BLOCK.NEXT];
    blocks[block * BLOCK_WORDS + BLOCK.NEXT] = memory.freeBlock;
    memory.freeBlock = block;
    block = next;
    freed++;
  }
  memory.freeBlocks += freed;
  records[datagram * RECORD_WORDS + DATAGRAM.UNITS] -= freed;
  charge(memory.shares, datagram, -freed);
}

/** Begins to give out what waits of a datagram, in the order of the offsets. */
export function releaseDatagram(memory: FragmentMemory, datagram: number): void {
  memory.released = datagram;
  memory.nextReleased = field(memory, datagram, DATAGRAM.FIRST);
}

/** Copies the next packet that waited to HEADROOM_BYTES of `into`, and forgets it; its length, or 0 when there is none. */
export function nextWaiting(memory: FragmentMemory, into: Uint8Array): number {
  const { blocks, data, released } = memory;
  while (memory.nextReleased !== 0) {
    const fragment = memory.nextReleased;
    const at = fragment * BLOCK_WORDS;
    memory.nextReleased = blocks[at + BLOCK.NEXT_FRAGMENT];
    const bytes = blocks[at + BLOCK.BYTES];
    if (bytes === 0) continue;
    let block = fragment;
    for (let from = 0; from < bytes; from += BLOCK_BYTES) {
      const start = block * BLOCK_BYTES;
      into.set(data.subarray(start, start + Math.min(BLOCK_BYTES, bytes - from)), HEADROOM_BYTES + from);
      block = blocks[block * BLOCK_WORDS + BLOCK.NEXT];
    }
    blocks[at + BLOCK.BYTES] = 0;
    freeBlocks(memory, released, blocks[at + BLOCK.NEXT]);
    blocks[at + BLOCK.NEXT] = 0;
    return bytes;
  }
  return 0;
}

/** The folded sum of what waits of a datagram's data, but for its first fragment, up to the byte `limit`. */
export function sumOfWaiting(
  { records, blocks, view }: FragmentMemory,
  datagram: number,
  limit: number,
): number {
  let sum = 0;
  const first = records[datagram * RECORD_WORDS + DATAGRAM.FIRST];
  let fragment = blocks[first * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
  for (; fragment !== 0; fragment = blocks[fragment * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT]) {
    const at = fragment * BLOCK_WORDS;
    const from = blocks[at + BLOCK.RANGE] >>> 16;
    const to = Math.min(blocks[at + BLOCK.RANGE] & 0xffff, limit);
    // Positions in the packet; headers, and so all that is summed, begin at even ones.
    let position = blocks[at + BLOCK.DATA_AT];
    const end = position + to - from;
    let block = fragment;
    let blockStart = 0;
    while (position < end) {
      const blockEnd = Math.min(blockStart + BLOCK_BYTES, end);
      const base = block * BLOCK_BYTES - blockStart;
      if (position < blockEnd) {
        sum = foldSum(sum + sumOfBytes(view, base + position, base + blockEnd));
        position = blockEnd;
      }
      blockStart += BLOCK_BYTES;
      block = blocks[block * BLOCK_WORDS + BLOCK.NEXT];
    }
  }
  return sum;
}
