/** The imports of the repository's own files. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** A string or comment that looks like an import does not start a line. */
const AT_START = /^(?:import|export)\b( type)?(?:[^;'"]*? from)? '([^']+)';/gm;
const LATER = /\bimport\(()\s*'([^']+)'/g;

export interface Import {
  readonly from: string;
  /** A file of this repository, or a package. */
  readonly to: string;
  readonly isType: boolean;
}

/** TypeScript files below these folders, by path from the root. */
export const sourcesIn = (...folders: string[]): string[] =>
  folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: ROOT }).sort());

/** What a file imports; with `isWithLater` also what it loads by `import()`. */
export function importsOf(file: string, isWithLater = true): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const found = [...source.matchAll(AT_START), ...(isWithLater ? source.matchAll(LATER) : [])];
  return found.map(([, type, path]) => ({
    from: file,
    to: path.startsWith('.') ? normalize(join(dirname(file), path)) : path,
    isType: type === ' type',
  }));
}

/** By file of src/ and web/: the files there that it imports, types included; with `isWithLater` also those loaded by `import()`. */
export function readImports(isWithLater: boolean): Map<string, string[]> {
  const files = sourcesIn('src', 'web/src');
  const isFile = new Set(files);
  return new Map(
    files.map((file) => [
      file,
      importsOf(file, isWithLater)
        .map(({ to }) => to)
        .filter((to) => isFile.has(to)),
    ]),
  );
}
