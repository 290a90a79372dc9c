/** Keeps the heaps of all threads as small as what they hold. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps the young generation of every thread at its initial 1 MB: the data planes make next to no garbage, and five
 * threads that let it grow while they load their modules keep 7 MB that nobody needs. Call once, before the threads start.
 * V8 keeps compiled code by its flags: tools/compile.ts calls this too.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  // For `collectStartupGarbage`.
  setFlagsFromString('--expose-gc');
}

/** Gives back what only the start of this thread needed: 1 to 4 MB, which V8 would keep until the heap grows. */
export function collectStartupGarbage(): void {
  // Threads made after `keepHeapsSmall` have it as a global; the main thread is older. In unit tests nobody has it.
  const collect = globalThis.gc ?? (runInNewContext('globalThis.gc') as typeof globalThis.gc);
  void collect?.({ type: 'major', flavor: 'last-resort' });
}
