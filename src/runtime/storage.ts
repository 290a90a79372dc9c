/**
 * The state directory. What is read from it is missing, good, damaged or unreadable, and these are four different things:
 * damaged is what we could read and not use; it is moved aside before anything is written in its place. What we may not or
 * cannot read stays as it is. What cannot be written goes on from memory, is tried again, and is told as the condition
 * "storage": no data plane depends on a write.
 */
import { relative, resolve } from 'node:path';
import { makeDirectory } from '../os/make-directory.ts';
import { type Text, TextError, asIs, english, reasonOf, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';
import { type FileKeeper, type KeptFile, type KeptFileOptions, createKeptFile } from './kept-file.ts';
import { type Logger, silentLog } from './log.ts';

export interface StorageNotice {
  readonly severity: 'ok' | 'warn';
  readonly text: Text;
}

export interface Storage extends FileKeeper, Disposable {
  /** A file of the directory that is written whole; the same one for the same name. */
  file(name: string, options?: KeptFileOptions): KeptFile;
  /** Hears of what was moved aside, also of what was before it listened. */
  onNotice(listener: (notice: StorageNotice) => void): void;
}

export interface StorageOptions {
  readonly log?: Pick<Logger, 'info' | 'error'> | undefined;
  readonly conditions?: Conditions | undefined;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 300_000;

interface Trouble {
  readonly name: string;
  readonly what: 'read' | 'write';
  readonly code: string;
  readonly reason: Text;
}

/** Opens the directory, and makes it when it is missing. Never throws: without it all goes on from memory. */
export function openStorage(
  directory: string,
  { log = silentLog, conditions }: StorageOptions = {},
): Storage {
  const troubles = new Map<string, Trouble>();
  const files = new Map<string, KeptFile>();
  const timers = new Set<() => void>();
  let shown: readonly string[] = [];
  let listener: ((notice: StorageNotice) => void) | undefined;
  let unheard: StorageNotice[] = [];

  /** One condition for all that has the same reason: a full disk is one fault, not seven. */
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

  const storage: Storage = {
    directory,
    file(name, options = {}) {
      let file = files.get(name);
      if (file === undefined) files.set(name, (file = createKeptFile(storage, name, options)));
      return file;
    },
    note,
    noteAside(name, error, aside) {
      log.error({ err: error, aside }, `storage: ${name} is damaged and was kept aside`);
      const text = say('{name} was damaged ({reason}); it is kept as {aside}.', {
        name,
        aside,
        reason: reasonOf(rootOf(error)),
      });
      if (listener === undefined) unheard.push({ severity: 'warn', text });
      else listener({ severity: 'warn', text });
    },
    retried(name, write) {
      let timer: NodeJS.Timeout | undefined;
      let delayMs = FIRST_RETRY_MS;
      let last: Promise<Error | undefined> = Promise.resolve(undefined);
      const cancel = () => clearTimeout(timer);
      timers.add(cancel);
      const run = () => {
        last = last.then(async () => {
          cancel();
          try {
            await write();
          } catch (error) {
            note(name, 'write', error);
            timer = setTimeout(() => void run(), delayMs).unref();
            delayMs = Math.min(2 * delayMs, LONGEST_RETRY_MS);
            return error as Error;
          }
          delayMs = FIRST_RETRY_MS;
          note(name, 'write', undefined);
          note('.', 'write', undefined);
          return undefined;
        });
        return last;
      };
      return { run, cancel };
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

/** The system's own error: what is around it is said by the condition already. */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof TextError) && error.cause !== undefined
    ? rootOf(error.cause)
    : error;

/** Without the call and its path: "EROFS: read-only file system". */
function plainReasonOf(error: unknown): Text {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const end = code === undefined || syscall === undefined ? -1 : message.indexOf(`, ${syscall}`);
  return end < 0 ? reasonOf(error) : asIs(message.slice(0, end));
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

function conditionOf(directory: string, group: readonly Trouble[]): Text {
  const [{ what, code, reason }] = group;
  const files = group
    .map(({ name }) => name)
    .sort()
    .join(', ');
  const values = { files, directory, reason, remedy: remedyOf(code) };
  return what === 'read'
    ? say(
        'In {directory} cannot be read: {files} ({reason}). It is left as it is, and everything else goes on without it. {remedy}',
        values,
      )
    : say(
        'In {directory} cannot be written: {files} ({reason}). Everything goes on from memory, and it is tried again. {remedy}',
        values,
      );
}

/** What to do about it. */
function remedyOf(code: string): Text {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return say('Free some space on that disk.');
    case 'EROFS':
      return say(
        'The file system is read-only, as after a fault of the disk: the log of the kernel has the reason. Replace a worn card, or mount it for writing.',
      );
    case 'EACCES':
    case 'EPERM':
      return say(
        'Give the directory and what is in it to the user that this process runs as (chown), and restart it.',
      );
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return say('Make the directory, for the user that this process runs as.');
    default:
      return say('Look at what is there, and at the disk.');
  }
}
