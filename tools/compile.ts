/**
 * Fills the compile cache (NODE_COMPILE_CACHE), so that the first start is as fast, and needs as little memory, as later ones.
 * For the lab, the tests and the image.
 *
 * Loads every module of src/ once in the main thread, and once in a worker with the flags of our workers: the cache has
 * separate entries for them.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { isMainThread, Worker } from 'node:worker_threads';
import { keepHeapsSmall } from '../src/runtime/heap.ts';
import { inlineMore } from '../src/runtime/inlining.ts';

if (process.env['NODE_COMPILE_CACHE'] === undefined) throw new Error('NODE_COMPILE_CACHE is not set');
const source = new URL('../src/', import.meta.url);
// Importing a main.ts would start its program. Modules of workers are compiled, then refuse to run here.
for (const file of globSync('**/*.ts', { cwd: source.pathname, exclude: ['**/main.ts'] })) {
  await import(new URL(file, source).href).catch(() => {});
}
flushCompileCache();
if (isMainThread) {
  spawnSync(process.execPath, [new URL('main.ts', source).pathname, '--version']);
  keepHeapsSmall();
  inlineMore();
  new Worker(new URL(import.meta.url));
}
