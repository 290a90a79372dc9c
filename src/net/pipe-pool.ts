/**
 * Pipes for splice(2). A pipe belongs to a connection only while bytes are in it, so a few pipes serve thousands of
 * connections. The number of all pipes and of spare pipes is bounded. A client may have one more while it has less than 4 times as
 * many as are left (`isWithinShare`): its slow readers take at most 4/5. If there is no pipe, bytes are copied instead.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { HOST_SHARE, isWithinShare } from './shares.ts';
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
  /** Which client has it, or had it last. */
  client: number;
}

export interface PipePool {
  /** Number of existing pipes, in use or spare. */
  readonly existing: number;
  /** How many workers divide the pipes. */
  workers: number;
  /** An empty pipe for this client (its number among those of the shares); null at its share or at the limit, or if the kernel refuses. */
  take(client: number): Pipe | null;
  /** Takes a pipe back. One that still holds bytes is closed: they must never reach another connection. */
  give(pipe: Pipe, isEmpty: boolean): void;
}

/** `clients`: the largest number of a client. */
export function createPipePool(ledger: FdLedger, clients: number): PipePool {
  const spare: Pipe[] = [];
  const fds = pinned(8);
  const fdsView = new DataView(fds.buffer);
  const held = new Uint8Array(clients + 1);
  let existing = 0;
  const pool: PipePool = {
    workers: 1,
    get existing() {
      return existing;
    },
    take(client) {
      const left = Math.floor(MAX_PIPES / pool.workers) - (existing - spare.length);
      if (!isWithinShare(held[client], left, HOST_SHARE)) return null;
      const kept = spare.pop();
      if (kept !== undefined) {
        kept.client = client;
        held[client]++;
        return kept;
      }
      if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) return null;
      const readFd = ledger.add(fdsView.getInt32(0, true));
      const writeFd = ledger.add(fdsView.getInt32(4, true));
      fcntl(writeFd, F_SETPIPE_SZ, PIPE_BYTES); // may be refused (pipe-user-pages-soft); the default size works too
      existing++;
      held[client]++;
      return { readFd, writeFd, client };
    },
    give(pipe, isEmpty) {
      held[pipe.client]--;
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
