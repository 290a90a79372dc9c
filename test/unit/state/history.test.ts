import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { openStorage } from '../../../src/runtime/storage.ts';
import { startHistory } from '../../../src/state/history.ts';
import { isDamage, openHistoryFile } from '../../../src/state/history-file.ts';
import { keepingLog } from '../admin/fixture.ts';

const START = Date.UTC(2026, 0, 2, 3, 0, 0);
const SERIES = ['load', 'heat'];

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-history-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A history with a clock that the test sets; "load" is the minute of the time, "heat" is unknown in odd samples. */
function historyIn(
  directory: string,
  startMs = START,
  series = SERIES,
  hosts: (ms: number) => [string, number[]][] = () => [],
) {
  let nowMs = startMs;
  let task = () => {};
  let opened = 0;
  const log = keepingLog();
  const storage = openStorage(directory, { log });
  const history = startHistory(
    {
      series,
      sample: (at) => {
        const seconds = at / 1000;
        const all: Record<string, number> = {
          load: Math.floor(seconds / 60) % 60,
          heat: (seconds / 10) % 2 === 0 ? 40 : Number.NaN,
        };
        return series.map((name) => all[name] ?? 7);
      },
      sampleHosts: (at) => new Map(hosts(at)),
      openFile: () => {
        opened++;
        return openHistoryFile(join(directory, 'history.sqlite'), series, storage);
      },
      onTrouble: (error) => storage.note('history.sqlite', 'write', error),
      log,
    },
    {
      now: () => nowMs,
      every: (_ms, each) => {
        task = each;
        return { [Symbol.dispose]: () => {} };
      },
    },
  );
  return {
    history,
    log,
    opened: () => opened,
    set: (ms: number) => {
      nowMs = ms;
    },
    run(seconds: number) {
      for (let i = 0; i < seconds / 10; i++) {
        nowMs += 10_000;
        task();
      }
    },
    query: (fromMs: number, toMs: number, points: number) => history.query({ series, fromMs, toMs, points }),
    async traffic(host: string, fromMs: number, toMs: number, points: number) {
      const names = ['hostUpBytesPerSecond', 'hostConnections'];
      const page = await history.query({ series: names, host, fromMs, toMs, points });
      return page.series.map(({ mean }) => mean);
    },
  };
}

test('the last hours come from memory, with means and maxima for each step', async (t) => {
  const { run, query, opened, history } = historyIn(directoryOf(t));
  run(590);
  const { stepSeconds, series } = await query(START, START + 600_000, 10);
  assert.equal(stepSeconds, 60);
  assert.deepEqual(series[0].mean, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(series[1].mean, Array(10).fill(40));
  assert.equal(opened(), 0, 'no file is opened');
  const fine = await query(START, START + 40_000, 100);
  assert.equal(fine.stepSeconds, 10);
  assert.deepEqual(fine.series[1].highest, [40, null, 40, null]);
  assert.equal(history.latest?.timeMs, START + 590_000);
});

test('one write in ten minutes and one at the end; the next process continues', async (t) => {
  const directory = directoryOf(t);
  {
    const first = historyIn(directory);
    first.run(590);
    assert.equal(first.opened(), 0);
    first.run(10);
    await first.history[Symbol.asyncDispose]();
    assert.equal(first.opened(), 1);
  }
  const later = START + 3_600_000;
  const second = historyIn(directory, later);
  second.run(60);
  const { series } = await second.query(START, later + 60_000, 61);
  assert.deepEqual(series[0].mean.slice(0, 11), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(series[0].mean[30], null, 'the process did not run');
  assert.equal(series[0].mean[60], 0);
  await second.history[Symbol.asyncDispose]();
});

test('30 days have a limited size, and are reported by hours', async (t) => {
  const directory = directoryOf(t);
  const file = await openHistoryFile(join(directory, 'history.sqlite'), SERIES, openStorage(directory));
  const day = 86_400;
  const row = (timeSeconds: number) => ({
    timeSeconds,
    seconds: 60,
    mean: Float32Array.of(timeSeconds % day === 0 ? 60 : 0, Number.NaN),
    highest: Float32Array.of(100, Number.NaN),
  });
  const startSeconds = START / 1000 - 40 * day;
  for (let hour = 0; hour < 40 * 24; hour++) {
    const from = startSeconds + hour * 3600;
    file.write(Array.from({ length: 60 }, (_, minute) => row(from + minute * 60)));
  }
  const hours = file.read(0, START, 3_600_000);
  assert.equal(hours.length, 30 * 24);
  assert.equal(file.read(START - 40 * day * 1000, START, 60_000).length, 2 * 24 * 60 + 28 * 24);
  assert.equal(hours[0].highest[0], 100);
  assert.ok(Number.isNaN(hours[0].mean[1]));
  assert.ok(
    hours.some(({ mean }) => mean[0] === 1),
    'the mean of an hour with one 60 in it',
  );
  file.close();
  assert.ok(readFileSync(join(directory, 'history.sqlite')).length < 1_000_000);
});

test('a damaged file is moved aside, reported, and begun anew', async (t) => {
  const directory = directoryOf(t);
  writeFileSync(join(directory, 'history.sqlite'), 'SQLite format 3\0 and then rubbish'.repeat(500));
  const { history, run, log, query } = historyIn(directory);
  run(600);
  await history[Symbol.asyncDispose]();
  assert.ok(readdirSync(directory).includes('history.sqlite.damaged-1'));
  assert.match(log.lines.join(), /history\.sqlite is damaged and was kept aside/);
  assert.equal((await query(START, START + 60_000, 1)).series[0].mean[0], 0);
});

test('a directory that cannot be written to: reported once, figures stay in memory', async () => {
  const { history, run, log, query } = historyIn('/proc/nonexistent');
  run(1800);
  await history[Symbol.asyncDispose]();
  assert.equal(log.lines.filter((line) => line.includes('history.sqlite')).length, 1);
  assert.equal((await query(START, START + 60_000, 1)).series[0].mean[0], 0);
});

test('only corruption errors of SQLite count as damage', () => {
  const rows: [errcode: unknown, isDamaged: boolean][] = [
    [11, true], // SQLITE_CORRUPT
    [11 | (2 << 8), true], // SQLITE_CORRUPT_SEQUENCE
    [26, true], // SQLITE_NOTADB
    [13, false], // SQLITE_FULL
    [8, false], // SQLITE_READONLY
    [5, false], // SQLITE_BUSY
    [10 | (3 << 8), false], // SQLITE_IOERR_WRITE
    [14, false], // SQLITE_CANTOPEN
    [undefined, false],
  ];
  for (const [errcode, isDamaged] of rows)
    assert.equal(isDamage(Object.assign(new Error('x'), { errcode })), isDamaged, `${errcode}`);
});

test('a disk that is full for hours: nothing is renamed, and the minutes are written later', async (t) => {
  const directory = directoryOf(t);
  const { DatabaseSync } = await import('node:sqlite');
  {
    const before = historyIn(directory, START - 3_600_000);
    before.run(3600);
    await before.history[Symbol.asyncDispose]();
  }
  const path = join(directory, 'history.sqlite');
  const later = historyIn(directory, START);
  later.run(300);
  // Another program locks the database: SQLITE_BUSY has the same effect for the writer as a full disk.
  using other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  later.run(1200);
  await new Promise((resolve) => setImmediate(resolve));
  await later.query(START - 3_600_000, START, 1);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('damaged')),
    [],
  );
  other.exec('ROLLBACK');
  await later.history[Symbol.asyncDispose]();
  const rows = other.prepare('SELECT count(*) AS count FROM minutes').get() as { count: number };
  assert.ok(rows.count >= 60 + 25, `${rows.count} minutes`);
});

test('another version with other series keeps the common series', async (t) => {
  const directory = directoryOf(t);
  const before = historyIn(directory);
  before.run(600);
  await before.history[Symbol.asyncDispose]();
  const after = historyIn(directory, START + 3_600_000, ['new', 'load']);
  const { series } = await after.query(START, START + 600_000, 10);
  assert.deepEqual(series[1].mean, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(series[0].mean, Array(10).fill(null));
  await after.history[Symbol.asyncDispose]();
});

test('a clock that is set back', async (t) => {
  const { run, set, query, history } = historyIn(directoryOf(t));
  run(600);
  set(START - 7_200_000);
  run(60);
  const { series } = await query(START - 7_200_000, START, 10);
  assert.notEqual(series[0].mean[0], null);
  await history[Symbol.asyncDispose]();
});

describe('a clock that is wrong for ten minutes costs ten minutes of data, not 30 days', () => {
  const DAY = 86_400;
  const now = START / 1000;
  for (const [title, wrong] of [
    ['1970', 0],
    ['a month behind', now - 31 * DAY],
    ['a year ahead', now + 365 * DAY],
    ['2100', Date.UTC(2100, 0, 1) / 1000],
  ] as const) {
    test(title, async (t) => {
      const directory = directoryOf(t);
      const file = await openHistoryFile(join(directory, 'history.sqlite'), SERIES, openStorage(directory));
      t.after(() => file.close());
      const write = (from: number, minutes: number) =>
        file.write(
          Array.from({ length: minutes }, (_, minute) => ({
            timeSeconds: from + 60 * minute,
            seconds: 60,
            mean: Float32Array.of(1, 1),
            highest: Float32Array.of(1, 1),
          })),
        );
      /** The number of rows of a minute or an hour. */
      const count = (from: number, to: number, ofSeconds: 60 | 3600) =>
        file.read(from * 1000, to * 1000, ofSeconds * 1000).filter(({ seconds }) => seconds === ofSeconds)
          .length;
      write(now - 30 * DAY, 30 * 1440);
      write(wrong, 10);
      // One hour and ten minutes were removed to make room.
      assert.equal(count(now - 30 * DAY, now, 3600), 719);
      assert.equal(count(now - 2 * DAY, now, 60), 2870);
      // Once the clock is correct, the wrong rows are removed first.
      write(now, 20);
      assert.equal(count(now - 2 * DAY, now + 1200, 60), 2880);
      assert.equal(count(wrong, wrong + 600, 60), 0);
    });
  }
});

test('traffic of servers: from memory and from disk, by name, zero where there was none', async (t) => {
  const directory = directoryOf(t);
  const minute = (ms: number) => Math.floor((ms - START) / 60_000);
  // web1 is busy in every second minute, web2 only in minute 70.
  const hosts = (ms: number): [string, number[]][] => [
    ...(minute(ms) % 2 === 0 ? [['web1', [600, 10, 1, 3]] as [string, number[]]] : []),
    ...(minute(ms) === 70 ? [['web2', [5, 0, 0, 1]] as [string, number[]]] : []),
  ];
  const first = historyIn(directory, START, SERIES, hosts);
  first.run(7200 - 10);
  assert.deepEqual(await first.traffic('web1', START, START + 240_000, 4), [
    [600, 0, 600, 0],
    [3, 0, 3, 0],
  ]);
  const end = START + 7_200_000;
  assert.deepEqual(await first.traffic('web1', end - 120_000, end, 2), [
    [600, 0],
    [3, 0],
  ]);
  // Across memory and disk, and the same by hours as by minutes.
  const [byTenMinutes] = await first.traffic('web1', START, end, 12);
  assert.deepEqual(byTenMinutes, Array(12).fill(300));
  await first.history[Symbol.asyncDispose]();

  const second = historyIn(directory, START + 86_400_000, SERIES);
  assert.deepEqual(await second.traffic('web2', START + 69 * 60_000, START + 72 * 60_000, 3), [
    [0, 5, 0],
    [0, 1, 0],
  ]);
  assert.deepEqual((await second.traffic('web1', START, end, 2))[0], [300, 300]);
  assert.deepEqual((await second.traffic('never', START, end, 1))[0], [0]);
  assert.deepEqual((await second.traffic('web1', end + 600_000, end + 660_000, 1))[0], [null]);
  await second.history[Symbol.asyncDispose]();
});

test('removed servers disappear from the file with their rows; an old file contains no servers', async (t) => {
  const directory = directoryOf(t);
  const path = join(directory, 'history.sqlite');
  const day = 86_400;
  const from = START / 1000;
  const row = (timeSeconds: number, names: readonly string[]) => ({
    timeSeconds,
    seconds: 60,
    mean: Float32Array.of(1, 1),
    highest: Float32Array.of(1, 1),
    hosts: new Map(
      names.map((name) => [
        name,
        { mean: Float32Array.of(1, 2, 3, 4), highest: Float32Array.of(5, 6, 7, 8) },
      ]),
    ),
  });
  const { DatabaseSync } = await import('node:sqlite');
  {
    using old = new DatabaseSync(path);
    old.exec(`
      CREATE TABLE layout (series TEXT NOT NULL);
      INSERT INTO layout VALUES ('${SERIES.join(' ')}');
      CREATE TABLE minutes (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
      CREATE TABLE hours (time INTEGER PRIMARY KEY, seconds REAL NOT NULL, figures BLOB NOT NULL);
      INSERT INTO hours VALUES (${from - 3600}, 60, zeroblob(16));
    `);
  }
  const file = await openHistoryFile(path, SERIES, openStorage(directory));
  const known = (host: string, fromSeconds: number) =>
    file.read(fromSeconds * 1000, (fromSeconds + 3600) * 1000, 3_600_000, host).map(({ hosts }) => hosts);
  assert.deepEqual(known('web1', from - 3600), [undefined]);
  file.write([row(from, ['web1', 'wéb2']), row(from + 60, ['web1'])]);
  const [hour] = known('wéb2', from);
  assert.deepEqual(hour?.get('wéb2'), {
    mean: Float32Array.of(0.5, 1, 1.5, 2),
    highest: Float32Array.of(5, 6, 7, 8),
  });
  assert.equal(hour?.has('web1'), false, 'only the requested server is read');
  for (let hour = 1; hour < 30 * 24; hour++) file.write([row(from + hour * 3600, ['web1'])]);
  assert.equal(known('wéb2', from).length, 1);
  file.write([row(from + 30 * day, ['web1'])]);
  assert.deepEqual(known('wéb2', from), []);
  file.close();
});
