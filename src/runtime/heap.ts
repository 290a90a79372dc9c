/** Keeps the heaps of all threads small. This is the main thread's part, to be done before the other threads start. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps the young generation of every thread at its initial 1 MB. The data planes make almost no garbage. Without this, five
 * threads grow it while they load their modules, and keep 7 MB that they do not need. Call once, before the threads start. V8
 * keeps compiled code only for the same flags, so tools/compile.ts calls this too.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  // For `collectStartupGarbage`. New threads get `gc` as a global; the main thread already exists, so it is fetched here.
  setFlagsFromString('--expose-gc');
  globalThis.gc ??= runInNewContext('globalThis.gc') as typeof globalThis.gc;
}
