/** The records of datagrams that come in fragments: their layout, and the memory that they are in. */
import { type SlotShares, createSlotShares } from '../../../net/shares.ts';
import { type Blocks, createBlocks } from './fragment-blocks.ts';
import { mix } from './tables.ts';

/** Of each side. */
export const MAX_DATAGRAMS = 4095;
export const MAX_BLOCKS = 16_383;
/** The most fragments of a datagram: 64 KiB through a link of the least MTU that IPv4 allows hosts. */
export const MAX_FRAGMENTS = 128;
/** What counts as one in the shares, beside the datagram itself: 8 KiB. */
export const UNIT_BLOCKS_SHIFT = 5;

/** Datagrams that have shown a first fragment which may pass, and all others: they are judged apart. */
export const GROUP = { UNPROVEN: 0, PROVEN: 1 } as const;

export const KEY_WORDS = 10;
export const RECORD_WORDS = 32;
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

export function hashOfKey({ seed, heads }: FragmentMemory, words: Int32Array, at: number): number {
  let hash = seed;
  for (let word = 0; word < KEY_WORDS; word++) hash = mix(hash, words[at + word]);
  return hash & (heads.length - 1);
}
