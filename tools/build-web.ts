/**
 * Builds the control panel into web/dist, each file beside its gzip and Brotli forms.
 *
 *   node tools/build-web.ts               always
 *   node tools/build-web.ts --if-stale    only when it is missing or older than its sources
 */
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'web/dist');
/** Written last: a build without it was interrupted and does not count. */
const STAMP = join(DIST, '.built');
const SOURCES = [
  'web/index.html',
  'web/vite.config.ts',
  'web/{src,public}/**/*',
  'src/texts/{sentence,text}.ts',
  'package-lock.json',
];
const COMPRESSED = /\.(?:html|js|css|svg|webmanifest)$/;
/** For smaller files, compression saves less than its header costs. */
const LEAST_COMPRESSED_BYTES = 512;

/** Whether web/dist is missing or older than its sources. */
export function isStale(): boolean {
  if (!existsSync(STAMP)) return true;
  const builtMs = statSync(STAMP).mtimeMs;
  return globSync(SOURCES, { cwd: ROOT }).some((file) => statSync(join(ROOT, file)).mtimeMs > builtMs);
}

/** Builds; rejects with Vite's output. Vite is loaded only here, to save its loading time when the build is up to date. */
export async function buildWeb(): Promise<void> {
  const { build } = await import('vite');
  const mode = process.env['NODE_ENV'];
  await build({ configFile: join(ROOT, 'web/vite.config.ts'), logLevel: 'warn' });
  // Vite sets it for this process, but child processes (npm, among others) must not run in production mode.
  if (mode === undefined) delete process.env['NODE_ENV'];
  else process.env['NODE_ENV'] = mode;
  for (const file of globSync('**/*', { cwd: DIST })) {
    const path = join(DIST, file);
    if (!COMPRESSED.test(file) || statSync(path).size < LEAST_COMPRESSED_BYTES) continue;
    const content = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
    const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params: quality }));
  }
  writeFileSync(STAMP, '');
}

/** Builds if necessary; used by everything that serves the page from a work tree. */
export async function ensureWeb(log: (line: string) => void): Promise<void> {
  if (!isStale()) return;
  const startedAt = performance.now();
  await buildWeb();
  log(`built the control panel (web/dist) in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

if (import.meta.main) {
  if (process.argv.includes('--if-stale')) await ensureWeb(console.log);
  else await buildWeb();
}
