/** What only the start of a thread needed: 1 to 4 MB, which V8 would keep until the heap grows. */

/** Not at once: the collection takes 10 to 40 ms of a thread that has just begun to serve, while others still start. */
export const GARBAGE_AFTER_MS = 1000;

/** Gives it back. Nothing happens in unit tests, where `keepHeapsSmall` was not called. */
export function collectStartupGarbage(): void {
  void globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}
