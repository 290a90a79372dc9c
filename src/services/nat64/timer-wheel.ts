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

/**
 * The next session whose life ended before `nowSeconds`, or 0 when there is none, or when `budget` steps did not find
 * one. The caller removes it, and calls again while its own budget lasts.
 */
export function nextExpired(tables: Tables, nowSeconds: number, budget: number): number {
  const { sessions, wheel, control } = tables;
  let second = control[CONTROL.SWEPT_UNTIL];
  for (let step = 0; step < budget && second < nowSeconds; step++) {
    const index = wheel[second & (WHEEL_SLOTS - 1)];
    if (index === 0) {
      control[CONTROL.SWEPT_UNTIL] = ++second;
      continue;
    }
    if (sessions[index * RECORD_WORDS + SESSION.EXPIRES_AT] < nowSeconds) return index;
    unlinkWheel(tables, index);
    linkWheel(tables, index, nowSeconds);
  }
  return 0;
}
