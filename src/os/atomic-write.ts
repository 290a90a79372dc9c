/** Writes files so that, after a power failure at any moment, either the old or the new file is there, complete. */
import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const RANDOM_BYTES = 6;
/** What the names of temporary files add to the name of the file. */
const TEMPORARY = /^\.[0-9a-f]{12}\.tmp$/;

/**
 * Replaces a file (or makes it): writes a temporary file beside it, syncs it, renames it over the old one and syncs the
 * directory. When it resolves, the new content survives a power failure. On failure the old file is untouched, the
 * temporary file is removed, and the promise rejects with the path and the cause.
 *
 * @param mode permissions of the new file, whatever the umask is
 */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  mode: number,
): Promise<void> {
  const temporary = `${path}.${randomBytes(RANDOM_BYTES).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw new Error(`could not write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Removes temporary files of a killed process: those in this directory for which `isOurs` is true. No other process may be
 * writing. Rejects when they cannot be listed or removed.
 */
export async function removeTemporaries(
  directory: string,
  isOurs: (fileName: string) => boolean,
): Promise<void> {
  for (const name of await readdir(directory)) {
    const end = name.length - '.tmp'.length - 2 * RANDOM_BYTES - 1;
    if (end > 0 && TEMPORARY.test(name.slice(end)) && isOurs(name.slice(0, end)))
      await rm(join(directory, name), { force: true });
  }
}

/** The temporary files of one file. */
export const removeTemporariesOf = (path: string): Promise<void> =>
  removeTemporaries(dirname(path), (name) => name === basename(path));

/** Removes a file if it exists. When it resolves, the file stays removed even after a power failure. */
export async function removeFileDurably(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw new Error(`could not remove ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** A rename or removal is durable only when the directory is synced. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
