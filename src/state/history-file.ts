/**
 * The history on disk: a table of minutes for two days and one of hours for 30, a row a moment, its figures as one blob
 * of doubles' halves (float32): means, then maxima; beside it the servers that had traffic, some 40 bytes each. Bounded:
 * 2,880 + 720 rows of some 200 bytes and the servers.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { basename } from 'node:path';
import { openToAppend } from '../os/read-file.ts';
import { setAside } from '../os/set-aside.ts';
import type { Storage } from '../runtime/storage.ts';
import { TextError, reasonOf, say } from '../texts/text.ts';
import { type HostRow, decodeHosts, encodeHosts, mergeHosts } from './host-series.ts';

export interface StoredRow {
  readonly timeSeconds: number;
  /** How much of its minute or hour the figures are of. */
  readonly seconds: number;
  readonly mean: Float32Array;
  /** NaN where there is no figure, in both. */
  readonly highest: Float32Array;
  /** Servers that had traffic; undefined when that is not known. */
  readonly hosts?: HostRow | undefined;
}

export interface HistoryFile {
  /** Adds minutes, at least one and the newest last, and brings the hours up to date: one transaction. */
  write(minutes: readonly StoredRow[]): void;
  /**
   * Rows of a span of time, oldest first: minutes as far as they reach when a step is shorter than an hour, else hours. Of
   * the servers, only `host`.
   */
  read(fromMs: number, toMs: number, stepMs: number, host?: string): StoredRow[];
  close(): void;
}

/**
 * How many rows are kept: two days and 30 days. Counted, not reckoned from the clock, which is wrong on a machine without RTC
 * until somebody tells the time: minutes of 1970 or 2100 take the place of as many others, and no more.
 */
const MINUTES_KEPT = 2 * 1440;
const HOURS_KEPT = 30 * 24;
const HOUR = 3600;
/** Kept small: this is read rarely. */
const CACHE_KIB = 128;

/** What belongs to a database while it is in use: with its log, the one that is moved aside can still be opened. */
const COMPANIONS = ['-wal', '-shm'];

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Found by our own check, not by SQLite. */
class DamagedError extends TextError {}

/**
 * Whether an error says that the file is damaged. Everything else (full, read-only, locked, no permission) says only that
 * something cannot be done now.
 */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  const { errcode } = error as { errcode?: unknown };
  // Extended codes have the primary one in their lowest byte.
  return typeof errcode === 'number' && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode & 0xff);
}

/**
 * Opens or makes the file. One that is damaged is moved aside and a new one is begun, which `storage` tells. Rejects when
 * there can be no file now, and leaves what is there as it is.
 */
export async function openHistoryFile(
  path: string,
  series: readonly string[],
  storage: Pick<Storage, 'noteAside'>,
): Promise<HistoryFile> {
  // Loaded at the first use: it takes memory.
  const { DatabaseSync } = await import('node:sqlite');
  const openNow = async () => {
    // Made by SQLite, it would be readable by others; a pipe, it would wait for.
    await (await openToAppend(path, 0o600)).close();
    return open(new DatabaseSync(path), series);
  };
  try {
    return await openNow();
  } catch (error) {
    if (!isDamage(error)) throw error;
    storage.noteAside(basename(path), error, await setAside(path, COMPANIONS));
    return openNow();
  }
}

function open(database: DatabaseSync, series: readonly string[]): HistoryFile {
  try {
    return prepare(database, series);
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepare(database: DatabaseSync, series: readonly string[]): HistoryFile {
  // WAL with NORMAL: a write is one append, and no fsync until the log is folded in. A power cut loses the last
  // transactions at most.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${CACHE_KIB};
    CREATE TABLE IF NOT EXISTS layout (series TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS minutes (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS hours (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
  `);
  for (const table of ['minutes', 'hours']) {
    // Not there before servers were told apart.
    const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    if (!columns.some(({ name }) => name === 'hosts'))
      database.exec(`ALTER TABLE ${table} ADD COLUMN hosts BLOB`);
  }
  const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (check.quick_check !== 'ok') throw new DamagedError(reasonOf(check.quick_check));
  const stored = (database.prepare('SELECT series FROM layout').get() as { series: unknown } | undefined)
    ?.series;
  if (stored !== undefined && typeof stored !== 'string')
    throw new DamagedError(say('it does not say what it holds'));
  const known = stored?.split(' ') ?? [...series];
  if (stored === undefined) database.prepare('INSERT INTO layout VALUES (?)').run(series.join(' '));
  else if (stored !== series.join(' ')) {
    // Another version had other series: rows are rewritten in today's order, what it lacked is unknown.
    rearrange(database, known, series);
  }
  const width = series.length;
  const statements = (table: 'minutes' | 'hours') => ({
    put: database.prepare(
      `INSERT OR REPLACE INTO ${table} (time, seconds, figures, hosts) VALUES (?, ?, ?, ?)`,
    ),
    get: database.prepare(
      `SELECT time, seconds, figures, hosts FROM ${table} WHERE time >= ? AND time < ? ORDER BY time`,
    ),
    // First what is in the future, the work of a clock that ran ahead (or all the rest, to one that is behind); of either the oldest.
    forget: database.prepare(
      `DELETE FROM ${table} WHERE time IN
         (SELECT time FROM ${table} ORDER BY time <= ? DESC, time DESC LIMIT -1 OFFSET ?)`,
    ),
  });
  const minutes = statements('minutes');
  const hours = statements('hours');

  const rowsOf = (get: StatementSync, from: number, to: number, hosts: HostDecoder): StoredRow[] =>
    get.all(from, to).flatMap((row) => decode(row as unknown as RawRow, width, hosts) ?? []);

  const put = (statement: StatementSync, row: StoredRow) =>
    statement.run(
      row.timeSeconds,
      row.seconds,
      encode(row),
      row.hosts === undefined ? null : encodeHosts(row.hosts),
    );

  function write(rows: readonly StoredRow[]): void {
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of rows) put(minutes.put, row);
      const touched = new Set(rows.map(({ timeSeconds }) => Math.floor(timeSeconds / HOUR) * HOUR));
      for (const hour of touched) {
        const merged = mergeRows(hour, rowsOf(minutes.get, hour, hour + HOUR, decodeHosts), width);
        put(hours.put, merged);
      }
      const newest = rows[rows.length - 1].timeSeconds;
      minutes.forget.run(newest, MINUTES_KEPT);
      hours.forget.run(newest, HOURS_KEPT);
      database.exec('COMMIT');
    } catch (error) {
      // SQLite has done so already after some errors, as of a full disk.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  function read(fromMs: number, toMs: number, stepMs: number, host?: string): StoredRow[] {
    const hostsOf: HostDecoder = host === undefined ? none : (bytes) => decodeHosts(bytes, host);
    const [from, to] = [Math.floor(fromMs / 1000), Math.ceil(toMs / 1000)];
    if (stepMs >= HOUR * 1000) return rowsOf(hours.get, from, to, hostsOf);
    const fine = rowsOf(minutes.get, from, to, hostsOf);
    // The hour that the minutes begin in has been the whole of it.
    const coarseTo = fine.length === 0 ? to : fine[0].timeSeconds;
    return [...rowsOf(hours.get, from, Math.min(coarseTo, to), hostsOf), ...fine];
  }

  return { write, read, close: () => database.close() };
}

interface RawRow {
  readonly time: number;
  readonly seconds: number;
  readonly figures: Uint8Array;
  readonly hosts: Uint8Array | null;
}

const encode = ({ mean, highest }: StoredRow): Uint8Array => {
  const figures = new Float32Array(mean.length * 2);
  figures.set(mean);
  figures.set(highest, mean.length);
  return new Uint8Array(figures.buffer);
};

type HostDecoder = (bytes: Uint8Array) => HostRow | undefined;
const none: HostDecoder = () => undefined;

/** Undefined when the row is not as we write it. */
function decode(
  { time, seconds, figures, hosts }: RawRow,
  width: number,
  hostsOf = none,
): StoredRow | undefined {
  if (!(figures instanceof Uint8Array) || figures.length !== width * 2 * Float32Array.BYTES_PER_ELEMENT)
    return undefined;
  if (typeof time !== 'number' || typeof seconds !== 'number') return undefined;
  const copy = new Float32Array(figures.slice().buffer, 0, width * 2);
  return {
    timeSeconds: time,
    seconds,
    mean: copy.subarray(0, width),
    highest: copy.subarray(width),
    hosts: hosts instanceof Uint8Array ? hostsOf(hosts) : undefined,
  };
}

/** One row of several: means weighted by their time. */
function mergeRows(timeSeconds: number, rows: readonly StoredRow[], width: number): StoredRow {
  const mean = new Float32Array(width).fill(Number.NaN);
  const highest = new Float32Array(width).fill(Number.NaN);
  for (let i = 0; i < width; i++) {
    const present = rows.filter((row) => !Number.isNaN(row.mean[i]));
    const weight = present.reduce((sum, { seconds }) => sum + seconds, 0);
    if (weight === 0) continue;
    mean[i] = present.reduce((sum, row) => sum + row.mean[i] * row.seconds, 0) / weight;
    highest[i] = Math.max(...present.map((row) => row.highest[i]));
  }
  return {
    timeSeconds,
    seconds: rows.reduce((sum, { seconds }) => sum + seconds, 0),
    mean,
    highest,
    hosts: mergeHosts(rows.map(({ hosts, seconds }) => ({ hosts, seconds }))),
  };
}

function rearrange(database: DatabaseSync, known: readonly string[], series: readonly string[]): void {
  const places = series.map((name) => known.indexOf(name));
  const pick = (figures: Float32Array) =>
    Float32Array.from(places, (place) => (place < 0 ? Number.NaN : figures[place]));
  database.exec('BEGIN IMMEDIATE');
  for (const table of ['minutes', 'hours']) {
    const put = database.prepare(`UPDATE ${table} SET figures = ? WHERE time = ?`);
    for (const raw of database.prepare(`SELECT time, seconds, figures, NULL AS hosts FROM ${table}`).all()) {
      const row = decode(raw as unknown as RawRow, known.length);
      if (row === undefined) continue;
      put.run(encode({ ...row, mean: pick(row.mean), highest: pick(row.highest) }), row.timeSeconds);
    }
  }
  database.prepare('UPDATE layout SET series = ?').run(series.join(' '));
  database.exec('COMMIT');
}
