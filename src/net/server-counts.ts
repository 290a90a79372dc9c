/** How many connections each server has: every worker counts in its own part of the shared memory, and the sums count. */
import { type AdmissionMemory, MAX_WORKERS, SERVERS_WORDS, SERVER_WORDS } from './admission-memory.ts';
import { STRIDE } from './host-slots.ts';

/** The part of an `Admission` (admission.ts) that counting needs. */
interface CountingWorker {
  readonly memory: Pick<AdmissionMemory, 'servers'>;
  readonly worker: number;
  /** Other workers use the memory, too. */
  readonly isShared: boolean;
}

/** Where the numbers of the server begin that has `hostAt`, in the part of a worker. */
export const placeOf = (worker: number, hostAt: number): number =>
  worker * SERVERS_WORDS + (hostAt / STRIDE) * SERVER_WORDS;

/** The sum over all workers. */
export function serverSum(
  { memory: { servers }, worker, isShared }: CountingWorker,
  hostAt: number,
  word: number,
): number {
  if (!isShared) return servers[placeOf(worker, hostAt) + word];
  let sum = 0;
  for (let each = 1; each <= MAX_WORKERS; each++) sum += servers[placeOf(each, hostAt) + word];
  return sum;
}
