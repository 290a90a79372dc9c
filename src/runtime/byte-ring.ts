/**
 * Records of variable length that cross threads: a ring of shared memory with one writer (a data plane thread) and one reader
 * (the main thread). Writing takes no lock, no system call and no allocation. The writer never waits: a record that finds no
 * room is dropped and counted. event-ring.ts is the same for records of one size.
 *
 * Memory: a header of HEADER_BYTES, then the ring. HEAD counts the bytes published, TAIL the bytes consumed, and both wrap at
 * 2^32. Only the writer stores HEAD, after the bytes of the record. Only the reader stores TAIL, after it has read them.
 * A record begins with a word that has its whole length, a multiple of 8. If a record does not fit before the end of the ring,
 * a negative word there says how many bytes are skipped.
 */

const HEAD = 0;
const TAIL = 1;
const WANTED = 2;
const CAPACITY = 3;
/** A double: records dropped because the ring was full. Only the writer stores it. */
const LOST = 2;
const HEADER_BYTES = 64;
/** The length of a record, and the padding that aligns what follows for doubles. */
const RECORD_HEAD_BYTES = 8;

/** Views of the ring's memory, one for each word size. */
interface Views {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Words, at offset >> 2. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Doubles, at offset >> 3. */
  readonly doubles: Float64Array<SharedArrayBuffer>;
}

const viewsOf = (buffer: SharedArrayBuffer): Views => ({
  bytes: new Uint8Array(buffer),
  words: new Int32Array(buffer),
  doubles: new Float64Array(buffer),
});

/** The reader's side. */
export interface ByteRing extends Views {
  /** Pass it to the worker, which attaches with `createByteWriter(buffer)`. It outlives workers. */
  readonly buffer: SharedArrayBuffer;
  /** Whether to record anything from now on. Not at first. */
  want(isWanted: boolean): void;
  /** Calls `handle` with the offset of each waiting record, up to `most`; returns how many there were. */
  drain(handle: (at: number) => void, most: number): number;
  /** Records dropped since the ring was made. */
  lost(): number;
}

/** `capacity`: in bytes, a power of two. Memory that was never used is not resident. */
export function createByteRing(capacity: number): ByteRing {
  if (capacity < 64 || (capacity & (capacity - 1)) !== 0)
    throw new Error(`byte ring: capacity ${capacity}: expected a power of two from 64 on`);
  const buffer = new SharedArrayBuffer(HEADER_BYTES + capacity);
  const views = viewsOf(buffer);
  const { words, doubles } = views;
  words[CAPACITY] = capacity;

  return {
    ...views,
    buffer,
    want: (isWanted) => void Atomics.store(words, WANTED, isWanted ? 1 : 0),
    drain(handle, most) {
      let tail = words[TAIL];
      const head = Atomics.load(words, HEAD);
      let done = 0;
      while (tail !== head && done < most) {
        const at = HEADER_BYTES + (tail & (capacity - 1));
        const length = words[at >> 2];
        if (length < 0) {
          tail = (tail - length) | 0;
          continue;
        }
        done++;
        try {
          handle(at + RECORD_HEAD_BYTES);
        } finally {
          tail = (tail + length) | 0;
          Atomics.store(words, TAIL, tail);
        }
      }
      return done;
    },
    lost: () => doubles[LOST],
  };
}

/** The writer's side. */
export interface ByteWriter extends Views {
  /**
   * The offset (a multiple of 8) of a record to fill, with room for `most` bytes. -1 if no records are wanted; -2 if there is no
   * room (counted).
   */
  begin(most: number): number;
  /** Publishes the record that `begin` returned: its first `bytes` bytes. Without it, the next `begin` returns the same place. */
  commit(bytes: number): void;
}

/** Attaches the writing thread. A new writer continues where a dead one stopped. */
export function createByteWriter(buffer: SharedArrayBuffer): ByteWriter {
  const views = viewsOf(buffer);
  const { words, doubles } = views;
  const capacity = words[CAPACITY];
  let head = words[HEAD];
  /** The reader's TAIL at the last load. It is never ahead of the real one. */
  let tail = Atomics.load(words, TAIL);
  /** Where the record that is being written begins, in the count of HEAD. */
  let start = head;

  return {
    ...views,
    begin(most) {
      if (Atomics.load(words, WANTED) === 0) return -1;
      const needed = alignedLength(most);
      const left = capacity - (head & (capacity - 1));
      const skipped = needed > left ? left : 0;
      if (((head - tail) >>> 0) + skipped + needed > capacity) {
        tail = Atomics.load(words, TAIL);
        if (((head - tail) >>> 0) + skipped + needed > capacity) {
          doubles[LOST]++;
          return -2;
        }
      }
      if (skipped > 0) words[(HEADER_BYTES + (head & (capacity - 1))) >> 2] = -skipped;
      start = (head + skipped) | 0;
      return HEADER_BYTES + (start & (capacity - 1)) + RECORD_HEAD_BYTES;
    },
    commit(bytes) {
      const length = alignedLength(bytes);
      words[(HEADER_BYTES + (start & (capacity - 1))) >> 2] = length;
      head = (start + length) | 0;
      Atomics.store(words, HEAD, head);
    },
  };
}

/** The length in the ring of a record with so many bytes. */
const alignedLength = (bytes: number): number => (bytes + RECORD_HEAD_BYTES + 7) & ~7;
