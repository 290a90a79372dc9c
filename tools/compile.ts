/**
 * Fills the compile cache (NODE_COMPILE_CACHE): loads every module of src/ once, so that the first start is as fast and
 * as small as all others. For the lab, the tests and the image.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';

if (process.env['NODE_COMPILE_CACHE'] === undefined) throw new Error('NODE_COMPILE_CACHE is not set');
const source = new URL('../src/', import.meta.url);
// main.ts would start the process if it were imported. Workers' modules are compiled, then refuse to run in the main thread.
for (const file of globSync('**/*.ts', { cwd: source.pathname, exclude: ['main.ts'] })) {
  await import(new URL(file, source).href).catch(() => {});
}
flushCompileCache();
spawnSync(process.execPath, [new URL('main.ts', source).pathname, '--version']);
