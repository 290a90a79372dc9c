/** Reading a file that may be anything: a pipe, a device, a link to nothing. Neither waits for one nor reads without end. */
import { type Stats, closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { TextError, say } from '../texts/text.ts';

/** No file that is read whole is nearly as large. */
const MOST_BYTES = 64 << 20;
/** Without O_NONBLOCK, to open a FIFO waits for who is at its other end (open(2)). */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** What is there is no regular file, or none of ours. */
export class NoFileError extends TextError {}

function check(found: Stats): void {
  if (!found.isFile()) throw new NoFileError(say('it is no file'));
  if (found.size > MOST_BYTES) throw new NoFileError(say('it has {bytes} bytes', { bytes: found.size }));
}

/** What an error of opening means. ENOENT is passed on only where there is nothing, not even a symbolic link. */
function meaningOf(error: unknown, path: string): Error {
  const { code } = error as NodeJS.ErrnoException;
  // A socket, or a device without a driver (open(2)).
  if (code === 'ENXIO' || code === 'ENODEV') return new NoFileError(say('it is no file'));
  if (code === 'ENOENT' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    return new TextError(say('it is a symbolic link to something that is not there'));
  return error as Error;
}

/**
 * The content of a regular file. Rejects with a NoFileError when it is something else or larger than 64 MiB, with a TextError when it
 * is a symbolic link to nothing, else with the system's own error; ENOENT means that there is nothing.
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

/** The same, at once. */
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

/** Opens a file to add to it, and makes it when it is missing. Rejects with a NoFileError when it is no regular file. */
export async function openToAppend(path: string, mode: number) {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
  const file = await open(path, flags, mode).catch((error: NodeJS.ErrnoException) => {
    throw ['ENXIO', 'EISDIR'].includes(error.code ?? '') ? new NoFileError(say('it is no file')) : error;
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NoFileError(say('it is no file'));
}
