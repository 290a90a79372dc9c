/**
 * Who did what and when: JSON lines in the state directory, append-only. The size is limited: a full file becomes
 * audit.1.jsonl, and the oldest of FILES is deleted. Entries hold no secrets: methods, routes, names and ids.
 */
import { rename } from 'node:fs/promises';
import { isObject } from '../../config/json-schema.ts';
import { NoFileError, openToAppend } from '../../os/read-file.ts';
import type { Storage } from '../../runtime/storage.ts';
import { type Text, type Value, listOf, say } from '../../texts/text.ts';
import type { AuditEntry } from '../contract/auth.ts';

const FILES = 5;
const FILE_BYTES = 256 * 1024;
/** The most entries that wait in memory while they cannot be written. Above it the oldest is dropped. */
const MOST_WAITING = 5000;
const MAX_TEXT_CHARACTERS = 200;

/** How many refusals may be logged per minute, and how many at once: clients without access must not fill the card. */
const REFUSALS_AT_ONCE = 30;
const REFUSAL_EVERY_MS = 60_000;

/** An entry as it is stored. A string is a name, or was written by an older version. */
export type StoredEntry = Omit<AuditEntry, 'target' | 'detail'> & {
  readonly target: Text | string | null;
  readonly detail: Text | string | null;
};

export interface AuditLog {
  /** Returns at once. An entry that cannot be written yet is retried, and it is shown meanwhile. */
  add(entry: Omit<StoredEntry, 'id' | 'at'>): void;
  /** Entries older than `cursor`, newest first. */
  page(
    cursor: number | undefined,
    limit: number,
  ): Promise<{ readonly entries: readonly StoredEntry[]; readonly nextCursor: number | null }>;
  /** Resolves when all added entries have been written, or a write was tried. */
  settled(): Promise<void>;
}

const nameOf = (number: number): string => (number === 0 ? 'audit.jsonl' : `audit.${number}.jsonl`);

/** Opens the log, and continues the count of its last entry. Never rejects: without a file the log is in memory. */
export async function openAuditLog(storage: Storage, now: () => number): Promise<AuditLog> {
  const fileOf = (number: number) => storage.file(nameOf(number), { isAppended: true });
  const { path } = fileOf(0);
  /** The readable part of a file. */
  const read = async (number: number): Promise<string> => {
    const found = await fileOf(number).read((content) => content.toString('utf8'));
    return found.verdict === 'good' ? found.value : '';
  };
  /** Anything that is in the way of the file, but is not a file, is moved aside. */
  async function clearing<T>(number: number, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      const isInTheWay =
        error instanceof NoFileError ||
        ['EISDIR', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isInTheWay) throw error;
      await fileOf(number).setAside();
      return task();
    }
  }

  let text = await read(0);
  let bytes = Buffer.byteLength(text);
  // A power failure may have cut the last line short.
  let prefix = text === '' || text.endsWith('\n') ? '' : '\n';
  let lastId = newest(text) ?? newest(await read(1)) ?? 0;
  text = '';
  /** The entries that could not be written yet, in the order of their ids. */
  let waiting: readonly StoredEntry[] = [];
  let refusalsLeft = REFUSALS_AT_ONCE;
  let refilledAtMs = now();
  let suppressed = 0;

  async function write(line: string): Promise<void> {
    if (bytes > 0 && bytes + Buffer.byteLength(line) > FILE_BYTES) {
      for (let number = FILES - 1; number > 0; number--) {
        const [from, to] = [number - 1, number].map((each) => fileOf(each).path);
        await clearing(number, () => rename(from, to)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
        });
      }
      [bytes, prefix] = [0, ''];
    }
    const file = await clearing(0, () => openToAppend(path, 0o600));
    try {
      const { size } = await file.stat();
      await file.appendFile(prefix + line).catch(async (error: unknown) => {
        // A line for which there was no room must not stay in part.
        await file.truncate(size).catch(() => {});
        throw error;
      });
      bytes = size + Buffer.byteLength(prefix + line);
      prefix = '';
    } finally {
      await file.close();
    }
  }

  const writing = storage.retried(nameOf(0), async () => {
    for (const entry of waiting) {
      await write(`${JSON.stringify(entry)}\n`);
      waiting = waiting.filter((each) => each !== entry);
    }
  });
  let tried: Promise<unknown> = Promise.resolve();

  function admitsRefusal(): boolean {
    const refill = Math.floor((now() - refilledAtMs) / REFUSAL_EVERY_MS);
    // Also if the clock was set back.
    if (refill !== 0) {
      refusalsLeft = Math.min(REFUSALS_AT_ONCE, refusalsLeft + Math.max(refill, 0));
      refilledAtMs = now();
    }
    if (refusalsLeft === 0) {
      suppressed++;
      return false;
    }
    refusalsLeft--;
    return true;
  }

  return {
    add(entry) {
      if (entry.outcome === 'refused' && !admitsRefusal()) return;
      const more =
        suppressed === 0
          ? []
          : [say('{count} more refusals were not written before this', { count: suppressed })];
      suppressed = 0;
      const details = [...(entry.detail === null ? [] : [shorten(entry.detail)]), ...more];
      const detail = details.length === 0 ? null : details.length === 1 ? details[0] : listOf(details, '; ');
      const whole: StoredEntry = {
        id: ++lastId,
        at: new Date(now()).toISOString(),
        who: shorten(entry.who),
        source: shorten(entry.source),
        action: shorten(entry.action),
        summary: shorten(entry.summary),
        target: entry.target === null ? null : shorten(entry.target),
        outcome: entry.outcome,
        detail,
      };
      waiting = [...waiting, whole].slice(-MOST_WAITING);
      tried = writing.run();
    },
    async page(cursor = Infinity, limit) {
      await tried;
      const entries: StoredEntry[] = waiting.filter(({ id }) => id < cursor).reverse();
      for (let number = 0; number < FILES && entries.length <= limit; number++) {
        const older = parse(await read(number)).filter(({ id }) => id < cursor);
        entries.push(...older.reverse());
      }
      const rows = entries.slice(0, limit);
      return { entries: rows, nextCursor: entries.length > limit ? rows[rows.length - 1].id : null };
    },
    settled: async () => void (await tried),
  };
}

/** Shortens each value of a text. */
function shorten<T extends Value>(text: T): T;
function shorten(text: Value): Value {
  if (typeof text === 'number') return text;
  if (typeof text === 'object') {
    const { say: sentence, values } = text;
    if (values === undefined) return text;
    const shortened = Object.entries(values).map(([name, value]) => [name, shorten(value)] as const);
    return { say: sentence, values: Object.fromEntries(shortened) };
  }
  return (
    text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}...` : text
  ).toWellFormed();
}

/** The entries of a file. Invalid lines are skipped. */
function parse(text: string): StoredEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry === undefined ? [] : [entry];
  });
}

function parseLine(line: string): StoredEntry | undefined {
  if (line === '') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && Number.isSafeInteger(value['id'])
      ? (value as unknown as StoredEntry)
      : undefined;
  } catch {
    return undefined;
  }
}

const newest = (text: string): number | undefined => parse(text).at(-1)?.id;
