/** What glibc's allocator does with large blocks of memory. */
import { check, mallopt } from './libc.ts';

const M_MMAP_THRESHOLD = -3;

/**
 * From now on, what is freed of blocks of at least `bytes` goes back to the kernel at once. Otherwise glibc keeps the
 * first such block that is freed for the next one, and so does each thread: mallopt(3), "dynamic mmap threshold".
 */
export function returnBlocksFrom(bytes: number): void {
  // mallopt returns 1 on success and 0 on error.
  check(mallopt(M_MMAP_THRESHOLD, bytes) - 1, `mallopt(M_MMAP_THRESHOLD, ${bytes})`);
}
