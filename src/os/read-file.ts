/** Reads a path that may be anything: a pipe, a device, a dangling link. Never waits for a pipe, and never reads without end. */
import { type Stats, closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { TextError, say } from '../texts/text.ts';

/** No file that is read whole is nearly this large. */
const MOST_BYTES = 64 << 20;
/** Without O_NONBLOCK, opening a FIFO waits for the other end (open(2)). */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** The path is not a regular file, or not one of ours. */
export class NoFileError extends TextError {}

function check(found: Stats): void {
  if (!found.isFile()) throw new NoFileError(say('it is not a file'));
  if (found.size > MOST_BYTES) throw new NoFileError(say('it has {bytes} bytes', { bytes: found.size }));
}

/** Interprets an error of opening. ENOENT is passed on only if nothing exists, not even a symbolic link. */
function meaningOf(error: unknown, path: string): Error {
  const { code } = error as NodeJS.ErrnoException;
  // A socket, or a device without a driver (open(2)).
  if (code === 'ENXIO' || code === 'ENODEV') return new NoFileError(say('it is not a file'));
  if (code === 'ENOENT' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    return new TextError(say('it is a symbolic link to something that is not there'));
  return error as Error;
}

/**
 * The content of a regular file. Rejects with a NoFileError when the path is something else or larger than 64 MiB, with a
 * TextError when it is a dangling symbolic link, otherwise with the system's error. ENOENT means that nothing exists.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  const file = await open(path, READ).catch((error: unknown) => {
    throw meaningOf(error, path);
  });
  try {
    check(await file.stat());
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** The same, synchronously. */
export function readRegularFileSync(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(path, READ);
  } catch (error) {
    throw meaningOf(error, path);
  }
  try {
    check(fstatSync(fd));
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens a file for appending, and creates it if it is missing. Rejects with a NoFileError when it is not a regular file. */
export async function openToAppend(path: string, mode: number) {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
  const file = await open(path, flags, mode).catch((error: NodeJS.ErrnoException) => {
    throw ['ENXIO', 'EISDIR'].includes(error.code ?? '') ? new NoFileError(say('it is not a file')) : error;
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NoFileError(say('it is not a file'));
}
