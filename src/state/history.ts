/**
 * Figures over time: every 10 s in memory for the last hours, as means and maxima of minutes and hours on disk for 30
 * days. The disk is written once in 10 minutes and at the end, because an SD card bears only so many writes; what is lost
 * when the power fails is those minutes.
 */
import { createInTurn } from '../os/in-turn.ts';
import type { Logger } from '../runtime/log.ts';
import { type Accumulator, accumulate, createAccumulator, finish, weightOf } from './accumulate.ts';
import { type HistoryFile, type StoredRow, isDamage } from './history-file.ts';
import { HOST_SERIES } from './history-series.ts';
import { HOST_WIDTH, createHostRing } from './host-series.ts';
import { type SampleRing, createSampleRing } from './sample-ring.ts';

export const SAMPLE_SECONDS = 10;
/** 6 hours. */
const KEPT_SAMPLES = 2160;
const FLUSH_SECONDS = 600;
/** Minutes that wait while they cannot be written: 6 hours. */
const MOST_WAITING = 360;
/** When that failed. */
const RETRY_SECONDS = 60;

const HOST_NAMES: readonly string[] = Object.keys(HOST_SERIES);
const NO_TRAFFIC = { mean: new Float32Array(HOST_WIDTH), highest: new Float32Array(HOST_WIDTH) };

/** The figures of one moment, in the order of the series; NaN for none. */
export type Sample = readonly number[];

export interface HistoryOptions {
  readonly series: readonly string[];
  /** The figures now. Called every 10 s. */
  readonly sample: (nowMs: number) => Sample;
  /** The servers that had traffic, by name, in the order of HOST_SERIES. Called when `sample` was. */
  readonly sampleHosts: (nowMs: number) => ReadonlyMap<string, readonly number[]>;
  /** Where hours and minutes are kept; opened at the first write, or the first question about the time before. */
  readonly openFile: () => Promise<HistoryFile>;
  /** Told why the file cannot be used at present, and, with undefined, that it can again. Figures stay in memory meanwhile. */
  readonly onTrouble: (error: unknown) => void;
  readonly log: Logger;
}

export interface HistoryQuery {
  readonly series: readonly string[];
  /** Whose series, when they are of HOST_SERIES. */
  readonly host?: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
  readonly points: number;
}

export interface HistoryPage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepSeconds: number;
  readonly series: { name: string; mean: (number | null)[]; highest: (number | null)[] }[];
}

export interface History extends AsyncDisposable {
  query(query: HistoryQuery): Promise<HistoryPage>;
  /** The newest sample; undefined before the first. */
  readonly latest: { readonly timeMs: number; readonly values: Sample } | undefined;
}

interface Clock {
  readonly now: () => number;
  /** Calls back every so often until disposed. */
  readonly every: (ms: number, task: () => void) => Disposable;
}

const systemClock: Clock = {
  now: Date.now,
  every(ms, task) {
    const timer = setInterval(task, ms).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};

/** Starts sampling. Disposing writes what has not been written. */
export function startHistory(options: HistoryOptions, clock = systemClock): History {
  const { series, log } = options;
  const width = series.length;
  const ring = createSampleRing(KEPT_SAMPLES, width);
  const hosts = createHostRing();
  /** Up to here everything is on disk, or waits. */
  let takenMs = clock.now();
  let nextFlushMs = takenMs + FLUSH_SECONDS * 1000;
  let latest: History['latest'];
  let file: Promise<HistoryFile> | undefined;
  let waiting: StoredRow[] = [];
  const inTurn = createInTurn();

  function takeSample(): void {
    const timeMs = clock.now();
    if (takenMs > timeMs) {
      takenMs = timeMs;
      nextFlushMs = timeMs + FLUSH_SECONDS * 1000;
    }
    const sample = options.sample(timeMs);
    ring.add(timeMs, sample);
    latest = { timeMs, values: sample };
    hosts.add(timeMs, options.sampleHosts(timeMs));
    if (timeMs >= nextFlushMs) void flush();
  }

  /** Uses the file; undefined when it cannot be used at present. One that turns out to be damaged is opened anew the next time. */
  async function use<T>(task: (opened: HistoryFile) => T): Promise<T | undefined> {
    try {
      file ??= options.openFile();
      const result = task(await file);
      options.onTrouble(undefined);
      return result;
    } catch (error) {
      options.onTrouble(error);
      const opened = await file?.catch(() => undefined);
      if (opened === undefined) file = undefined;
      else if (isDamage(error)) {
        opened.close();
        file = undefined;
      }
      return undefined;
    }
  }

  /** Writes the minutes that are over; what cannot be written waits for the next time, as long as it may. */
  function flush(untilMs = Math.floor(clock.now() / 60_000) * 60_000): Promise<void> {
    nextFlushMs = clock.now() + FLUSH_SECONDS * 1000;
    waiting.push(...minutesSince(ring, hosts, width, takenMs, untilMs));
    waiting.splice(0, waiting.length - MOST_WAITING);
    takenMs = untilMs;
    return inTurn(writeWaiting);
  }

  async function writeWaiting(): Promise<void> {
    const rows = [...waiting];
    if (rows.length === 0) return;
    const isWritten = await use((opened) => {
      opened.write(rows);
      return true;
    });
    if (isWritten === true) waiting = waiting.filter((row) => !rows.includes(row));
    else nextFlushMs = Math.min(nextFlushMs, clock.now() + RETRY_SECONDS * 1000);
  }

  /** What the file has, everything that is under way included; none when it cannot be read. */
  async function storedRows(...asked: Parameters<HistoryFile['read']>): Promise<StoredRows> {
    await inTurn(() => {});
    return (await use((opened) => opened.read(...asked))) ?? [];
  }

  /** A figure that cannot be had is a gap in a chart, and no more. */
  const trySample = () => {
    try {
      takeSample();
    } catch (err) {
      log.error({ err }, 'history: no figures this time');
    }
  };
  trySample();
  const timer = clock.every(SAMPLE_SECONDS * 1000, trySample);
  return {
    query: (asked) => pageOf(asked, series, ring, hosts, storedRows),
    get latest() {
      return latest;
    },
    async [Symbol.asyncDispose]() {
      timer[Symbol.dispose]();
      await flush(clock.now() + 1);
      (await file?.catch(() => undefined))?.close();
    },
  };
}

type HostRing = ReturnType<typeof createHostRing>;
type StoredRows = ReturnType<HistoryFile['read']>;

/** Means and maxima of the minutes of a time. */
function minutesSince(
  ring: SampleRing,
  hosts: HostRing,
  width: number,
  fromMs: number,
  untilMs: number,
): StoredRow[] {
  const rows = new Map<number, Accumulator>();
  for (const { timeMs, at } of ring.samples(fromMs, untilMs)) {
    const minute = Math.floor(timeMs / 60_000) * 60;
    let row = rows.get(minute);
    if (row === undefined) rows.set(minute, (row = createAccumulator(width)));
    accumulate(row, ring.values, ring.values, at, 1);
  }
  const hostRows = hosts.minutes(fromMs, untilMs);
  return Array.from(rows, ([timeSeconds, row]) => ({
    timeSeconds,
    seconds: weightOf(row) * SAMPLE_SECONDS,
    ...finish(row),
    hosts: hostRows.get(timeSeconds),
  }));
}

/** The figures that were asked for, out of memory, and of the time before that out of the file. */
async function pageOf(
  { series: names, host, fromMs, toMs, points }: HistoryQuery,
  series: readonly string[],
  ring: SampleRing,
  hosts: HostRing,
  storedRows: (...asked: Parameters<HistoryFile['read']>) => Promise<StoredRows>,
): Promise<HistoryPage> {
  const { values } = ring;
  const columns = names.map((name) => (host === undefined ? series : HOST_NAMES).indexOf(name));
  const finest = SAMPLE_SECONDS * 1000;
  const stepMs = Math.max(finest, Math.ceil((toMs - fromMs) / points / finest) * finest);
  const buckets = Math.max(1, Math.ceil((toMs - fromMs) / stepMs));
  const sums = Array.from({ length: buckets }, () =>
    createAccumulator(host === undefined ? series.length : HOST_WIDTH),
  );
  const bucketOf = (timeMs: number) => sums[Math.floor((timeMs - fromMs) / stepMs)];

  const firstInMemory = host === undefined ? ring.firstMs : hosts.firstMs;
  const memoryFromMs = Math.max(fromMs, Math.min(firstInMemory, toMs));
  if (memoryFromMs > fromMs) {
    for (const row of await storedRows(fromMs, memoryFromMs, stepMs, host)) {
      const figures = host === undefined ? row : row.hosts && (row.hosts.get(host) ?? NO_TRAFFIC);
      if (figures === undefined) continue;
      const timeMs = Math.max(row.timeSeconds * 1000, fromMs);
      accumulate(bucketOf(timeMs), figures.mean, figures.highest, 0, row.seconds / SAMPLE_SECONDS);
    }
  }
  if (host === undefined) {
    for (const { timeMs, at } of ring.samples(memoryFromMs, toMs)) {
      accumulate(bucketOf(timeMs), values, values, at, 1);
    }
  } else {
    for (const { timeMs, values: figures, at } of hosts.samples(host, memoryFromMs, toMs)) {
      accumulate(bucketOf(timeMs), figures, figures, at, 1);
    }
  }

  const rows = sums.map(finish);
  const shown = (figures: Float32Array, column: number): number | null => {
    const figure = figures[column];
    return column < 0 || Number.isNaN(figure) ? null : Number(figure.toPrecision(6));
  };
  return {
    fromMs,
    toMs,
    stepSeconds: stepMs / 1000,
    series: names.map((name, i) => ({
      name,
      mean: rows.map(({ mean }) => shown(mean, columns[i])),
      highest: rows.map(({ highest }) => shown(highest, columns[i])),
    })),
  };
}
