/**
 * The history of the configuration in the state directory: a line a revision, appended, so that a change costs one small
 * write. What is too old goes when the file has grown to twice what is kept.
 */
import { open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../os/atomic-write.ts';
import type { Logger } from '../runtime/log.ts';
import type { Text } from '../texts/text.ts';
import type { ConfigDocument } from './load.ts';

const FILE_NAME = 'revisions';
const FILE_MODE = 0o600;
/** The newest so many are kept, as long as they fit into so many bytes; the newest two in any case. */
const MAX_REVISIONS = 200;
const MAX_BYTES = 8 << 20;
const LEAST_REVISIONS = 2;

export type RevisionWhy = 'first' | 'apply' | 'revert' | 'rollback' | 'file' | 'restore';
export type RollbackReason = 'not-confirmed' | 'restarted' | 'asked';

/** What is known of a revision without its document. */
export interface Revision {
  /** Grows with time, without gaps. */
  readonly id: number;
  /** As ConfigStore has it: the same document, the same revision. */
  readonly revision: string;
  /** ISO 8601. */
  readonly at: string;
  /** Session or token; "file" for an edit by hand, "appliance" for what it did by itself. */
  readonly by: string;
  readonly why: RevisionWhy;
  /** More about why; a string is what an older version wrote. */
  readonly reason: Text | string;
  /** How many differences there are to the revision before. */
  readonly changes: number;
  /** Of a rollback: which revision was taken back, and why. */
  readonly rolledBack?: { readonly revision: string; readonly reason: RollbackReason };
}

export type NewRevision = Omit<Revision, 'id'> & { readonly document: ConfigDocument };

export interface Revisions {
  readonly newest: Revision | undefined;
  /** Those with an id below `before`, the newest first. */
  list(before: number, limit: number): readonly Revision[];
  /** The document of a revision; undefined when there is none (any more). */
  documentOf(id: number): Promise<ConfigDocument | undefined>;
  /** Resolves when it is on the disk. */
  append(revision: NewRevision): Promise<Revision>;
}

/** A revision, and where its line is in the file. */
interface Entry {
  readonly revision: Revision;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Opens the history. Lines that cannot be read, as power failures leave them at the end, are left out. A file that cannot
 * be read at all is an error in the log, and no reason not to start: there is no history then. Never rejects.
 */
export async function openRevisions(
  stateDirectory: string,
  log: Pick<Logger, 'warn' | 'error'>,
): Promise<Revisions> {
  const path = join(stateDirectory, FILE_NAME);
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') log.error({ err: error, file: path }, 'configuration: no history');
    return Buffer.alloc(0);
  });
  const wholeBytes = content.lastIndexOf(NEWLINE) + 1;
  if (wholeBytes < content.length) {
    log.warn(
      { file: path, bytes: content.length - wholeBytes },
      'configuration: the history ended in half a line',
    );
    await truncate(path, wholeBytes).catch((err: unknown) =>
      log.error({ err, file: path }, 'configuration: no history'),
    );
  }
  let entries = readEntries(content.subarray(0, wholeBytes));
  let fileBytes = wholeBytes;
  let fileLines = content
    .subarray(0, wholeBytes)
    .reduce((lines, byte) => lines + (byte === NEWLINE ? 1 : 0), 0);

  /** Those that are kept. */
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
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async function compact(): Promise<void> {
    const kept = recent();
    const lines = await Promise.all(kept.map(readLine));
    const text = Buffer.from(lines.join(''));
    await writeFileAtomically(path, text, FILE_MODE);
    entries = readEntries(text);
    fileBytes = text.length;
    fileLines = kept.length;
  }

  return {
    get newest() {
      return entries.at(-1)?.revision;
    },
    list: (before, limit) =>
      recent()
        .map(({ revision }) => revision)
        .filter(({ id }) => id < before)
        .reverse()
        .slice(0, limit),
    async documentOf(id) {
      const entry = recent().find(({ revision }) => revision.id === id);
      return entry === undefined ? undefined : documentOfLine(await readLine(entry));
    },
    async append({ document, ...fields }) {
      const revision: Revision = { id: (entries.at(-1)?.revision.id ?? 0) + 1, ...fields };
      const line = Buffer.from(`${JSON.stringify(revision)}${SEPARATOR}${JSON.stringify(document)}\n`);
      await appendDurably(path, line);
      entries.push({ revision, offset: fileBytes, bytes: line.length });
      fileBytes += line.length;
      fileLines++;
      if (fileLines > 2 * MAX_REVISIONS || fileBytes > 2 * MAX_BYTES) await compact();
      return revision;
    },
  };
}

const NEWLINE = 10;
/** JSON.stringify writes neither tabs nor line ends. */
const SEPARATOR = '\t';

function readEntries(content: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let offset = 0, end = 0; offset < content.length; offset = end) {
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
    return typeof revision?.id === 'number' && typeof revision.revision === 'string'
      ? (revision as Revision)
      : undefined;
  } catch {
    return undefined;
  }
}

function documentOfLine(line: string): ConfigDocument | undefined {
  try {
    return JSON.parse(line.slice(line.indexOf(SEPARATOR) + 1)) as ConfigDocument;
  } catch {
    return undefined;
  }
}

async function appendDurably(path: string, line: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'a', FILE_MODE);
    try {
      await file.appendFile(line);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`could not write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
