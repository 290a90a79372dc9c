/**
 * Pipes for splice(2). A pipe belongs to a connection only while bytes are in it, so a handful serves thousands of
 * connections. Both the pipes in existence and those kept spare are bounded: without one, bytes are copied instead.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, fcntl, pinned, pipe2 } from '../os/libc.ts';

/**
 * What one splice can move at most: the default of fs.pipe-max-size. Costs about three quarters of 256 KiB's CPU a
 * byte over loopback, since both neighbours are woken less often.
 */
export const PIPE_BYTES = 1024 * 1024;
/** Stalled readers may keep this many pipes full: 64 MiB, the default of fs.pipe-user-pages-soft. */
const MAX_PIPES = 64;
const MAX_SPARE_PIPES = 16;

export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

export class PipePool {
  readonly #ledger: FdLedger;
  readonly #spare: Pipe[] = [];
  readonly #fds = pinned(8);
  readonly #fdsView = new DataView(this.#fds.buffer);
  #existing = 0;

  constructor(ledger: FdLedger) {
    this.#ledger = ledger;
  }

  /** Pipes in existence, in use or spare. */
  get existing(): number {
    return this.#existing;
  }

  /** An empty pipe, or null when the limit is reached or the kernel has none. */
  take(): Pipe | null {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    if (this.#existing === MAX_PIPES || pipe2(this.#fds, O_NONBLOCK | O_CLOEXEC) < 0) return null;
    const readFd = this.#ledger.add(this.#fdsView.getInt32(0, true));
    const writeFd = this.#ledger.add(this.#fdsView.getInt32(4, true));
    fcntl(writeFd, F_SETPIPE_SZ, PIPE_BYTES); // refused beyond pipe-user-pages-soft: the default size works too
    this.#existing++;
    return { readFd, writeFd };
  }

  /** Takes a pipe back. One that still holds bytes is closed: they must never reach another connection. */
  give(pipe: Pipe, isEmpty: boolean): void {
    if (isEmpty && this.#spare.length < MAX_SPARE_PIPES) {
      this.#spare.push(pipe);
      return;
    }
    this.#ledger.close(pipe.readFd);
    this.#ledger.close(pipe.writeFd);
    this.#existing--;
  }
}
