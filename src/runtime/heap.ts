/** Keeps the heaps of all threads as small as what they hold: the main thread's part, before the others start. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps the young generation of every thread at its initial 1 MB: the data planes make next to no garbage, and five
 * threads that let it grow while they load their modules keep 7 MB that nobody needs. Call once, before the threads start.
 * V8 keeps compiled code by its flags: tools/compile.ts calls this too.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  // For `collectStartupGarbage`. Threads made from now on have it as a global; this one is older.
  setFlagsFromString('--expose-gc');
  globalThis.gc ??= runInNewContext('globalThis.gc') as typeof globalThis.gc;
}
