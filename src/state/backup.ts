/**
 * What a backup holds, and how it comes back. Restored files wait in a directory of their own and are put in place at the
 * next start, before anything reads them: the running process would write over them.
 */
import { lstatSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeFileAtomically } from '../os/atomic-write.ts';
import { readRegularFile } from '../os/read-file.ts';
import { setAside } from '../os/set-aside.ts';
import type { Logger } from '../runtime/log.ts';
import { readVerdict } from '../runtime/kept-file.ts';
import type { Storage } from '../runtime/storage.ts';
import { type BackupEntry, BackupError } from './backup-seal.ts';
import { type Text, TextError, reasonOf, say } from '../texts/text.ts';

/** Where everything is. */
export interface Places {
  readonly configPath: string;
  readonly stateDirectory: string;
}

interface Part {
  /** In the backup, and in the staging directory. */
  readonly name: string;
  /** For people. */
  readonly title: Text;
  readonly path: (places: Places) => string;
  /** Whether it says who may sign in, or holds a key. */
  readonly isAccess?: true;
  /** What of the file goes into the backup. */
  readonly trim?: (content: Buffer) => Buffer;
}

const inState =
  (name: string) =>
  ({ stateDirectory }: Places) =>
    join(stateDirectory, name);

/** Of the history of the configuration, so much of the newest. */
const MAX_REVISIONS_BYTES = 2 << 20;

/** Whole lines of the end. */
function newestRevisions(content: Buffer): Buffer {
  if (content.length <= MAX_REVISIONS_BYTES) return content;
  const from = content.indexOf(10, content.length - MAX_REVISIONS_BYTES);
  return content.subarray(from + 1);
}

/** Sessions stay behind: a backup must not bring back one that was revoked since. */
function withoutSessions(content: Buffer): Buffer {
  const data = JSON.parse(content.toString('utf8')) as Record<string, unknown>;
  return Buffer.from(`${JSON.stringify({ ...data, sessions: [] })}\n`);
}

const CONFIG = 'config.json';

/**
 * Everything that a backup may hold; an entry of another name is refused, so no name of a file is ever taken from outside.
 * The bootstrap token, the audit log, logs and figures belong to the appliance, not to its set-up.
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
/** A change that waits for its confirmation would be taken back after the restore. */
const OBSOLETE = ['pending-change.json'];

/** What goes into a backup of a file; undefined when there is none. Throws BackupError when it cannot be used. */
async function contentOf(part: Part, path: string): Promise<Buffer | undefined> {
  const found = await readVerdict(path, part.trim ?? ((content) => content));
  if (found.verdict === 'good') return found.value;
  if (found.verdict === 'missing') return undefined;
  throw new BackupError(
    'unreadable',
    say('{path} cannot be used ({reason})', { path, reason: reasonOf(found.error) }),
  );
}

/**
 * The entries of a backup of what is now, with or without what says who may sign in. `configText` is the file of what is in
 * force, undefined for none. Rejects with a BackupError when a file cannot be used: a backup without it would be none.
 */
export async function collectEntries(
  places: Places,
  withAccess: boolean,
  configText: string | undefined,
): Promise<BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for (const part of PARTS) {
    const { name, path, isAccess } = part;
    if (isAccess === true && !withAccess) continue;
    const content =
      name === CONFIG
        ? configText === undefined
          ? undefined
          : Buffer.from(configText)
        : await contentOf(part, path(places));
    if (content !== undefined) entries.push({ name, content });
  }
  return entries;
}

export interface PlannedEntry extends BackupEntry {
  readonly title: Text;
  readonly change: 'same' | 'new' | 'replaces';
}

/** What restoring these entries would do. Throws BackupError on an entry that no backup of ours has, or a second of a name. */
export async function planRestore(entries: readonly BackupEntry[], places: Places): Promise<PlannedEntry[]> {
  const seen = new Set<string>();
  const planned: PlannedEntry[] = [];
  for (const { name, content } of entries) {
    const part = PARTS.find((candidate) => candidate.name === name);
    if (part === undefined || seen.has(name)) {
      const entry = { name: JSON.stringify(name.slice(0, 80)) };
      throw new BackupError(
        'damaged',
        part === undefined
          ? say('The backup holds an entry that no backup has: {name}.', entry)
          : say('The backup holds an entry twice: {name}.', entry),
      );
    }
    seen.add(name);
    // What is damaged now is what a backup is for.
    const kept = await contentOf(part, part.path(places)).catch(() => Buffer.alloc(0));
    const change = kept === undefined ? 'new' : kept.equals(content) ? 'same' : 'replaces';
    planned.push({ name, content, title: part.title, change });
  }
  return planned;
}

const stageName = (name: string): string => name.replace('/', '.');

/** Puts entries aside for the next start: all of them or, when this rejects, none. */
export async function stageRestore(
  entries: readonly BackupEntry[],
  { stateDirectory }: Places,
): Promise<void> {
  const stage = join(stateDirectory, STAGE);
  const temporary = `${stage}.new`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { mode: 0o700 });
  for (const { name, content } of entries) {
    await writeFileAtomically(join(temporary, stageName(name)), content, FILE_MODE);
  }
  await rm(stage, { recursive: true, force: true });
  await rename(temporary, stage);
  await syncDirectory(stateDirectory);
}

/**
 * At the start, before anything is read: puts what waits in place, if something does. A power failure in between is made
 * good at the next start, because each file is moved by itself and the directory goes last; so is a disk that is full or
 * cannot be written to, which `storage` tells. Never rejects: without the restored files, what was there runs.
 */
export async function finishRestore(
  places: Places,
  storage: Storage,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const stage = join(places.stateDirectory, STAGE);
  const staged = await readdir(stage).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') storage.note(STAGE, 'read', error);
    // A file in the place of the directory: nothing of ours.
    return error.code === 'ENOTDIR' ? 'damaged' : undefined;
  });
  if (staged === undefined) return;
  try {
    if (staged === 'damaged') {
      const aside = await setAside(stage);
      storage.note(STAGE, 'read', undefined);
      storage.noteAside(STAGE, new TextError(say('it is no directory')), aside);
      return;
    }
    const parts = PARTS.filter(({ name }) => staged.includes(stageName(name)));
    for (const file of parts.length === 0 ? [] : OBSOLETE)
      await rm(join(places.stateDirectory, file), { recursive: true, force: true });
    for (const { name, path } of parts) {
      const target = path(places);
      if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true) await setAside(target);
      // Copied, not moved: the configuration may be on another file system.
      await writeFileAtomically(target, await readRegularFile(join(stage, stageName(name))), FILE_MODE);
    }
    await rm(stage, { recursive: true });
    await syncDirectory(places.stateDirectory);
    log.info({ restored: parts.map(({ name }) => name) }, 'restored from a backup');
  } catch (error) {
    storage.note(STAGE, 'write', error);
  }
}
