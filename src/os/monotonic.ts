/** The clock of hot loops. */
import { clockGettime, pinned, placeOf } from './libc.ts';

const CLOCK_MONOTONIC = 1;
/** struct timespec. */
const timespec = pinned(16);
const words = new Int32Array(timespec.buffer);
const place = placeOf(timespec);
/** Indices of the low words of tv_sec and tv_nsec. */
const SECONDS = 0;
const NANOSECONDS = 2;

/**
 * Whole milliseconds of a clock that never goes back; they wrap at 2^31. `performance.now()` is not used, because the global
 * `performance` is a getter, and checks its receiver each time: as long as the caller is not fully optimised, that costs more.
 */
export function monotonicMs(): number {
  clockGettime(CLOCK_MONOTONIC, place);
  return (words[SECONDS] * 1000 + words[NANOSECONDS] / 1_000_000) | 0;
}
