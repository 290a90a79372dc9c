/**
 * Fails on a function or file of src/ or web/src/ that is too long, and prints the longest. Biome finds the functions
 * (sizes.biome.json). The lines of a function include those of the functions inside it.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'web/src'];
const MAX_FUNCTION_LINES = 120;
const MAX_FILE_LINES = 400;
const PRINTED = 5;

interface Long {
  readonly where: string;
  readonly lines: number;
}

/** The format of Biome's report. */
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
  // If several functions start in one line, use the longest.
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

/** Prints the longest, and all that are too long; false when there are any of these. */
function print(what: string, found: readonly Long[], limit: number): boolean {
  const sorted = found.toSorted((a, b) => b.lines - a.lines);
  const tooLong = sorted.filter(({ lines }) => lines > limit);
  console.log(`${tooLong.length === 0 ? '✔' : '✖'} ${what} of at most ${limit} lines; the longest:`);
  for (const { where, lines } of sorted.slice(0, Math.max(tooLong.length, PRINTED)))
    console.log(`    ${String(lines).padStart(4)} ${where}`);
  return tooLong.length === 0;
}
