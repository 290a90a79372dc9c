/**
 * Pipes for splice(2). A pipe belongs to a connection only while bytes are in it, so a few pipes serve thousands of
 * connections. The number of all pipes and of spare pipes is bounded. If there is no pipe, bytes are copied instead.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, fcntl, pinned, pipe2 } from '../os/libc.ts';

/**
 * The limit of one splice: the default of fs.pipe-max-size. Over loopback it needs about three quarters of the CPU time per byte
 * that 256 KiB needs, because both ends are woken less often.
 */
export const PIPE_BYTES = 1024 * 1024;
/**
 * Stalled readers may keep this many pipes filled: 64 MiB, the default of fs.pipe-user-pages-soft. All workers of a service have
 * them together.
 */
const MAX_PIPES = 64;
const MAX_SPARE_PIPES = 16;

export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

export interface PipePool {
  /** Number of existing pipes, in use or spare. */
  readonly existing: number;
  /** How many workers divide the pipes. */
  workers: number;
  /** An empty pipe, or null if the limit is reached or the kernel refuses. */
  take(): Pipe | null;
  /** Takes a pipe back. One that still holds bytes is closed: they must never reach another connection. */
  give(pipe: Pipe, isEmpty: boolean): void;
}

export function createPipePool(ledger: FdLedger): PipePool {
  const spare: Pipe[] = [];
  const fds = pinned(8);
  const fdsView = new DataView(fds.buffer);
  let existing = 0;
  const pool: PipePool = {
    workers: 1,
    get existing() {
      return existing;
    },
    take() {
      const kept = spare.pop();
      if (kept !== undefined) return kept;
      if (existing >= MAX_PIPES / pool.workers || pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) return null;
      const readFd = ledger.add(fdsView.getInt32(0, true));
      const writeFd = ledger.add(fdsView.getInt32(4, true));
      fcntl(writeFd, F_SETPIPE_SZ, PIPE_BYTES); // may be refused (pipe-user-pages-soft); the default size works too
      existing++;
      return { readFd, writeFd };
    },
    give(pipe, isEmpty) {
      if (isEmpty && spare.length < MAX_SPARE_PIPES / pool.workers) {
        spare.push(pipe);
        return;
      }
      ledger.close(pipe.readFd);
      ledger.close(pipe.writeFd);
      existing--;
    },
  };
  return pool;
}
