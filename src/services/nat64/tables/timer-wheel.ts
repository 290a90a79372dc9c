/**
 * The timer wheel: a list of sessions for each second ahead. A session whose life is prolonged stays where it is; when
 * the sweep reaches it, it moves to the second at which it would really end. So a packet costs one store, and each
 * session is looked at no more than once in a lifetime.
 */
import { CONTROL, RECORD_WORDS, SESSION, type Tables, WHEEL_SLOTS } from './tables.ts';

/** Enters a session at the second of its EXPIRES_AT. */
export function linkWheel(tables: Tables, index: number, nowSeconds: number): void {
  const { sessions, wheel } = tables;
  const at = index * RECORD_WORDS;
  // Never in a slot that the sweep has passed, nor a whole turn ahead of it.
  const sweptUntil = tables.control[CONTROL.SWEPT_UNTIL];
  const latest = Math.min(nowSeconds, sweptUntil) + WHEEL_SLOTS - 1;
  const checkAt = Math.max(sweptUntil, Math.min(sessions[at + SESSION.EXPIRES_AT], latest));
  const slot = checkAt & (WHEEL_SLOTS - 1);
  const first = wheel[slot];
  sessions[at + SESSION.CHECK_AT] = checkAt;
  sessions[at + SESSION.WHEEL_PREVIOUS] = 0;
  sessions[at + SESSION.WHEEL_NEXT] = first;
  if (first !== 0) sessions[first * RECORD_WORDS + SESSION.WHEEL_PREVIOUS] = index;
  wheel[slot] = index;
}

/** Takes a session out. */
export function unlinkWheel(tables: Tables, index: number): void {
  const { sessions, wheel } = tables;
  const at = index * RECORD_WORDS;
  const previous = sessions[at + SESSION.WHEEL_PREVIOUS];
  const next = sessions[at + SESSION.WHEEL_NEXT];
  if (previous === 0) wheel[sessions[at + SESSION.CHECK_AT] & (WHEEL_SLOTS - 1)] = next;
  else sessions[previous * RECORD_WORDS + SESSION.WHEEL_NEXT] = next;
  if (next !== 0) sessions[next * RECORD_WORDS + SESSION.WHEEL_PREVIOUS] = previous;
}

/** What a step of the sweep found, when it is no session that ended. */
export const SWEEP = { done: 0, more: -1 } as const;

/**
 * One step of the sweep: a session whose life ended before `nowSeconds`, for the caller to remove; SWEEP.more when the
 * step led past a second, or a session that lives on; SWEEP.done when the sweep has reached `nowSeconds`.
 */
export function sweepStep(tables: Tables, nowSeconds: number): number {
  const { sessions, wheel, control } = tables;
  const second = control[CONTROL.SWEPT_UNTIL];
  if (second >= nowSeconds) return SWEEP.done;
  const index = wheel[second & (WHEEL_SLOTS - 1)];
  if (index === 0) {
    control[CONTROL.SWEPT_UNTIL] = second + 1;
    return SWEEP.more;
  }
  if (sessions[index * RECORD_WORDS + SESSION.EXPIRES_AT] < nowSeconds) return index;
  unlinkWheel(tables, index);
  linkWheel(tables, index, nowSeconds);
  return SWEEP.more;
}
