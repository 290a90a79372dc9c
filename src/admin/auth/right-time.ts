/**
 * The time of day, and what this process has dated by it. A machine without a battery for its clock starts with a wrong one and
 * is told the time later, by years: a session that began a minute before is a minute old all the same, and neither ends at
 * once nor lasts for years. What was dated by another process stays as it is: how old it is, nobody here knows.
 */

/** Less is a clock that is adjusted, and of no consequence. */
const STEP_MS = 60_000;

/** Unix times, in milliseconds; null for never. */
export interface Dated {
  createdAtMs: number;
  lastSeenAtMs?: number;
  lastUsedAtMs?: number | null;
  expiresAtMs?: number | null;
}

export interface RightTime {
  /** Unix time. Before it returns, what was dated by a clock that has been set since is dated anew. */
  now(): number;
  /** It was made now. */
  made(item: Dated): void;
}

/** `items`: what may be dated anew; `onSet` hears when something was. */
export function createRightTime(
  wallNow: () => number,
  monotonicNow: () => number,
  items: () => readonly Dated[],
  onSet: () => void,
): RightTime {
  const own = new WeakSet<Dated>();
  /** Unix time when the monotonic clock began. */
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
