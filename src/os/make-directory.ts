/** Directories that may not be there yet. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory, for its owner only, and those above it; one that is there stays as it is. Throws when it cannot. Not by
 * mkdir's `recursive`, which never returns where a file system answers ENOENT although the parent is there, as /proc does.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'EEXIST' || (code === 'EROFS' && existsSync(path))) {
      // A file in its place is found by who uses it.
      return;
    }
    if (code !== 'ENOENT' || existsSync(parent) || parent === path) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
