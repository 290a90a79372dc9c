/** Creates directories that may not exist yet. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a directory, for its owner only, and its parents; an existing one stays as it is. Throws on failure. Does not use
 * mkdir's `recursive`, which never returns if a file system answers ENOENT although the parent exists, as /proc does.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'EEXIST' || (code === 'EROFS' && existsSync(path))) {
      // If a file is in its place, the code that uses the directory notices it.
      return;
    }
    if (code !== 'ENOENT' || existsSync(parent) || parent === path) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
