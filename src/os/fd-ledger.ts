/**
 * The file descriptors that a worker thread owns, in memory that outlives the thread. Raw descriptors belong to the process. A
 * thread that dies (an exception, its heap limit) would leak every connection it held, so the supervisor closes the descriptors
 * that the ledger still lists.
 */
import { close } from './libc.ts';

/** Descriptors at or above this number are not recorded (Linux's default hard limit, fs.nr_open, is the same). */
const CAPACITY = 1 << 20;

export class FdLedger {
  readonly buffer: SharedArrayBuffer;
  readonly #open: Uint8Array;

  /** Attaches to the buffer of another thread's ledger, or makes a new one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(CAPACITY)) {
    this.buffer = buffer;
    this.#open = new Uint8Array(buffer);
  }

  /** Records an open descriptor and returns it; negative values (failed calls) pass through unrecorded. */
  add(fd: number): number {
    if (fd >= 0) this.#open[fd] = 1;
    return fd;
  }

  /** Removes a descriptor that another thread takes over. */
  forget(fd: number): void {
    this.#open[fd] = 0;
  }

  /** Closes a descriptor and removes it from the ledger. */
  close(fd: number): void {
    // Remove it first: after close() another thread may already own the same number.
    this.#open[fd] = 0;
    close(fd);
  }

  /** Closes everything listed and returns the count. Call only when the owner is gone. */
  closeAll(): number {
    let closed = 0;
    for (let fd = this.#open.indexOf(1); fd !== -1; fd = this.#open.indexOf(1, fd)) {
      this.close(fd);
      closed++;
    }
    return closed;
  }
}
