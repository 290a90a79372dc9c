/**
 * The timer wheel: a list of sessions for each coming second. A session that is prolonged stays where it is; when the sweep
 * reaches it, it moves to the second at which it really expires. So a packet costs one store, and each session is checked at
 * most once per lifetime.
 */
import { CONTROL, RECORD_WORDS, SESSION, type Tables, WHEEL_SLOTS } from './tables.ts';

/** Adds a session at the second of its EXPIRES_AT. */
export function linkWheel(tables: Tables, index: number, nowSeconds: number): void {
  const { sessions, wheel } = tables;
  const at = index * RECORD_WORDS;
  // Never use a slot that the sweep has passed, or one that is a whole turn ahead.
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

/** Removes a session from the wheel. */
export function unlinkWheel(tables: Tables, index: number): void {
  const { sessions, wheel } = tables;
  const at = index * RECORD_WORDS;
  const previous = sessions[at + SESSION.WHEEL_PREVIOUS];
  const next = sessions[at + SESSION.WHEEL_NEXT];
  if (previous === 0) wheel[sessions[at + SESSION.CHECK_AT] & (WHEEL_SLOTS - 1)] = next;
  else sessions[previous * RECORD_WORDS + SESSION.WHEEL_NEXT] = next;
  if (next !== 0) sessions[next * RECORD_WORDS + SESSION.WHEEL_PREVIOUS] = previous;
}

/** Results of a step of the sweep that found no expired session. */
export const SWEEP = { done: 0, more: -1 } as const;

/**
 * One step of the sweep. Returns a session that expired before `nowSeconds`, which the caller removes; SWEEP.more if the step
 * went on to the next second or moved a session that still lives; SWEEP.done if the sweep has reached `nowSeconds`.
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
