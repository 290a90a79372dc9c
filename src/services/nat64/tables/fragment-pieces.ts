/** The fragments of one datagram: where each belongs, how it is kept until it may pass, and how it is released. */
import { foldSum } from '../../../wire/checksum.ts';
import {
  BLOCK,
  BLOCK_WORDS,
  blocksFor,
  copyChain,
  freeChain,
  keepBytes,
  sumOfChain,
} from './fragment-blocks.ts';
import { countBlocks, makeRoom } from './fragment-memory.ts';
import { HEADROOM_BYTES } from '../packet/packet.ts';
import { DATAGRAM, type FragmentMemory, MAX_FRAGMENTS, field, recordOffset } from './fragment-records.ts';

/** The result of `placeOf` is the fragment before the new one (0: none), or one of these reasons not to accept it. */
export const PLACE = { DUPLICATE: -1, OVERLAP: -2, TOO_MANY: -3 } as const;

/**
 * The place of a fragment that covers the bytes `from` to `to` of the datagram's data. A fragment with exactly the same bounds as
 * another is a duplicate. Any other that covers the same bytes, or contradicts the end of the datagram, overlaps (RFC 5722).
 */
export function placeOf(
  { records, blocks: { words } }: FragmentMemory,
  datagram: number,
  from: number,
  to: number,
  hasMore: boolean,
): number {
  const at = recordOffset(datagram);
  const last = records[at + DATAGRAM.LAST];
  const bytes = records[at + DATAGRAM.BYTES];
  const range = (fragment: number): number => words[fragment * BLOCK_WORDS + BLOCK.RANGE];
  let before = 0;
  let next = records[at + DATAGRAM.FIRST];
  if (last !== 0 && (range(last) & 0xffff) <= from) {
    // Most fragments come in order.
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
 * Inserts a fragment after `before`, with the `bytes` of its packet, or without bytes if it passes at once. False if there is no
 * room because no other datagram may be removed for it.
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
  const recordAt = recordOffset(datagram);
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
  countBlocks(memory, datagram, wanted);
  return true;
}

/** Begins to release the waiting fragments of a datagram, in the order of their offsets. */
export function releaseDatagram(memory: FragmentMemory, datagram: number): void {
  memory.released = datagram;
  memory.nextReleased = field(memory, datagram, DATAGRAM.FIRST);
}

/** Copies the next waiting packet into `into` at HEADROOM_BYTES, and frees its bytes. Returns its length, or 0 if there is none. */
export function nextWaiting(memory: FragmentMemory, into: Uint8Array): number {
  const { blocks, released } = memory;
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
    countBlocks(memory, released, -freed);
    return bytes;
  }
  return 0;
}

/** The folded sum of a datagram's waiting data, without its first fragment, up to the byte `limit`. */
export function sumOfWaiting({ records, blocks }: FragmentMemory, datagram: number, limit: number): number {
  const { words } = blocks;
  let sum = 0;
  const first = records[recordOffset(datagram) + DATAGRAM.FIRST];
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
