/**
 * Memory for the fragmented datagrams of one side: a record for each datagram, and blocks for the fragments that wait. A
 * fragment takes as many blocks as its bytes need, and keeps one when it has passed, because its place must stay known. When
 * the memory is full, datagrams are removed: those without a first fragment while they use more than a quarter, otherwise the
 * others. Within the group, the client that uses most loses first, in steps of 8 KiB (net/shares.ts). Nothing here reads packets.
 */
import {
  greediestSlot,
  growSlot,
  releaseSlot,
  takeSlot,
  unitsOf,
  victimFor,
  victimForOwner,
} from '../../../net/shares.ts';
import { COUNTER, type Reason } from '../counters.ts';
import { BLOCK, BLOCK_WORDS, freeChain } from './fragment-blocks.ts';
import {
  DATAGRAM,
  type FragmentMemory,
  GROUP,
  KEY_WORDS,
  RECORD_WORDS,
  UNIT_BLOCKS_SHIFT,
  field,
  hashOfKey,
} from './fragment-records.ts';

/** How many expired datagrams of each group are removed per packet, at most. */
const EXPIRED_PER_PACKET = 2;
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

/** Makes a record for the datagram with the key in `memory.key`, of `memory.client`. Datagrams removed for it are counted. */
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

/** The first fragment of a datagram of `memory.client` may pass: moves the datagram to the group of proven ones. */
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

/** Which group loses when the memory of `size` is full: `used` is in use, `unproven` of it by unproven datagrams. */
const groupToGiveWay = (unproven: number, used: number, size: number): number =>
  unproven > size >> 2 || unproven === used ? GROUP.UNPROVEN : GROUP.PROVEN;

function letGiveWay(memory: FragmentMemory, datagram: number, counters: Float64Array): void {
  counters[COUNTER['datagrams-given-up']]++;
  removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-memory']);
}

/** Counts blocks that the datagram has taken, or, with a negative number, freed. */
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

/** Removes the datagram. Its waiting fragments are counted as dropped for this reason. */
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

/** Removes all fragments of a datagram; returns how many of them were still waiting. */
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

/** Removes some of the datagrams that are older than `waitSeconds`. */
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

/** Removes other datagrams until `wanted` blocks are free; false if this datagram itself would be the next to remove. */
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
