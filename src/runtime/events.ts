/** What is told of what passes, as plain data, and where it goes. */
import type { Text } from '../texts/text.ts';
import type { EventRecord, EventRing } from './event-ring.ts';

/** An event before it is told in a language. */
export interface AppEvent {
  readonly kind: string;
  readonly [field: string]: string | number | boolean | null | Text;
}

/** Where events go. */
export interface EventSink {
  /** One event of the main thread's own. `timeMs`: milliseconds since 1970. */
  put(event: AppEvent, timeMs: number): void;
  /** Everything of a kind, also what waits in the rings. */
  forget(kind: string): void;
  /** Drains a ring regularly until disposed; `decode` makes the event of a record, undefined to leave it out. */
  drainRing(ring: EventRing, decode: (record: EventRecord) => AppEvent | undefined): Disposable;
}

/** Whether another event of a kind may be told within this second: for events that come from no ring. */
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
