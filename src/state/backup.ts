/**
 * The content of a backup, and how it is restored. Restored files wait in a staging directory and are moved into place at the
 * next start, before anything reads them: the running process would overwrite them.
 */
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory, writeFileAtomically } from '../os/atomic-write.ts';
import { readRegularFile } from '../os/read-file.ts';
import { setAside } from '../os/set-aside.ts';
import { reasonWithRemedy } from '../os/system-reason.ts';
import type { Logger } from '../runtime/log.ts';
import { readVerdict } from '../runtime/kept-file.ts';
import type { Storage } from '../runtime/storage.ts';
import { type BackupEntry, BackupError } from './backup-error.ts';
import { type Text, TextError, reasonOf, say } from '../texts/text.ts';

/** The paths of all files. */
export interface Places {
  readonly configPath: string;
  readonly stateDirectory: string;
}

interface Part {
  /** Name in the backup, and in the staging directory. */
  readonly name: string;
  /** For the user. */
  readonly title: Text;
  readonly path: (places: Places) => string;
  /** Whether it contains accounts or a key. */
  readonly isAccess?: true;
  /** The part of the file that goes into the backup; undefined for nothing. */
  readonly trim?: (content: Buffer) => Buffer | undefined;
}

const inState =
  (name: string) =>
  ({ stateDirectory }: Places) =>
    join(stateDirectory, name);

/** The newest part of the configuration's history, up to this size. */
const MAX_REVISIONS_BYTES = 2 << 20;

/** The complete lines at the end. */
function newestRevisions(content: Buffer): Buffer {
  if (content.length <= MAX_REVISIONS_BYTES) return content;
  const from = content.indexOf(10, content.length - MAX_REVISIONS_BYTES);
  return content.subarray(from + 1);
}

/**
 * Sessions are left out: a backup must not bring back one that was revoked since. For an appliance without an owner nothing is
 * saved: restoring that would remove the owner of the appliance where it is restored.
 */
function withoutSessions(content: Buffer): Buffer | undefined {
  const data = JSON.parse(content.toString('utf8')) as Record<string, unknown>;
  if (typeof data['password'] !== 'string') return undefined;
  return Buffer.from(`${JSON.stringify({ ...data, sessions: [] })}\n`);
}

const CONFIG = 'config.json';

/**
 * Everything that a backup may contain. An entry with another name is refused, so no file name is ever taken from the backup.
 * The bootstrap token, the audit log, logs and figures belong to the appliance, not to its settings.
 */
const PARTS: readonly Part[] = [
  { name: CONFIG, title: say('Configuration'), path: ({ configPath }) => configPath },
  {
    name: 'state/revisions',
    title: say('History of the configuration'),
    path: inState('revisions'),
    trim: newestRevisions,
  },
  { name: 'state/ssh-ports.json', title: say("The servers' SSH ports"), path: inState('ssh-ports.json') },
  {
    name: 'state/auth.json',
    title: say('Password, two-factor secret and API tokens'),
    path: inState('auth.json'),
    isAccess: true,
    trim: withoutSessions,
  },
  {
    name: 'state/admin-certificate.pem',
    title: say('Certificate of this page'),
    path: inState('admin-certificate.pem'),
    isAccess: true,
  },
];

const FILE_MODE = 0o600;
const STAGE = 'restore';
/** Removed by a restore: a change that waits for its confirmation would otherwise be rolled back after it. */
const OBSOLETE = ['pending-change.json'];

/**
 * What a backup contains of a file; undefined when there is no file. `unwritten`: the content in force that could not be
 * written yet. Throws BackupError when the file cannot be used.
 */
async function contentOf(part: Part, path: string, unwritten?: Buffer): Promise<Buffer | undefined> {
  const { trim = (content: Buffer) => content } = part;
  if (unwritten !== undefined) return trim(unwritten);
  const found = await readVerdict(path, trim);
  if (found.verdict === 'good') return found.value;
  if (found.verdict === 'missing') return undefined;
  throw new BackupError(
    'unreadable',
    say('{path} cannot be used ({reason})', { path, reason: reasonOf(found.error) }),
  );
}

/**
 * The entries of a backup of the current state, with or without the access data. `configText` is the text of the active
 * configuration, undefined for none. `unwrittenOf` returns the content of a state file that could not be written yet. Rejects
 * with a BackupError when a file cannot be used: a backup without it would be useless.
 */
export async function collectEntries(
  places: Places,
  withAccess: boolean,
  configText: string | undefined,
  unwrittenOf: (name: string) => Uint8Array | string | undefined = () => undefined,
): Promise<BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for (const part of PARTS) {
    const { name, path, isAccess } = part;
    if (isAccess === true && !withAccess) continue;
    const unwritten = name === CONFIG ? configText : unwrittenOf(basename(name));
    if (name === CONFIG && unwritten === undefined) continue;
    const content = await contentOf(
      part,
      path(places),
      unwritten === undefined ? undefined : Buffer.from(unwritten),
    );
    if (content !== undefined) entries.push({ name, content });
  }
  return entries;
}

export interface PlannedEntry extends BackupEntry {
  readonly title: Text;
  readonly change: 'same' | 'new' | 'replaces';
}

/** Parsers for the entries of a backup, by name. Each throws on content that this version would not use. */
export type EntryParsers = Readonly<Record<string, (content: Buffer) => unknown>>;

/**
 * What restoring these entries would do. Throws BackupError on an unknown entry, a repeated name, or an entry that this version
 * could not use: it would be moved aside at the next start, and nobody could sign in.
 */
export async function planRestore(
  entries: readonly BackupEntry[],
  places: Places,
  parsers: EntryParsers = {},
): Promise<PlannedEntry[]> {
  const seen = new Set<string>();
  const planned: PlannedEntry[] = [];
  for (const { name, content } of entries) {
    const part = PARTS.find((candidate) => candidate.name === name);
    if (part === undefined || seen.has(name)) {
      const entry = { name: JSON.stringify(name.slice(0, 80)) };
      throw new BackupError(
        'damaged',
        part === undefined
          ? say('The backup has an unknown entry: {name}.', entry)
          : say('The backup has an entry twice: {name}.', entry),
      );
    }
    seen.add(name);
    try {
      parsers[name]?.(Buffer.from(content));
    } catch (error) {
      const reason = error instanceof SyntaxError ? say('it is not JSON') : reasonOf(error);
      throw new BackupError(
        'newer',
        say('This version cannot use what the backup has for "{title}" ({reason}); nothing was changed.', {
          title: part.title,
          reason,
        }),
      );
    }
    // A file that is damaged now may be the reason for the restore: ignore the error.
    const kept = await contentOf(part, part.path(places)).catch(() => Buffer.alloc(0));
    const change = kept === undefined ? 'new' : kept.equals(content) ? 'same' : 'replaces';
    planned.push({ name, content, title: part.title, change });
  }
  return planned;
}

const stageName = (name: string): string => name.replace('/', '.');

/** Stages entries for the next start: all of them or, when this rejects, none. */
export async function stageRestore(
  entries: readonly BackupEntry[],
  { stateDirectory }: Places,
): Promise<void> {
  const stage = join(stateDirectory, STAGE);
  const temporary = `${stage}.new`;
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { mode: 0o700 });
    for (const { name, content } of entries) {
      await writeFileAtomically(join(temporary, stageName(name)), content, FILE_MODE);
    }
    await rm(stage, { recursive: true, force: true });
    await rename(temporary, stage);
    await syncDirectory(stateDirectory);
  } catch (error) {
    // On a full disk the files would take space that is needed.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw new BackupError(
      'unwritable',
      say('The backup was not restored, and nothing was changed: {reason}', {
        reason: reasonWithRemedy(error),
      }),
      { cause: error },
    );
  }
}

/** A restored file, stored beside its target until all are complete. */
interface Ready {
  readonly name: string;
  readonly target: string;
  readonly temporary: string;
}

/**
 * At the start, before anything is read: moves staged files into place, all or none. The steps that need disk space come first.
 * If one fails, as on a full disk, nothing has changed and the restore is cancelled: it must not run at a later start and
 * overwrite newer settings. After that, files are only renamed, and a start after a power failure continues there. Never
 * rejects: without the restored files, the previous ones are used.
 */
export async function finishRestore(
  places: Places,
  storage: Storage,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const stage = join(places.stateDirectory, STAGE);
  await rm(`${stage}.new`, { recursive: true, force: true }).catch(() => {});
  const staged = await readdir(stage).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') storage.note(STAGE, 'read', error);
    // A file in the place of the directory: not ours.
    return error.code === 'ENOTDIR' ? 'damaged' : undefined;
  });
  if (staged === undefined) return;
  if (staged === 'damaged') {
    await setAside(stage).then(
      (aside) => {
        storage.note(STAGE, 'read', undefined);
        storage.noteAside(STAGE, new TextError(say('it is not a directory')), aside);
      },
      (error: unknown) => storage.note(STAGE, 'write', error),
    );
    return;
  }
  const parts = PARTS.filter(({ name }) => staged.includes(stageName(name)));
  const ready: Ready[] = [];
  try {
    for (const { name, path } of parts) ready.push(await prepare(name, path(places), stage));
  } catch (error) {
    for (const { temporary } of ready) await rm(temporary, { force: true }).catch(() => {});
    await abandon(stage, error, storage);
    return;
  }
  try {
    for (const file of parts.length === 0 ? [] : OBSOLETE)
      await rm(join(places.stateDirectory, file), { recursive: true, force: true });
    for (const { target, temporary } of ready) {
      if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true) await setAside(target);
      await rename(temporary, target);
      await syncDirectory(dirname(target));
    }
    await rm(stage, { recursive: true });
    await syncDirectory(places.stateDirectory);
    log.info({ restored: ready.map(({ name }) => name) }, 'restored from a backup');
  } catch (error) {
    storage.note(STAGE, 'write', error);
  }
}

/** Copies instead of moving: the configuration may be on another file system. */
async function prepare(name: string, path: string, stage: string): Promise<Ready> {
  // Write to the target of a symbolic link, do not replace the link.
  const target = existsSync(path) ? realpathSync(path) : path;
  const temporary = `${target}.restored`;
  await rm(temporary, { recursive: true, force: true });
  await writeFileAtomically(temporary, await readRegularFile(join(stage, stageName(name))), FILE_MODE);
  return { name, target, temporary };
}

/** Removes the staging directory, and reports that nothing was restored. If even the removal fails, no file has been changed either. */
async function abandon(stage: string, error: unknown, storage: Storage): Promise<void> {
  try {
    await rm(stage, { recursive: true });
    storage.noteNotRestored(error);
  } catch (failure) {
    storage.note(STAGE, 'write', failure);
  }
}
