/**
 * The history on disk: a table of minutes for two days and one of hours for 30 days. Each row is one moment. Its figures are a
 * blob of float32 values: means, then maxima. Another column has the servers with traffic, some 40 bytes each. The size is
 * bounded: 2,880 + 720 rows of some 200 bytes, and the servers.
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
  /** How many seconds of its minute or hour the figures cover. */
  readonly seconds: number;
  readonly mean: Float32Array;
  /** NaN where there is no figure, in both. */
  readonly highest: Float32Array;
  /** Servers with traffic; undefined when unknown. */
  readonly hosts?: HostRow | undefined;
}

export interface HistoryFile {
  /** Adds minutes (at least one, the newest last) and updates the hours, in one transaction. */
  write(minutes: readonly StoredRow[]): void;
  /**
   * Rows of a time span, oldest first: minutes as far back as they exist if a step is shorter than an hour, otherwise hours. Of
   * the servers, only `host`.
   */
  read(fromMs: number, toMs: number, stepMs: number, host?: string): StoredRow[];
  close(): void;
}

/**
 * How many rows are kept: two days and 30 days. They are counted, not selected by time: on a machine without RTC the clock is
 * wrong until it is set. Minutes from 1970 or 2100 then only replace as many others.
 */
const MINUTES_KEPT = 2 * 1440;
const HOURS_KEPT = 30 * 24;
const HOUR = 3600;
/** Small, because the file is rarely read. */
const CACHE_KIB = 128;

/** The files that belong to a database in use. Moved aside together with its log, it can still be opened. */
const COMPANIONS = ['-wal', '-shm'];

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Found by our own check, not by SQLite. */
class DamagedError extends TextError {}

/**
 * Whether an error means that the file is damaged. All other errors (full, read-only, locked, no permission) only mean that
 * something is not possible now.
 */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  const { errcode } = error as { errcode?: unknown };
  // Extended codes contain the primary one in their lowest byte.
  return typeof errcode === 'number' && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode & 0xff);
}

/**
 * Opens or creates the file. A damaged one is moved aside and a new one is started; `storage` reports it. Rejects when no file
 * is possible now, and leaves an existing one as it is.
 */
export async function openHistoryFile(
  path: string,
  series: readonly string[],
  storage: Pick<Storage, 'noteAside'>,
): Promise<HistoryFile> {
  // Loaded at the first use, because it takes memory.
  const { DatabaseSync } = await import('node:sqlite');
  const openNow = async () => {
    // Create the file here: SQLite would make it readable by others, and would wait on a pipe.
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
  // WAL with NORMAL: a write is one append, without fsync until the checkpoint. A power failure loses at most the last
  // transactions.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${CACHE_KIB};
    CREATE TABLE IF NOT EXISTS layout (series TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS minutes (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS hours (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
  `);
  for (const table of ['minutes', 'hours']) {
    // Files from before traffic was counted by server do not have the column.
    const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    if (!columns.some(({ name }) => name === 'hosts'))
      database.exec(`ALTER TABLE ${table} ADD COLUMN hosts BLOB`);
  }
  const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (check.quick_check !== 'ok') throw new DamagedError(reasonOf(check.quick_check));
  const stored = (database.prepare('SELECT series FROM layout').get() as { series: unknown } | undefined)
    ?.series;
  if (stored !== undefined && typeof stored !== 'string')
    throw new DamagedError(say('it does not say what it contains'));
  const known = stored?.split(' ') ?? [...series];
  if (stored === undefined) database.prepare('INSERT INTO layout VALUES (?)').run(series.join(' '));
  else if (stored !== series.join(' ')) {
    // Another version had other series: rewrite the rows in the current order; missing figures are unknown.
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
    // Delete rows in the future first (a clock that was ahead wrote them, or the clock is behind now), then the others; the
    // oldest of each group first.
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
      // After some errors, such as a full disk, SQLite has rolled back already.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  function read(fromMs: number, toMs: number, stepMs: number, host?: string): StoredRow[] {
    const hostsOf: HostDecoder = host === undefined ? none : (bytes) => decodeHosts(bytes, host);
    const [from, to] = [Math.floor(fromMs / 1000), Math.ceil(toMs / 1000)];
    if (stepMs >= HOUR * 1000) return rowsOf(hours.get, from, to, hostsOf);
    const fine = rowsOf(minutes.get, from, to, hostsOf);
    // The hour in which the minutes begin was fully covered by them.
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

/** Undefined when the row does not have our format. */
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

/** Combines several rows into one: means weighted by their time. */
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
