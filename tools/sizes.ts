/**
 * Fails on a function or a file of src/ or web/src/ that is too long to be read at once, and prints the longest. Biome finds the
 * functions (sizes.biome.json); a function's lines are all from its first to its last, with those of functions inside it.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'web/src'];
const MAX_FUNCTION_LINES = 120;
const MAX_FILE_LINES = 400;
const PRINTED = 5;
/** Longer than they may be, with how long they are. */
const KNOWN: Readonly<Record<string, number>> = {
  // One program for the kernel; its sum is recorded with the object, so it is touched where it is compiled.
  'src/services/nat64/kernel/fast-path.bpf.c': 415,
  'src/services/nat64/service.ts': 214,
};

interface Long {
  readonly where: string;
  readonly lines: number;
}

/** What Biome reports. */
interface Report {
  readonly diagnostics: readonly {
    readonly location: {
      readonly path: string;
      readonly start: { readonly line: number };
      readonly end: { readonly line: number };
    };
  }[];
}

function longFunctions(): Long[] {
  const args = ['lint', '--config-path=tools/sizes.biome.json', '--reporter=json', '--max-diagnostics=none'];
  const { stdout, error } = spawnSync(join(ROOT, 'node_modules/.bin/biome'), [...args, ...FOLDERS], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) throw error;
  const { diagnostics } = JSON.parse(stdout) as Report;
  const found = diagnostics.map(
    ({ location: { path, start, end } }) => [`${path}:${start.line}`, end.line - start.line + 1] as const,
  );
  // Of functions that begin in one line, the longest.
  const longest = new Map(found.toSorted(([, a], [, b]) => a - b));
  return Array.from(longest, ([where, lines]) => ({ where, lines }));
}

const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,css,c}`, { cwd: ROOT }));
const longFiles = files.map((where) => ({
  where,
  lines: readFileSync(join(ROOT, where), 'utf8').split('\n').length - 1,
}));

const areShort = [
  print('functions', longFunctions(), MAX_FUNCTION_LINES),
  print('files', longFiles, MAX_FILE_LINES),
].every((each) => each);
process.exitCode = areShort ? 0 : 1;

/** The longest, and all that are too long; false when there are any. */
function print(what: string, found: readonly Long[], limit: number): boolean {
  const sorted = found.toSorted((a, b) => b.lines - a.lines);
  const limitOf = (where: string) => Math.max(limit, KNOWN[where.replace(/:.*/, '')] ?? 0);
  const tooLong = sorted.filter(({ where, lines }) => lines > limitOf(where));
  console.log(`${tooLong.length === 0 ? '✔' : '✖'} ${what} of at most ${limit} lines; the longest:`);
  for (const { where, lines } of sorted.slice(0, Math.max(tooLong.length, PRINTED)))
    console.log(`    ${String(lines).padStart(4)} ${where}`);
  return tooLong.length === 0;
}
