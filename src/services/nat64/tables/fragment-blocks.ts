/**
 * Blocks of equal size, in chains, which hold the bytes of fragments. The first block of a chain also says where the fragment
 * belongs in its datagram, and which fragment follows it.
 */
import { foldSum, sumOfBytes } from '../../../wire/checksum.ts';

export const BLOCK_BYTES = 256;

export const BLOCK_WORDS = 5;
export const BLOCK = {
  /** The block with the next bytes of the same fragment; for a free block, the next free one. */
  NEXT: 0,
  // Only in the first block of a fragment:
  /** The next fragment of the datagram. */
  NEXT_FRAGMENT: 1,
  /** Offset of the first byte in the data of the datagram << 16 | offset of the end. */
  RANGE: 2,
  /** Number of bytes of the packet that are kept; 0 when the fragment has passed. */
  BYTES: 3,
  /** Offset of the data in the packet. */
  DATA_AT: 4,
} as const;

export interface Blocks {
  /** The BLOCK words of each block; its bytes are in `data`. Block 0 is never used: 0 means "none". */
  readonly words: Int32Array;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly size: number;
  /** Number of free blocks. */
  free: number;
  firstFree: number;
  /** Blocks from this number on have never been used. */
  untouched: number;
}

/** Makes the blocks. Memory pages that have never been used take no memory. */
export function createBlocks(size: number): Blocks {
  const data = new Uint8Array((size + 1) * BLOCK_BYTES);
  return {
    words: new Int32Array((size + 1) * BLOCK_WORDS),
    data,
    view: new DataView(data.buffer),
    size,
    free: size,
    firstFree: 0,
    untouched: 1,
  };
}

/** How many blocks are needed for this many bytes. A fragment without kept bytes takes one block too. */
export const blocksFor = (bytes: number): number => Math.max(1, Math.ceil(bytes / BLOCK_BYTES));

function takeBlock(blocks: Blocks): number {
  const block = blocks.firstFree === 0 ? blocks.untouched++ : blocks.firstFree;
  if (blocks.firstFree !== 0) blocks.firstFree = blocks.words[block * BLOCK_WORDS + BLOCK.NEXT];
  blocks.free--;
  blocks.words[block * BLOCK_WORDS + BLOCK.NEXT] = 0;
  return block;
}

/** Copies the bytes, if any, into a new chain; returns its first block. There must be room. */
export function keepBytes(blocks: Blocks, bytes: Uint8Array | undefined): number {
  const { words, data } = blocks;
  const first = takeBlock(blocks);
  if (bytes === undefined) return first;
  let block = first;
  for (let from = 0; ; from += BLOCK_BYTES) {
    const to = Math.min(from + BLOCK_BYTES, bytes.length);
    data.set(bytes.subarray(from, to), block * BLOCK_BYTES);
    if (to === bytes.length) return first;
    block = words[block * BLOCK_WORDS + BLOCK.NEXT] = takeBlock(blocks);
  }
}

/** Frees this block and those after it in its chain; returns how many. */
export function freeChain(blocks: Blocks, from: number): number {
  const { words } = blocks;
  let freed = 0;
  let block = from;
  while (block !== 0) {
    const next = words[block * BLOCK_WORDS + BLOCK.NEXT];
    words[block * BLOCK_WORDS + BLOCK.NEXT] = blocks.firstFree;
    blocks.firstFree = block;
    block = next;
    freed++;
  }
  blocks.free += freed;
  return freed;
}

/** Copies the first bytes of a chain into `into`, at the offset `at`. */
export function copyChain(
  { words, data }: Blocks,
  first: number,
  bytes: number,
  into: Uint8Array,
  at: number,
): void {
  let block = first;
  for (let from = 0; from < bytes; from += BLOCK_BYTES) {
    const start = block * BLOCK_BYTES;
    into.set(data.subarray(start, start + Math.min(BLOCK_BYTES, bytes - from)), at + from);
    block = words[block * BLOCK_WORDS + BLOCK.NEXT];
  }
}

/** The folded sum of the bytes of a chain from `from` to `to`; `from` must be even. */
export function sumOfChain({ words, view }: Blocks, first: number, from: number, to: number): number {
  let sum = 0;
  let block = first;
  for (let blockStart = 0; blockStart < to; blockStart += BLOCK_BYTES) {
    const start = Math.max(blockStart, from);
    const end = Math.min(blockStart + BLOCK_BYTES, to);
    const base = block * BLOCK_BYTES - blockStart;
    if (start < end) sum = foldSum(sum + sumOfBytes(view, base + start, base + end));
    block = words[block * BLOCK_WORDS + BLOCK.NEXT];
  }
  return sum;
}
