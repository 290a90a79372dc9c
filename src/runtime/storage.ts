/**
 * The state directory. A file in it is missing, good, damaged or unreadable, and each case is treated differently. A damaged
 * file could be read but not used: it is moved aside before anything is written in its place. An unreadable file stays as it
 * is. If a write fails, the content stays in force in memory, the write is retried, and the condition "storage" reports it: no
 * data plane depends on a write.
 */
import { relative, resolve } from 'node:path';
import { makeDirectory } from '../os/make-directory.ts';
import { codeOf, plainReasonOf, remedyOf, rootOf, reasonWithRemedy } from '../os/system-reason.ts';
import { type Text, TextError, english, reasonOf, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';
import type { DirectoryLock } from './directory-lock.ts';
import { type FileKeeper, type KeptFile, type KeptFileOptions, createKeptFile } from './kept-file.ts';
import { type Logger, silentLog } from './log.ts';

export interface StorageNotice {
  readonly severity: 'ok' | 'warn';
  readonly text: Text;
}

export interface Storage extends FileKeeper, Disposable {
  /** False while another process holds the directory. Nothing is written then. */
  readonly isOurs: boolean;
  /** A file of the directory that is written whole. The same name returns the same object. */
  file(name: string, options?: KeptFileOptions): KeptFile;
  /** Reports, until the next start, that a backup could not be restored. */
  noteNotRestored(error: unknown): void;
  /** Sets the listener for files that were moved aside, including those from before this call. */
  onNotice(listener: (notice: StorageNotice) => void): void;
}

export interface StorageOptions {
  readonly log?: Pick<Logger, 'info' | 'error'> | undefined;
  readonly conditions?: Conditions | undefined;
  /** Without a lock, the directory is ours. */
  readonly lock?: Pick<DirectoryLock, 'isOurs'> | undefined;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 300_000;

interface Trouble {
  readonly name: string;
  readonly what: 'read' | 'write';
  readonly code: string;
  readonly reason: Text;
}

/** Opens the directory, and makes it if it is missing. Never throws: without the directory everything runs from memory. */
export function openStorage(
  directory: string,
  { log = silentLog, conditions, lock }: StorageOptions = {},
): Storage {
  const troubles = new Map<string, Trouble>();
  const files = new Map<string, KeptFile>();
  const timers = new Set<() => void>();
  /** The `run` functions of `retried` that wait for another attempt. */
  const failing = new Set<() => Promise<Error | undefined>>();
  let shown: readonly string[] = [];
  let listener: ((notice: StorageNotice) => void) | undefined;
  let unheard: StorageNotice[] = [];

  /** One condition for all files with the same cause: a full disk is one problem, not seven. */
  function show(): void {
    const groups = Map.groupBy(troubles.values(), ({ what, code, reason }) =>
      [what, code === '' ? english(reason) : code].join(' '),
    );
    for (const key of shown) if (!groups.has(key)) conditions?.set('storage', key, undefined);
    shown = [...groups.keys()];
    for (const [key, group] of groups) conditions?.set('storage', key, conditionOf(directory, group));
  }

  function note(name: string, what: 'read' | 'write', error: unknown): void {
    const file = resolve(directory, name);
    const key = `${what} ${file}`;
    const before = troubles.get(key);
    if (error === undefined) {
      if (before === undefined) return;
      troubles.delete(key);
      log.info({ file }, `storage: can ${what} it again`);
    } else {
      const root = rootOf(error);
      const code = codeOf(root);
      const reason = plainReasonOf(root);
      if (before?.code === code && (code !== '' || english(before.reason) === english(reason))) return;
      const shownName = relative(directory, file);
      troubles.set(key, { name: shownName.startsWith('..') ? file : shownName || '.', what, code, reason });
      log.error({ err: error, file }, `storage: cannot ${what} it, going on without`);
    }
    show();
  }

  function reportAside(text: Text): void {
    if (listener === undefined) unheard.push({ severity: 'warn', text });
    else listener({ severity: 'warn', text });
  }

  const storage: Storage = {
    directory,
    get isOurs() {
      return lock?.isOurs ?? true;
    },
    assertOurs() {
      if (storage.isOurs) return;
      throw Object.assign(new TextError(say('another process uses the directory')), { code: 'EBUSY' });
    },
    file(name, options = {}) {
      let file = files.get(name);
      if (file === undefined) files.set(name, (file = createKeptFile(storage, name, options)));
      return file;
    },
    note,
    noteAside(name, error, aside) {
      log.error({ err: error, aside }, `storage: ${name} is damaged and was kept aside`);
      const reason = reasonOf(rootOf(error));
      reportAside(say('{name} was damaged ({reason}); it is kept as {aside}.', { name, aside, reason }));
    },
    noteNotRestored(error) {
      log.error({ err: error }, 'storage: the backup could not be restored, what was there before runs');
      const text = say(
        'The backup was not restored; the configuration from before is still active. Fix the cause, then restore the backup again: {reason}',
        { reason: reasonWithRemedy(error) },
      );
      conditions?.set('storage', 'not restored', text);
    },
    noteForeign(name, aside) {
      log.error({ aside }, `storage: another program wrote ${name}, which was kept aside`);
      reportAside(
        say('Another program wrote {name} while this one was using it; what it wrote is kept as {aside}.', {
          name,
          aside,
        }),
      );
    },
    retried(name, write) {
      const retried = createRetried(storage, failing, name, write);
      timers.add(retried.cancel);
      return retried;
    },
    onNotice(newListener) {
      listener = newListener;
      for (const each of unheard) listener(each);
      unheard = [];
    },
    [Symbol.dispose]() {
      for (const cancel of timers) cancel();
    },
  };
  try {
    makeDirectory(directory);
  } catch (error) {
    note('.', 'write', error);
  }
  return storage;
}

/** A write that is tried again until it succeeds. `failing`: those that wait for another attempt, one of which may help the others. */
function createRetried(
  storage: Storage,
  failing: Set<() => Promise<Error | undefined>>,
  name: string,
  write: () => Promise<unknown>,
): ReturnType<Storage['retried']> {
  let timer: NodeJS.Timeout | undefined;
  let delayMs = FIRST_RETRY_MS;
  let last: Promise<Error | undefined> = Promise.resolve(undefined);
  const cancel = () => {
    clearTimeout(timer);
    failing.delete(run);
  };
  const attempt = (isRetry: boolean) => {
    last = last.then(async () => {
      clearTimeout(timer);
      try {
        storage.assertOurs();
        await write();
      } catch (error) {
        storage.note(name, 'write', error);
        // Attempts that a caller asks for do not lengthen the delay.
        if (isRetry) delayMs = Math.min(2 * delayMs, LONGEST_RETRY_MS);
        timer = setTimeout(() => void attempt(true), delayMs).unref();
        failing.add(run);
        return error as Error;
      }
      delayMs = FIRST_RETRY_MS;
      storage.note(name, 'write', undefined);
      storage.note('.', 'write', undefined);
      // The same cause may have stopped other writes too: retry them now.
      if (failing.delete(run)) for (const other of failing) void other();
      return undefined;
    });
    return last;
  };
  const run = () => attempt(false);
  return { run, cancel };
}

function conditionOf(directory: string, group: readonly Trouble[]): Text {
  const [{ what, code, reason }] = group;
  const files = group
    .map(({ name }) => name)
    .sort()
    .join(', ');
  const values = {
    files,
    directory,
    reason,
    remedy: remedyOf(code) ?? say('Check what is there, and the disk.'),
  };
  return what === 'read'
    ? say(
        'Cannot read in {directory}: {files} ({reason}). The files are not changed, and everything else runs without them. {remedy}',
        values,
      )
    : say(
        'Cannot write in {directory}: {files} ({reason}). Everything runs from memory, and writing is retried. {remedy}',
        values,
      );
}
