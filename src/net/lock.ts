/**
 * A lock in shared memory, for critical sections of constant time that neither allocate nor throw. The word of the lock has the
 * number of its holder, so that the main thread can free the lock of a thread that died with it.
 */
const HOLDER = 0;
/** How many threads sleep until the lock is free. A thread that died asleep stays counted: then `unlock` wakes nobody, sometimes. */
const ASLEEP = 1;
export const LOCK_WORDS = 2;

/** A critical section is shorter than this many tries, unless its thread was preempted. */
const TRIES = 200;
/** How long a thread sleeps at most before it looks again. */
const SLEEP_MS = 10;

/** `holder`: the number of this thread, not 0. */
export function lock(words: Int32Array, holder: number): void {
  for (let i = 0; i < TRIES; i++) if (Atomics.compareExchange(words, HOLDER, 0, holder) === 0) return;
  Atomics.add(words, ASLEEP, 1);
  for (;;) {
    const other = Atomics.compareExchange(words, HOLDER, 0, holder);
    if (other === 0) break;
    Atomics.wait(words, HOLDER, other, SLEEP_MS);
  }
  Atomics.sub(words, ASLEEP, 1);
}

export function unlock(words: Int32Array): void {
  Atomics.store(words, HOLDER, 0);
  if (Atomics.load(words, ASLEEP) > 0) Atomics.notify(words, HOLDER, 1);
}

/** Takes the lock after the end of thread `dead`. True if that thread held it: what the lock protects may be inconsistent. */
export function lockAfter(words: Int32Array, dead: number, holder: number): boolean {
  if (Atomics.compareExchange(words, HOLDER, dead, holder) === dead) return true;
  lock(words, holder);
  return false;
}
