/** Gives back what only the start of this thread needed: 1 to 4 MB, which V8 would keep until the heap grows. Nothing happens in unit tests, where `keepHeapsSmall` was not called. */
export function collectStartupGarbage(): void {
  void globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}
