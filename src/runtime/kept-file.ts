/** A file of the state directory that is written whole, and what may be found in its place. */
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
  /** It was read, and is not what is written there; or it is no file. */
  | { readonly verdict: 'damaged'; readonly error: Error }
  /** It could not be read: no permission, a fault of the disk, a symbolic link to nothing. */
  | { readonly verdict: 'unreadable'; readonly error: Error };

export interface KeptFile {
  readonly path: string;
  /** What is there now; `parse` throws when it is not what we write. Never rejects, changes nothing. */
  read<T>(parse: (content: Buffer) => T): Promise<Verdict<T>>;
  /**
   * Replaces the content (after `read`, unless `isRemade`). What `read` found damaged is moved aside first, and so is what another
   * program has written since; what it could not read, or what came after it had found nothing, is not replaced. Resolves with why it is not on the disk: then it is told, and tried again until it is or
   * until something else is written. Never rejects.
   */
  write(content: string | Uint8Array): Promise<Error | undefined>;
  /** The same for who must not go on without it: rejects, and is not tried again. */
  commit(content: string | Uint8Array): Promise<void>;
  /** Moves what is there aside, whatever it is: somebody asked for something new in its place. Rejects when it cannot. */
  setAside(): Promise<void>;
  /** Removes the file; a damaged one is moved aside. Resolves with why it is still there. Never rejects. */
  remove(): Promise<Error | undefined>;
  /** What is in force, and could not be written yet; undefined when the file has it. */
  readonly unwritten: string | Uint8Array | undefined;
}

export interface KeptFileOptions {
  /** Permissions. */
  readonly mode?: number;
  /** What was there before this process is of no use to anybody: it is replaced without being looked at. */
  readonly isRemade?: boolean;
  /** We write to it by other ways, too. */
  readonly isAppended?: boolean;
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** What is at a path, read whole; `parse` throws when it cannot be used. Never rejects. */
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
    // The parser's own words quote the content, which may be a secret.
    const said = error instanceof SyntaxError ? new TextError(say('it is no JSON')) : (error as Error);
    return { verdict: 'damaged', error: said };
  }
}

/** Whoever keeps files in a directory. */
export interface FileKeeper {
  readonly directory: string;
  /** Throws while another process has the directory. */
  assertOurs(): void;
  /**
   * What cannot be done with a file or directory (by its name, or its path when it is elsewhere), or, with undefined, that it
   * can be done again. Told as the condition, and once in the log.
   */
  note(name: string, what: 'read' | 'write', error: unknown): void;
  /** Tells that something was damaged and moved aside. */
  noteAside(name: string, error: unknown, aside: string): void;
  /** Tells that another program has written a file, and that this was moved aside. */
  noteForeign(name: string, aside: string): void;
  /**
   * A write that is tried again, later and later, until it succeeds, for what is not written whole (a log, a database):
   * `run` tries it now and resolves with why it failed. Never rejects.
   */
  retried(name: string, write: () => Promise<void>): Retried;
}

export interface Retried {
  run(): Promise<Error | undefined>;
  cancel(): void;
}

/** Nothing is read or made yet. */
export function createKeptFile(
  storage: FileKeeper,
  name: string,
  { mode = 0o600, isRemade = false, isAppended = false }: KeptFileOptions,
): KeptFile {
  const path = join(storage.directory, name);
  /** What `read` has found, or what this process has put there. */
  let state: Verdict<unknown>['verdict'] = 'missing';
  let damage: Error | undefined;
  /** Of what `read` has found, or this process has written. */
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

  /** Another process on the directory, or a person who put an older file back: neither must be lost unseen. */
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
    // What we do not know is not written over: it may be what the directory had before it went away.
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
      if (content === undefined) return; // something newer is written already
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
      // Told already, as what cannot be read.
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

/** They are small, and seldom written. */
const hashOf = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('base64url');

const notOverwritten = () => new TextError(say('what could not be read is not written over'));

const lstatIfThere = (path: string): Promise<Stats | undefined> =>
  lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
