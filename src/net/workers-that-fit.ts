/** How many worker threads a machine has cores and memory for. */
import { availableParallelism, totalmem } from 'node:os';

/** A thread takes 12 MB before its first connection. This leaves a machine with 1 GB at one, and one with 4 GB at its cores. */
const BYTES_PER_WORKER = 512 * 1024 * 1024;
/** The next thread would wait for the lock of the others, and for the network. */
const MOST = 8;

/** `cores`: what the process may use. `bytes`: the memory of the machine, or of its control group. */
export const workersFor = (cores: number, bytes: number): number =>
  Math.max(1, Math.min(cores, Math.floor(bytes / BYTES_PER_WORKER), MOST));

export function workersThatFit(): number {
  const limit = process.constrainedMemory();
  return workersFor(availableParallelism(), limit > 0 ? Math.min(limit, totalmem()) : totalmem());
}
