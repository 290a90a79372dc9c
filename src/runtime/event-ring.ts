/**
 * Events that cross threads: fixed-size records in a ring of shared memory, with one writer (a data plane thread) and one
 * reader (the main thread). Writing takes no lock, no system call and no allocation, and costs one load when the reader does
 * not want the kind. The writer never waits: an event that finds no room is dropped and counted.
 *
 * Memory: a header of HEADER_BYTES, then the records. HEAD counts records published, TAIL counts records consumed, and both
 * wrap at 2^32. The difference is the number of waiting records. Only the writer stores HEAD, after the bytes of the record.
 * Only the reader stores TAIL, after it has read the records.
 */

/** Kinds a ring can tell apart: 0 to 15, numbered by the service that writes. */
export const EVENT_KINDS = 16;

/** Every record begins with its time (a double: milliseconds since 1970) and its kind (a word); the rest is the writer's. */
export const RECORD_HEAD_BYTES = 12;

const HEAD = 0;
const TAIL = 1;
const WANTED = 2;
const RECORD_BYTES = 3;
const RECORDS = 4;
/** By kind: records a second at most, 0 for no limit. */
const LIMITS = 16;
/** Per kind, as doubles: records dropped because the ring was full, and records dropped by the limit. One writer, so plain stores. */
const LOST_BYTES = (LIMITS + EVENT_KINDS) * 4;
const LIMITED_BYTES = LOST_BYTES + EVENT_KINDS * 8;
const HEADER_BYTES = LIMITED_BYTES + EVENT_KINDS * 8;

export interface EventRingOptions {
  /** Size of a record with its head: a multiple of 8. */
  readonly recordBytes: number;
  /** Capacity in records: a power of two. */
  readonly records: number;
}

/** Views of the ring's memory, one for each word size. The byte offset of a record applies to all three. */
export interface Views {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Words, at offset >> 2. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Doubles, at offset >> 3. */
  readonly doubles: Float64Array<SharedArrayBuffer>;
}

export const viewsOf = (buffer: SharedArrayBuffer): Views => ({
  bytes: new Uint8Array(buffer),
  words: new Int32Array(buffer),
  doubles: new Float64Array(buffer),
});

/** A waiting record: valid until the callback of `drain` returns. */
export interface EventRecord extends Views {
  readonly kind: number;
  readonly timeMs: number;
  /** Byte offset of the record; the writer's own fields begin at `at + RECORD_HEAD_BYTES`. */
  readonly at: number;
}

/** Records dropped since the ring was made: the ring was full, or the limit of the kind was reached. */
export interface EventLosses {
  readonly full: number;
  readonly limited: number;
}

/** The reader's side. */
export interface EventRing {
  /** Pass it to the worker, which attaches with `createEventWriter(buffer)`. It outlives workers. */
  readonly buffer: SharedArrayBuffer;
  /** Size of a record with its head. */
  readonly recordBytes: number;
  /** Which kinds to record from now on, as a mask of 1 << kind. None at first. */
  want(kinds: number): void;
  /** Limits the records of a kind per second; 0 for no limit. Takes effect within a second. */
  limit(kind: number, perSecond: number): void;
  /** Calls `handle` for each waiting record, up to `most`; returns how many there were. */
  drain(handle: (record: EventRecord) => void, most?: number): number;
  losses(kind: number): EventLosses;
  /** All dropped records, of all kinds. */
  lost(): number;
}

/** Makes a ring. Throws on invalid sizes. */
export function createEventRing({ recordBytes, records }: EventRingOptions): EventRing {
  if (recordBytes % 8 !== 0 || recordBytes < RECORD_HEAD_BYTES) {
    throw new Error(`event ring: recordBytes ${recordBytes}: expected a multiple of 8 from 16 on`);
  }
  if (records < 1 || (records & (records - 1)) !== 0) {
    throw new Error(`event ring: records ${records}: expected a power of two`);
  }
  const buffer = new SharedArrayBuffer(HEADER_BYTES + recordBytes * records);
  const views = viewsOf(buffer);
  const { words, doubles } = views;
  words[RECORD_BYTES] = recordBytes;
  words[RECORDS] = records;
  const record = { ...views, kind: 0, timeMs: 0, at: 0 };

  return {
    buffer,
    recordBytes,
    want: (kinds) => void Atomics.store(words, WANTED, kinds),
    limit: (kind, perSecond) => void Atomics.store(words, LIMITS + kind, perSecond),
    drain(handle, most = records) {
      let tail = words[TAIL];
      const waiting = Math.min((Atomics.load(words, HEAD) - tail) >>> 0, most);
      for (let done = 0; done < waiting; done++) {
        record.at = HEADER_BYTES + (tail & (records - 1)) * recordBytes;
        record.timeMs = doubles[record.at >> 3];
        record.kind = words[(record.at >> 2) + 2];
        try {
          handle(record);
        } finally {
          tail = (tail + 1) | 0;
          Atomics.store(words, TAIL, tail);
        }
      }
      return waiting;
    },
    losses: (kind) => ({
      full: doubles[(LOST_BYTES >> 3) + kind],
      limited: doubles[(LIMITED_BYTES >> 3) + kind],
    }),
    lost: () => doubles.subarray(LOST_BYTES >> 3, HEADER_BYTES >> 3).reduce((sum, count) => sum + count, 0),
  };
}

/**
 * The writer's side:
 *
 *     const at = events.begin(KIND);
 *     if (at >= 0) {
 *       events.words[(at >> 2) + 3] = ...;
 *       events.commit();
 *     }
 */
export interface EventWriter extends Views {
  /** Whether the reader wants this kind now. Use it to skip work that only the record needs. */
  wants(kind: number): boolean;
  /**
   * The offset of a record to fill, with its head already written. -1 if the kind is not wanted, or if there is no room or the
   * limit is reached (both counted).
   */
  begin(kind: number): number;
  /** Publishes the record that `begin` returned. Without it, the next `begin` returns the same record again. */
  commit(): void;
  /**
   * Call once per turn of the writer's loop. Updates the time that records carry (milliseconds since 1970), and restarts the
   * limits each second.
   */
  tick(nowMs: number): void;
}

/** Attaches the writing thread. A new writer continues where a dead one stopped. */
export function createEventWriter(buffer: SharedArrayBuffer): EventWriter {
  const views = viewsOf(buffer);
  const { words, doubles } = views;
  const recordBytes = words[RECORD_BYTES];
  const records = words[RECORDS];
  const mask = records - 1;
  const left = new Int32Array(EVENT_KINDS);
  let head = words[HEAD];
  /** The reader's TAIL at the last load. It is never ahead of the real one, so another load is needed only when the ring seems full. */
  let tail = Atomics.load(words, TAIL);
  let timeMs = 0;
  let second = -1;

  return {
    ...views,
    wants: (kind) => (Atomics.load(words, WANTED) & (1 << kind)) !== 0,
    begin(kind) {
      if ((Atomics.load(words, WANTED) & (1 << kind)) === 0) return -1;
      if (left[kind] === 0) {
        doubles[(LIMITED_BYTES >> 3) + kind]++;
        return -1;
      }
      if ((head - tail) >>> 0 >= records) {
        tail = Atomics.load(words, TAIL);
        if ((head - tail) >>> 0 >= records) {
          doubles[(LOST_BYTES >> 3) + kind]++;
          return -1;
        }
      }
      left[kind]--;
      const at = HEADER_BYTES + (head & mask) * recordBytes;
      doubles[at >> 3] = timeMs;
      words[(at >> 2) + 2] = kind;
      return at;
    },
    commit() {
      head = (head + 1) | 0;
      Atomics.store(words, HEAD, head);
    },
    tick(nowMs) {
      timeMs = nowMs;
      const nowSecond = Math.floor(nowMs / 1000);
      if (nowSecond === second) return;
      second = nowSecond;
      for (let kind = 0; kind < EVENT_KINDS; kind++) {
        // -1 cannot count down to 0 within one second, so it means "no limit".
        left[kind] = Atomics.load(words, LIMITS + kind) || -1;
      }
    },
  };
}
