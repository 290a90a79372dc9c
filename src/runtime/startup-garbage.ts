/** Memory that only the start of a thread needed: 1 to 4 MB, which V8 would keep until the heap grows. */

/** Not at once: the collection blocks a thread for 10 to 40 ms, just when it has begun to serve and others still start. */
export const GARBAGE_AFTER_MS = 1000;

/** Frees it. Does nothing in unit tests, where `keepHeapsSmall` was not called. */
export function collectStartupGarbage(): void {
  void globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}
