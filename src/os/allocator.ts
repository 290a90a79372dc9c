/** How glibc's allocator treats large blocks of memory. */
import { check, mallopt } from './libc.ts';

const M_MMAP_THRESHOLD = -3;

/**
 * From now on, a freed block of at least `bytes` goes back to the kernel at once. By default, glibc keeps the first such block
 * for reuse after it is freed, and does so in each thread: mallopt(3), "dynamic mmap threshold".
 */
export function returnBlocksFrom(bytes: number): void {
  // mallopt returns 1 on success and 0 on error.
  check(mallopt(M_MMAP_THRESHOLD, bytes) - 1, `mallopt(M_MMAP_THRESHOLD, ${bytes})`);
}
