/**
 * The series of servers, which come and go. Only servers with traffic are kept, by name; one that is missing had no traffic.
 * They are in memory for the last hour, and on disk beside the fixed series, so a removed server disappears when the rows of
 * its time are deleted.
 */
import { type Accumulator, accumulate, createAccumulator, finish } from './accumulate.ts';
import { HOST_SERIES } from './history-series.ts';

export const HOST_WIDTH = Object.keys(HOST_SERIES).length;

/** Means and maxima of a server over a time. */
export interface HostFigures {
  readonly mean: Float32Array;
  readonly highest: Float32Array;
}
export type HostRow = ReadonlyMap<string, HostFigures>;

/** An hour and ten minutes of samples: the chart of the last hour, and what is not on disk yet. */
const KEPT_SAMPLES = 420;
const NOTHING = new Float32Array(HOST_WIDTH);

export interface HostRing {
  add(timeMs: number, figures: ReadonlyMap<string, readonly number[]>): void;
  /** When the oldest sample was taken; Infinity when there is none. */
  readonly firstMs: number;
  /** A server's samples from `fromMs` up to, but not including, `toMs`, oldest first: HOST_WIDTH figures from `at` on. */
  samples(
    name: string,
    fromMs: number,
    toMs: number,
  ): Generator<{ readonly timeMs: number; readonly values: Float32Array; readonly at: number }>;
  /**
   * The traffic in each minute of a span, by the start of the minute in seconds. Each sampled minute has a row; without traffic
   * it is empty.
   */
  minutes(fromMs: number, toMs: number): Map<number, HostRow>;
}

export function createHostRing(): HostRing {
  const times = new Float64Array(KEPT_SAMPLES);
  const columns = new Map<string, { readonly values: Float32Array; idleSamples: number }>();
  let next = 0;
  let count = 0;
  const before = () => (next + KEPT_SAMPLES - 1) % KEPT_SAMPLES;

  function* positions(fromMs: number, toMs: number): Generator<number> {
    for (let i = 0; i < count; i++) {
      const position = (next + KEPT_SAMPLES - count + i) % KEPT_SAMPLES;
      if (times[position] >= fromMs && times[position] < toMs) yield position;
    }
  }

  function* samples(name: string, fromMs: number, toMs: number) {
    const values = columns.get(name)?.values;
    for (const position of positions(fromMs, toMs)) {
      const at = values === undefined ? 0 : position * HOST_WIDTH;
      yield { timeMs: times[position], values: values ?? NOTHING, at };
    }
  }

  return {
    samples,
    add(timeMs, figures) {
      // As in the history: discard samples that lie in the future after the clock was set back.
      while (count > 0 && times[before()] >= timeMs) {
        next = before();
        count--;
      }
      times[next] = timeMs;
      for (const [name, column] of columns) {
        if (figures.has(name)) continue;
        column.values.fill(0, next * HOST_WIDTH, (next + 1) * HOST_WIDTH);
        if (++column.idleSamples >= KEPT_SAMPLES) columns.delete(name);
      }
      for (const [name, sample] of figures) {
        const column = columns.get(name) ?? {
          values: new Float32Array(KEPT_SAMPLES * HOST_WIDTH),
          idleSamples: 0,
        };
        column.values.set(sample, next * HOST_WIDTH);
        column.idleSamples = 0;
        columns.set(name, column);
      }
      next = (next + 1) % KEPT_SAMPLES;
      count = Math.min(count + 1, KEPT_SAMPLES);
    },
    get firstMs() {
      return count === 0 ? Number.POSITIVE_INFINITY : times[(next + KEPT_SAMPLES - count) % KEPT_SAMPLES];
    },
    minutes(fromMs, toMs) {
      const rows = new Map<number, Map<string, HostFigures>>();
      for (const position of positions(fromMs, toMs)) rows.set(minuteOf(times[position]), new Map());
      for (const name of columns.keys()) {
        const sums = new Map<number, Accumulator>();
        for (const { timeMs, values, at } of samples(name, fromMs, toMs)) {
          const minute = minuteOf(timeMs);
          const sum = sums.get(minute) ?? createAccumulator(HOST_WIDTH);
          accumulate(sum, values, values, at, 1);
          sums.set(minute, sum);
        }
        for (const [minute, sum] of sums) {
          if (sum.highest.some((figure) => figure > 0)) rows.get(minute)?.set(name, finish(sum));
        }
      }
      return rows;
    },
  };
}

const minuteOf = (timeMs: number): number => Math.floor(timeMs / 60_000) * 60;

/** For each server: length of its name, the name, means, maxima. */
export function encodeHosts(hosts: HostRow): Uint8Array {
  const entries = [...hosts].map(([name, figures]) => [Buffer.from(name), figures] as const);
  const size = entries.reduce((sum, [name]) => sum + 1 + name.length + HOST_WIDTH * 8, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [name, { mean, highest }] of entries) {
    view.setUint8(at, name.length);
    bytes.set(name, at + 1);
    at += 1 + name.length;
    for (let i = 0; i < HOST_WIDTH; i++) {
      view.setFloat32(at + i * 4, mean[i], true);
      view.setFloat32(at + (HOST_WIDTH + i) * 4, highest[i], true);
    }
    at += HOST_WIDTH * 8;
  }
  return bytes;
}

/** Decodes what `encodeHosts` wrote, or only the one server. A remainder that is too short for a server is ignored. */
export function decodeHosts(bytes: Uint8Array, only?: string): HostRow {
  const hosts = new Map<string, HostFigures>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const length = view.getUint8(at);
    const figuresAt = at + 1 + length;
    if (figuresAt + HOST_WIDTH * 8 > bytes.length) break;
    const figures = (from: number) =>
      Float32Array.from({ length: HOST_WIDTH }, (_, i) => view.getFloat32(from + i * 4, true));
    const name = Buffer.from(bytes.subarray(at + 1, figuresAt)).toString();
    if (only === undefined || only === name) {
      hosts.set(name, { mean: figures(figuresAt), highest: figures(figuresAt + HOST_WIDTH * 4) });
    }
    at = figuresAt + HOST_WIDTH * 8;
  }
  return hosts;
}

/** Combines several rows, each with its weight, into one; undefined when none has data. */
export function mergeHosts(
  rows: readonly { readonly hosts: HostRow | undefined; readonly seconds: number }[],
): HostRow | undefined {
  const known = rows.flatMap(({ hosts, seconds }) => (hosts === undefined ? [] : [{ hosts, seconds }]));
  if (known.length === 0) return undefined;
  const total = known.reduce((sum, { seconds }) => sum + seconds, 0);
  const merged = new Map<string, HostFigures>();
  for (const { hosts, seconds } of known) {
    for (const [name, { mean, highest }] of hosts) {
      let into = merged.get(name);
      if (into === undefined) {
        merged.set(
          name,
          (into = { mean: new Float32Array(HOST_WIDTH), highest: new Float32Array(HOST_WIDTH) }),
        );
      }
      for (let i = 0; i < HOST_WIDTH; i++) {
        into.mean[i] += (mean[i] * seconds) / total;
        into.highest[i] = Math.max(into.highest[i], highest[i]);
      }
    }
  }
  return merged;
}
