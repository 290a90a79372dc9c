/**
 * How the workers of a service divide the connections. All of them watch the same listening sockets, and the kernel wakes one that
 * waits, always in the same order: at low load the first worker accepts everything. So a worker that has clearly more connections
 * than another one passes the next one on to it. Then the numbers are even, whether connections are short or stay for days.
 */
import { SOCKADDR_BYTES } from '../os/socket-address.ts';
import { type Admission, begin, end } from './admission.ts';
import {
  type AdmissionMemory,
  LETTERS,
  LETTER_WORDS,
  MAX_WORKERS,
  WORKER,
  WORKER_WORDS,
  ring,
} from './admission-memory.ts';
import { lock, unlock } from './lock.ts';

/** A difference that is not worth the second thread's waking up: this many connections, and an eighth. */
const MARGIN = 2;
const MARGIN_SHIFT = 3;

/** A letter that was read. */
export interface Letter {
  fd: number;
  listenerFd: number;
  /** What accept4 wrote. */
  readonly peer: Uint8Array;
}

export const createLetter = (): Letter => ({ fd: -1, listenerFd: -1, peer: new Uint8Array(SOCKADDR_BYTES) });

/** How many connections are under way to a worker. */
export function unread({ workers }: AdmissionMemory, worker: number): number {
  const at = worker * WORKER_WORDS;
  return (workers[at + WORKER.WRITTEN] - workers[at + WORKER.READ]) | 0;
}

/** The connections of a worker, and those under way to it. */
const loadOf = (memory: AdmissionMemory, worker: number): number =>
  memory.workers[worker * WORKER_WORDS + WORKER.OPEN] + unread(memory, worker);

/** The worker that the next connection belongs to: this one (0 for the main thread), unless another one has clearly less. */
export function leastLoaded(memory: AdmissionMemory, worker: number): number {
  const { workers } = memory;
  let best = worker;
  let least = worker === 0 ? Number.POSITIVE_INFINITY : loadOf(memory, worker);
  const own = least;
  for (let other = 1; other <= MAX_WORKERS; other++) {
    if (workers[other * WORKER_WORDS + WORKER.TAKES] === 0) continue;
    const load = loadOf(memory, other);
    if (load >= least) continue;
    least = load;
    best = other;
  }
  return own - least >= MARGIN + (least >> MARGIN_SHIFT) ? best : worker;
}

/** Whether the worker takes a letter now. With the lock. */
const mayPost = (memory: AdmissionMemory, to: number): boolean =>
  memory.workers[to * WORKER_WORDS + WORKER.TAKES] !== 0 && unread(memory, to) < LETTERS;

/**
 * Writes a letter to another worker; false if that worker takes none now. The caller has removed the descriptor from its ledger, and
 * rings afterwards. `peer`: what accept4 wrote. With the lock.
 */
function post(
  memory: AdmissionMemory,
  to: number,
  fd: number,
  listenerFd: number,
  peer: Uint8Array,
): boolean {
  const { workers, letters } = memory;
  if (!mayPost(memory, to)) return false;
  const at = to * WORKER_WORDS;
  const written = workers[at + WORKER.WRITTEN];
  const letter = (to * LETTERS + (written & (LETTERS - 1))) * LETTER_WORDS;
  letters[letter] = fd;
  letters[letter + 1] = listenerFd;
  for (let i = 0; i < SOCKADDR_BYTES; i += 4)
    letters[letter + 2 + (i >> 2)] = peer[i] | (peer[i + 1] << 8) | (peer[i + 2] << 16) | (peer[i + 3] << 24);
  workers[at + WORKER.WRITTEN] = (written + 1) | 0;
  return true;
}

/** Passes an accepted connection on, if another worker has clearly fewer. True if it was passed on. */
export function passOn(admission: Admission, fd: number, listenerFd: number, peer: Uint8Array): boolean {
  const { memory, worker } = admission;
  const other = leastLoaded(memory, worker);
  if (other === worker) return false;
  begin(admission);
  const isPosted = post(memory, other, fd, listenerFd, peer);
  end(admission);
  if (isPosted) ring(memory, other);
  return isPosted;
}

/** Reads the next letter to `worker`; false if there is none. With the lock, if the memory is shared. */
export function readLetter({ workers, letters }: AdmissionMemory, worker: number, into: Letter): boolean {
  const at = worker * WORKER_WORDS;
  const read = workers[at + WORKER.READ];
  if (read === workers[at + WORKER.WRITTEN]) return false;
  const letter = (worker * LETTERS + (read & (LETTERS - 1))) * LETTER_WORDS;
  into.fd = letters[letter];
  into.listenerFd = letters[letter + 1];
  const { peer } = into;
  for (let i = 0; i < SOCKADDR_BYTES; i++) peer[i] = letters[letter + 2 + (i >> 2)] >>> ((i & 3) * 8);
  workers[at + WORKER.READ] = (read + 1) | 0;
  return true;
}

/** The next connection that another worker has passed on to this one; false if there is none. */
export function takeOver(admission: Admission, into: Letter): boolean {
  begin(admission);
  const isRead = readLetter(admission.memory, admission.worker, into);
  end(admission);
  return isRead;
}

/** Whether this worker takes connections from others from now on. Letters that are there already are to be read afterwards. */
export function setTaking(admission: Admission, isTaking: boolean): void {
  const { memory, worker } = admission;
  begin(admission);
  memory.workers[worker * WORKER_WORDS + WORKER.TAKES] = isTaking ? 1 : 0;
  end(admission);
}

/**
 * After the end of a worker, in the main thread: the connections under way to it go to others. Those that nobody takes stay for its
 * successor. Returns the workers to ring for, as a mask.
 */
export function redirect(memory: AdmissionMemory, dead: number, holder: number, letter: Letter): number {
  let rung = 0;
  lock(memory.lock, holder);
  for (;;) {
    const other = leastLoaded(memory, 0);
    if (other === 0 || !mayPost(memory, other) || !readLetter(memory, dead, letter)) break;
    post(memory, other, letter.fd, letter.listenerFd, letter.peer);
    rung |= 1 << other;
  }
  unlock(memory.lock);
  return rung;
}
