/** What the files of src/ and web/ import of each other. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const AT_START = /^(?:import|export)\b[^;]*?from '(\.[^']+)';/gms;
const LATER = /\bimport\(\s*'(\.[^']+)'/g;

/** By file: the files that it imports, types included; with `isWithLater` those that are loaded later by `import()`, too. */
export function readImports(isWithLater: boolean): Map<string, string[]> {
  const files = ['src/**/*.ts', 'web/src/**/*.{ts,tsx}'].flatMap((pattern) =>
    globSync(pattern, { cwd: ROOT }),
  );
  const isFile = new Set(files);
  return new Map(
    files.map((file) => {
      const source = readFileSync(join(ROOT, file), 'utf8');
      const paths = [...source.matchAll(AT_START), ...(isWithLater ? source.matchAll(LATER) : [])];
      const imported = paths.map(([, path]) => normalize(join(dirname(file), path)));
      return [file, imported.filter((path) => isFile.has(path))];
    }),
  );
}
