/** The records of fragmented datagrams: their layout, and the memory that holds them. */
import { type SlotShares, createSlotShares } from '../../../net/shares.ts';
import { type Blocks, createBlocks } from './fragment-blocks.ts';
import { mix } from './tables.ts';

/** The limit for each side. */
export const MAX_DATAGRAMS = 4095;
export const MAX_BLOCKS = 16_383;
/** The limit of fragments per datagram: enough for 64 KiB over a link with the smallest size that IPv4 hosts must accept. */
export const MAX_FRAGMENTS = 128;
/** One unit in the shares is 8 KiB: 1 << this shift blocks. The datagram itself counts as one more. */
export const UNIT_BLOCKS_SHIFT = 5;

/** PROVEN: datagrams whose first fragment has come and may pass. UNPROVEN: all others. Each group has its own shares. */
export const GROUP = { UNPROVEN: 0, PROVEN: 1 } as const;

export const KEY_WORDS = 10;
export const RECORD_WORDS = 32;
/** Words of a datagram's record. The key comes first: identification, protocol, addresses. */
export const DATAGRAM = {
  STATE: 10,
  STARTED_AT: 11,
  /** Number of fragments that have come, and their bytes of data. */
  COUNT: 12,
  RECEIVED: 13,
  /** Length of the data of the whole datagram when the last fragment has come; until then -1. */
  BYTES: 14,
  /** The first blocks of the first and the last fragment, in the order of offsets. */
  FIRST: 15,
  LAST: 16,
  /** Number of its blocks. */
  BLOCKS: 17,
  /** GROUP, and its slot there. */
  GROUP: 18,
  SLOT: 19,
  /** The next record in its hash chain, or in the list of unused records. */
  NEXT: 20,
  // What the first fragment has shown, for the others; see fragments.ts.
  HOST: 21,
  MAPPED_ADDRESS: 25,
  PREFIX_INDEX: 26,
  IS_HAIRPIN: 27,
  PROTOCOL: 28,
  /** Whether its fragments were hairpinned. */
  IS_HAIRPINNED: 29,
} as const;

/** The state of a datagram. */
export const STATE = {
  /** The first fragment has not come, or it cannot be translated before all others have come. Fragments wait. */
  WAITING: 0,
  /** All fragments have come, and the first one can be translated. */
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
  /** By GROUP: how much each client uses, and the slots of the datagrams. */
  readonly shares: readonly SlotShares[];
  readonly datagramOf: readonly Int32Array[];
  readonly blocksOf: Int32Array;
  readonly maxDatagrams: number;
  readonly seed: number;
  /** The key of the datagram to find, and the address of the client that it is from (four words). */
  readonly key: Int32Array;
  readonly client: Int32Array;
  usedRecords: number;
  freeRecord: number;
  datagrams: number;
  /** The datagram whose waiting fragments are being released, and the next of these fragments; 0 if there is none. */
  released: number;
  nextReleased: number;
}

/** `maxDatagrams` must be a power of two minus one. */
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

/** Where the record of a datagram begins in `records`. */
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
