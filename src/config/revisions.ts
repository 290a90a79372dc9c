/**
 * The history of the configuration in the state directory. Each revision is one appended line, so a change costs one small
 * write. Old revisions are removed when the file has twice the size that is kept.
 */
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../os/atomic-write.ts';
import { copyAside } from '../os/set-aside.ts';
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../runtime/storage.ts';
import { type Text, TextError, say } from '../texts/text.ts';
import { isObject } from './json-schema.ts';
import type { ConfigDocument } from './load.ts';

const FILE_NAME = 'revisions';
/** The newest revisions are kept, up to this number and this size; at least the newest two. */
const MAX_REVISIONS = 200;
const MAX_BYTES = 8 << 20;
const LEAST_REVISIONS = 2;

export type RevisionWhy = 'first' | 'apply' | 'revert' | 'rollback' | 'file' | 'restore';
export type RollbackReason = 'not-confirmed' | 'restarted' | 'asked';

/** A revision without its document. */
export interface Revision {
  /** Increases with time, without gaps. */
  readonly id: number;
  /** As in ConfigStore: equal documents have the same revision. */
  readonly revision: string;
  /** ISO 8601. */
  readonly at: string;
  /** Session or token; "file" for an edit by hand, "appliance" for automatic changes. */
  readonly by: string;
  readonly why: RevisionWhy;
  /** More about the reason; a string is the format of an older version. */
  readonly reason: Text | string;
  /** The number of differences to the previous revision. */
  readonly changes: number;
  /** For a rollback: which revision was rolled back, and why. */
  readonly rolledBack?: { readonly revision: string; readonly reason: RollbackReason };
}

export type NewRevision = Omit<Revision, 'id'> & { readonly document: ConfigDocument };

export interface Revisions {
  readonly newest: Revision | undefined;
  /** Whether a history exists of which nothing can be read now. */
  readonly isLost: boolean;
  /** Revisions with an id below `before`, the newest first. */
  list(before: number, limit: number): readonly Revision[];
  /** The document of a revision; undefined when it does not exist (any more). */
  documentOf(id: number): Promise<ConfigDocument | undefined>;
  /** Resolves with whether the revision is on disk. If not, it stays in memory and is written as soon as possible. Never rejects. */
  append(revision: NewRevision): Promise<boolean>;
}

/** A revision, and the position of its line in the file. */
export interface Entry {
  readonly revision: Revision;
  readonly offset: number;
  readonly bytes: number;
}

/** A revision that waits to be written. */
interface Waiting {
  readonly revision: Revision;
  readonly line: Buffer;
}

/**
 * Opens the history. Unreadable lines, such as a power failure leaves at the end, are skipped. A file without any readable line
 * is moved aside by the first new revision. If the file cannot be read, there is no history, and everything else works. Never
 * rejects.
 */
export async function openRevisions(storage: Storage, log: Pick<Logger, 'warn'>): Promise<Revisions> {
  const file = storage.file(FILE_NAME, { isAppended: true });
  const { path } = file;
  const found = await file.read((content) => {
    const read = readEntries(content);
    if (content.length > 0 && read.length === 0)
      throw new TextError(say('it has no revision that can be read'));
    return { content, entries: read };
  });
  const content = found.verdict === 'good' ? found.value.content : Buffer.alloc(0);
  /** Up to the end of the last complete line. */
  let fileBytes = content.lastIndexOf(NEWLINE) + 1;
  let fileLines = content
    .subarray(0, fileBytes)
    .reduce((lines, byte) => lines + (byte === NEWLINE ? 1 : 0), 0);
  let entries: readonly Entry[] = found.verdict === 'good' ? found.value.entries : [];
  const isLost = found.verdict !== 'missing' && entries.length === 0;
  let waiting: readonly Waiting[] = [];
  if (fileBytes < content.length)
    log.warn(
      { file: path, bytes: content.length - fileBytes },
      'configuration: the history ended in half a line',
    );

  const all = () => [...recent().map(({ revision }) => revision), ...waiting.map(({ revision }) => revision)];

  /** The revisions in the file that are kept. */
  const recent = (): readonly Entry[] => {
    let bytes = 0;
    const first = entries.findLastIndex((entry, index) => {
      bytes += entry.bytes;
      const count = entries.length - index;
      return count > LEAST_REVISIONS && (count > MAX_REVISIONS || bytes > MAX_BYTES);
    });
    return entries.slice(first + 1);
  };

  async function readLine({ offset, bytes }: Entry): Promise<string> {
    const opened = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await opened.read(Buffer.alloc(bytes), 0, bytes, offset);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await opened.close();
    }
  }

  async function compact(): Promise<void> {
    const kept = recent();
    const lines = await Promise.all(kept.map(readLine));
    // Copy the file first: its unreadable lines would be lost.
    if (fileLines > entries.length) storage.noteAside(FILE_NAME, unreadableLines(), await copyAside(path));
    const text = Buffer.from(lines.join(''));
    await file.commit(text);
    entries = readEntries(text);
    fileBytes = text.length;
    fileLines = kept.length;
  }

  /** Another program removed or truncated the file: our positions in it are no longer valid. */
  async function forgetIfGone(): Promise<void> {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size >= fileBytes) return;
    if (size > 0) await file.setAside();
    entries = [];
    fileBytes = fileLines = 0;
  }

  /** Writes the waiting revisions. */
  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    const batch = waiting;
    const lines = Buffer.concat(batch.map(({ line }) => line));
    await forgetIfGone();
    // Do not append to a file that was not read: the first line starts a new file.
    if (fileBytes === 0) await file.commit(lines);
    else await appendDurably(path, fileBytes, lines);
    const written = batch.map(({ revision, line }): Entry => {
      const entry = { revision, offset: fileBytes, bytes: line.length };
      fileBytes += line.length;
      fileLines++;
      return entry;
    });
    entries = [...entries, ...written];
    waiting = waiting.slice(batch.length);
    if (fileLines > 2 * MAX_REVISIONS || fileBytes > 2 * MAX_BYTES) await compact();
  }
  const writing = storage.retried(FILE_NAME, flush);

  return {
    get newest() {
      return all().at(-1);
    },
    isLost,
    list: (before, limit) =>
      all()
        .filter(({ id }) => id < before)
        .reverse()
        .slice(0, limit),
    async documentOf(id) {
      const unwritten = waiting.find(({ revision }) => revision.id === id);
      if (unwritten !== undefined) return documentOfLine(unwritten.line.toString('utf8'));
      const entry = recent().find(({ revision }) => revision.id === id);
      if (entry === undefined) return undefined;
      // A failing disk must only affect this revision.
      return documentOfLine(await readLine(entry).catch(() => ''));
    },
    async append({ document, ...fields }) {
      const revision: Revision = { id: (all().at(-1)?.id ?? 0) + 1, ...fields };
      const line = Buffer.from(`${JSON.stringify(revision)}${SEPARATOR}${JSON.stringify(document)}\n`);
      waiting = [...waiting, { revision, line }].slice(-MAX_REVISIONS);
      // An unreadable file is not overwritten; that is reported already.
      if (found.verdict === 'unreadable') return false;
      return (await writing.run()) === undefined;
    },
  };
}

const unreadableLines = () => new TextError(say('some of its lines cannot be read'));

const NEWLINE = 10;
/** JSON.stringify writes neither tabs nor line ends, so these can be separators. */
const SEPARATOR = '\t';

/** The revisions of complete lines; lines in another format are skipped. */
export function readEntries(content: Buffer): Entry[] {
  const entries: Entry[] = [];
  const wholeBytes = content.lastIndexOf(NEWLINE) + 1;
  for (let offset = 0, end = 0; offset < wholeBytes; offset = end) {
    end = content.indexOf(NEWLINE, offset) + 1;
    const line = content.toString('utf8', offset, end);
    const revision = revisionOfLine(line.slice(0, line.indexOf(SEPARATOR)));
    if (revision !== undefined) entries.push({ revision, offset, bytes: end - offset });
  }
  return entries;
}

function revisionOfLine(text: string): Revision | undefined {
  try {
    const revision = JSON.parse(text) as Partial<Revision> | null;
    const isOurs =
      Number.isSafeInteger(revision?.id) &&
      [revision?.revision, revision?.at, revision?.by, revision?.why].every(
        (field) => typeof field === 'string',
      );
    return isOurs ? (revision as Revision) : undefined;
  } catch {
    return undefined;
  }
}

function documentOfLine(line: string): ConfigDocument | undefined {
  try {
    const document: unknown = JSON.parse(line.slice(line.indexOf(SEPARATOR) + 1));
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Appends to a file that is valid up to `fromBytes`: cuts off the half line of a failed write. */
async function appendDurably(path: string, fromBytes: number, lines: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'a');
    try {
      await file.truncate(fromBytes);
      await file.appendFile(lines);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(dirname(path));
  } catch (error) {
    throw new Error(`could not write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
