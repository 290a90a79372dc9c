/** The last records of a ring as they were written, until somebody reads the events in them. */
import { type EventRecord, viewsOf } from '../runtime/event-ring.ts';
import type { AppEvent } from '../runtime/events.ts';

export interface UndecodedRecords {
  /** Copies a record; returns its number. The oldest of more than `capacity` is overwritten. */
  add(record: EventRecord): number;
  /** The event in one of the last `capacity` records. */
  read(number: number): AppEvent;
  /** Overwrites all of them. */
  clear(): void;
}

export function createUndecodedRecords(
  recordBytes: number,
  capacity: number,
  decode: (record: EventRecord) => AppEvent,
): UndecodedRecords {
  const views = viewsOf(new SharedArrayBuffer(recordBytes * capacity));
  const record = { ...views, kind: 0, timeMs: 0, at: 0 };
  let added = 0;
  return {
    add({ bytes, at }) {
      views.bytes.set(bytes.subarray(at, at + recordBytes), (added % capacity) * recordBytes);
      return added++;
    },
    read(number) {
      record.at = (number % capacity) * recordBytes;
      record.timeMs = views.doubles[record.at >> 3];
      record.kind = views.words[(record.at >> 2) + 2];
      return decode(record);
    },
    clear: () => void views.bytes.fill(0),
  };
}
