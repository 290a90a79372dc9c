/** A file of the state directory that is always written whole, and the states in which it may be found. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFileDurably, writeFileAtomically } from '../os/atomic-write.ts';
import { makeDirectory } from '../os/make-directory.ts';
import { NoFileError, readRegularFile } from '../os/read-file.ts';
import { setAside } from '../os/set-aside.ts';
import { TextError, say } from '../texts/text.ts';
import { createInTurn } from '../os/in-turn.ts';

export type Verdict<T> =
  | { readonly verdict: 'missing' }
  | { readonly verdict: 'good'; readonly value: T }
  /** The content was read but is invalid, or the path is not a regular file. */
  | { readonly verdict: 'damaged'; readonly error: Error }
  /** The file could not be read: no permission, a disk error, a dangling symbolic link. */
  | { readonly verdict: 'unreadable'; readonly error: Error };

export interface KeptFile {
  readonly path: string;
  /** Reads the file; `parse` throws if the content is not ours. Never rejects, and changes nothing. */
  read<T>(parse: (content: Buffer) => T): Promise<Verdict<T>>;
  /**
   * Replaces the content. Call `read` first, unless `isRemade`. A file that `read` found damaged is moved aside first; so is a
   * file that another program has written since. A file that `read` could not read is not replaced, nor one that appeared after
   * `read` found none. Resolves with the error if the content is not on disk. The error is then reported, and the write is
   * retried until it succeeds or something else is written. Never rejects.
   */
  write(content: string | Uint8Array): Promise<Error | undefined>;
  /** Like `write`, for callers that must not continue without it: rejects, and does not retry. */
  commit(content: string | Uint8Array): Promise<void>;
  /** Moves the file aside, whatever its state: a user asked for a new one in its place. Rejects on failure. */
  setAside(): Promise<void>;
  /** Removes the file; a damaged one is moved aside instead. Resolves with the error if it is still there. Never rejects. */
  remove(): Promise<Error | undefined>;
  /** The content in force that could not be written yet; undefined when the file has it. */
  readonly unwritten: string | Uint8Array | undefined;
}

export interface KeptFileOptions {
  /** Permissions. */
  readonly mode?: number;
  /** The content from before this process is useless: it is replaced without being read. */
  readonly isRemade?: boolean;
  /** We also write to the file in other ways. */
  readonly isAppended?: boolean;
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Reads a whole file; `parse` throws if the content cannot be used. Never rejects. */
export async function readVerdict<T>(path: string, parse: (content: Buffer) => T): Promise<Verdict<T>> {
  let content: Buffer;
  try {
    content = await readRegularFile(path);
  } catch (error) {
    if (error instanceof NoFileError) return { verdict: 'damaged', error };
    return isMissing(error) ? { verdict: 'missing' } : { verdict: 'unreadable', error: error as Error };
  }
  try {
    return { verdict: 'good', value: parse(content) };
  } catch (error) {
    // The parser's own message quotes the content, which may be a secret.
    const said = error instanceof SyntaxError ? new TextError(say('it is not JSON')) : (error as Error);
    return { verdict: 'damaged', error: said };
  }
}

/** The owner of the files in a directory. */
export interface FileKeeper {
  readonly directory: string;
  /** Throws while another process holds the directory. */
  assertOurs(): void;
  /**
   * Reports that a file or directory cannot be read or written (by its name, or its path when it is elsewhere); undefined: it
   * works again. Shown as the condition, and logged once.
   */
  note(name: string, what: 'read' | 'write', error: unknown): void;
  /** Reports that something was damaged and moved aside. */
  noteAside(name: string, error: unknown, aside: string): void;
  /** Reports that another program has written a file, and that its version was moved aside. */
  noteForeign(name: string, aside: string): void;
  /**
   * A write that is retried, with growing delays, until it succeeds. For data that is not written whole (a log, a database).
   * `run` tries it now and resolves with the error if it failed. Never rejects.
   */
  retried(name: string, write: () => Promise<void>): Retried;
}

export interface Retried {
  run(): Promise<Error | undefined>;
  cancel(): void;
}

/** Reads and makes nothing yet. */
export function createKeptFile(
  storage: FileKeeper,
  name: string,
  { mode = 0o600, isRemade = false, isAppended = false }: KeptFileOptions,
): KeptFile {
  const path = join(storage.directory, name);
  /** The result of `read`, or of our last write. */
  let state: Verdict<unknown>['verdict'] = 'missing';
  let damage: Error | undefined;
  /** The hash of the content that `read` found or this process wrote. */
  let ours: string | undefined;
  let wanted: string | Uint8Array | undefined;
  const inTurn = createInTurn();

  async function moveAside(): Promise<void> {
    storage.assertOurs();
    const aside = await setAside(path);
    state = 'missing';
    storage.note(name, 'read', undefined);
    storage.noteAside(name, damage ?? new TextError(say('it could not be used')), aside);
    damage = undefined;
  }

  /**
   * Another process may have written the file, or a person may have put back an older one. Keep that version, so that it is not
   * lost silently.
   */
  async function keepForeign(): Promise<void> {
    const found = await readVerdict(path, hashOf);
    if (found.verdict === 'missing' || (found.verdict === 'good' && found.value === ours)) return;
    storage.noteForeign(name, await setAside(path));
  }

  async function put(content: string | Uint8Array): Promise<void> {
    storage.assertOurs();
    if (state === 'unreadable') throw notOverwritten();
    if (state === 'damaged') await moveAside();
    if (state === 'good' && ours !== undefined) await keepForeign();
    // Do not overwrite an unknown file: the directory may have been away, and this may be its earlier content.
    if (state !== 'good') {
      const found = await lstatIfThere(path);
      if (isRemade && found?.isDirectory()) await moveAside();
      else if (!isRemade && found !== undefined)
        throw new TextError(say('it was not there at the start; restart to use it, or remove it'));
    }
    makeDirectory(dirname(path));
    await writeFileAtomically(path, content, mode);
    state = 'good';
    if (!isRemade && !isAppended) ours = hashOf(content);
  }

  const writing = storage.retried(name, () =>
    inTurn(async () => {
      const content = wanted;
      if (content === undefined) return; // something newer has been written already
      await put(content);
      if (wanted === content) wanted = undefined;
    }),
  );
  const forget = () => {
    writing.cancel();
    wanted = undefined;
  };

  return {
    path,
    get unwritten() {
      return wanted;
    },
    read: (parse) =>
      inTurn(async () => {
        let hash: string | undefined;
        const found = await readVerdict(path, (content) => {
          if (!isAppended) hash = hashOf(content);
          return parse(content);
        });
        state = found.verdict;
        ours = found.verdict === 'good' ? hash : undefined;
        damage = found.verdict === 'damaged' ? found.error : undefined;
        storage.note(name, 'read', found.verdict === 'unreadable' ? found.error : undefined);
        return found;
      }),
    write(content) {
      // `read` has already reported that the file cannot be read.
      if (state === 'unreadable') return Promise.resolve(notOverwritten());
      wanted = content;
      return writing.run();
    },
    commit: (content) =>
      inTurn(async () => {
        forget();
        await put(content);
        storage.note(name, 'write', undefined);
      }),
    setAside: () => inTurn(moveAside),
    remove: () =>
      inTurn(async () => {
        forget();
        try {
          storage.assertOurs();
          if (state === 'damaged') await moveAside();
          else if (state === 'good') await removeFileDurably(path);
        } catch (error) {
          storage.note(name, 'write', error);
          return error as Error;
        }
        if (state === 'unreadable') return notOverwritten();
        state = 'missing';
        storage.note(name, 'write', undefined);
        return undefined;
      }),
  };
}

/** The files are small and seldom written. */
const hashOf = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('base64url');

const notOverwritten = () => new TextError(say('a file that could not be read is not overwritten'));

const lstatIfThere = (path: string): Promise<Stats | undefined> =>
  lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
