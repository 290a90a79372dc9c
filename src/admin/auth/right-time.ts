/**
 * The time of day, and the dates that this process has set by it. A machine without a clock battery starts with a wrong clock,
 * which is set later, often by years. A session that began a minute before must then still be a minute old: it must neither end
 * at once nor last for years. Dates set by an earlier process stay as they are, because their age is unknown here.
 */

/** A smaller change is a clock adjustment, and is ignored. */
const STEP_MS = 60_000;

/** Unix times, in milliseconds; null for never. */
export interface Dated {
  createdAtMs: number;
  lastSeenAtMs?: number;
  lastUsedAtMs?: number | null;
  expiresAtMs?: number | null;
}

export interface RightTime {
  /** Unix time. If the clock has been set since the last call, dates are corrected first. */
  now(): number;
  /** The item was made now. */
  made(item: Dated): void;
}

/** `items`: whose dates may be corrected; `onSet` is called when some were. */
export function createRightTime(
  wallNow: () => number,
  monotonicNow: () => number,
  items: () => readonly Dated[],
  onSet: () => void,
): RightTime {
  const own = new WeakSet<Dated>();
  /** Unix time at which the monotonic clock began. */
  let originMs = wallNow() - monotonicNow();

  function follow(stepMs: number): void {
    const made = items().filter((item) => own.has(item));
    for (const item of made) {
      item.createdAtMs += stepMs;
      for (const field of ['lastSeenAtMs', 'lastUsedAtMs', 'expiresAtMs'] as const) {
        const timeMs = item[field];
        if (typeof timeMs === 'number') item[field] = timeMs + stepMs;
      }
    }
    if (made.length > 0) onSet();
  }

  return {
    now() {
      const nowMs = wallNow();
      const stepMs = Math.round(nowMs - monotonicNow() - originMs);
      if (Math.abs(stepMs) > STEP_MS) {
        originMs += stepMs;
        follow(stepMs);
      }
      return nowMs;
    },
    made: (item) => void own.add(item),
  };
}
