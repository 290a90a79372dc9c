/** Events about traffic as plain data, and where they are sent. */
import type { Text } from '../texts/text.ts';
import type { EventRecord, EventRing } from './event-ring.ts';

/** An event before its texts are translated. */
export interface AppEvent {
  readonly kind: string;
  readonly [field: string]: string | number | boolean | null | Text;
}

/** Where events go. */
export interface EventSink {
  /** Puts one event of the main thread. `timeMs`: milliseconds since 1970. */
  put(event: AppEvent, timeMs: number): void;
  /** Removes all events of a kind, including those that still wait in the rings. */
  forget(kind: string): void;
  /** Drains a ring regularly until disposed. `decode` turns a record into an event; it returns undefined to skip the record. */
  drainRing(ring: EventRing, decode: (record: EventRecord) => AppEvent | undefined): Disposable;
  /**
   * The same for a ring whose records are all events of one kind, and whose `decode` depends on nothing but the record: it is
   * called when somebody reads the event, which for most events never happens.
   */
  drainRingLater(ring: EventRing, kind: string, decode: (record: EventRecord) => AppEvent): Disposable;
}

/** Whether one more event of a kind may be reported within this second: for events that do not come from a ring. */
export function eventLimit(perSecond: number): (nowMs: number) => boolean {
  let second = -1;
  let left = 0;
  return (nowMs) => {
    const nowSecond = Math.floor(nowMs / 1000);
    if (nowSecond !== second) {
      second = nowSecond;
      left = perSecond;
    }
    return left > 0 && left-- > 0;
  };
}
