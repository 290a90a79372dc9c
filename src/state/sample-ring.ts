/** The last samples, in memory: one number for each series, NaN for none. */

export interface SampleRing {
  /** All values; those of a sample begin at its `at`. */
  readonly values: Float32Array;
  /** Time of the oldest; infinite when there is none. */
  readonly firstMs: number;
  add(timeMs: number, sample: readonly number[]): void;
  /** Samples from `fromMs` to before `toMs`, oldest first. */
  samples(fromMs: number, toMs: number): Generator<{ readonly timeMs: number; readonly at: number }>;
}

export function createSampleRing(size: number, width: number): SampleRing {
  const times = new Float64Array(size);
  const values = new Float32Array(size * width);
  let next = 0;
  let count = 0;
  return {
    values,
    get firstMs() {
      return count === 0 ? Number.POSITIVE_INFINITY : times[(next + size - count) % size];
    },
    add(timeMs, sample) {
      // A clock that was put back (there is no RTC): what is "later" than now never was.
      while (count > 0 && times[(next + size - 1) % size] >= timeMs) {
        next = (next + size - 1) % size;
        count--;
      }
      times[next] = timeMs;
      values.set(sample, next * width);
      next = (next + 1) % size;
      count = Math.min(count + 1, size);
    },
    *samples(fromMs, toMs) {
      for (let i = 0; i < count; i++) {
        const position = (next + size - count + i) % size;
        const timeMs = times[position];
        if (timeMs >= fromMs && timeMs < toMs) yield { timeMs, at: position * width };
      }
    },
  };
}
