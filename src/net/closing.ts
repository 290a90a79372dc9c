/**
 * Closes sockets so that the data sent before still arrives. close(2) on a socket with unread bytes, and a reset, both destroy
 * data that the peer has not acknowledged. So resets wait until the send queue is empty, and refused connections linger
 * (ending.ts).
 *
 * The kernel reports if a waiting socket dies (EPOLLHUP), but not when data is acknowledged. So the send queues are polled, a
 * bounded number of them at a time, however many wait.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { EPOLLERR, EPOLLHUP, SOL_SOCKET, SO_LINGER, pinned, setsockopt } from '../os/libc.ts';
import { unsentBytes } from './unsent.ts';

const RESET_WAIT_MS = 5000;
/** How often the send queues of sockets about to be reset are polled, and below, how many each time. */
export const RESET_POLL_MS = 10;
export const LOOKS_PER_POLL = 16;
const MAX_WAITING_RESETS = 1024;

/** struct linger { on, 0 seconds }: close(2) sends a reset. */
const LINGER_RESET = pinned(8);
LINGER_RESET[0] = 1;

export interface Closer {
  /** Number of sockets that wait for their send queue. While there are any, call `turn()` within RESET_POLL_MS. */
  readonly waiting: number;
  /** How many times send queues have been polled. */
  readonly looks: number;
  close(fd: number): void;
  /** Closes with a reset as soon as the peer has everything that was sent to it. */
  reset(fd: number, nowMs: number): void;
  /** Handles the events of a waiting socket: if its peer is gone, it need not wait any more. False if this socket does not wait. */
  dispatch(fd: number, events: number): boolean;
  /** Call at the end of a turn: closes the sockets that can be closed. */
  turn(nowMs: number): void;
}

export function createCloser(ledger: FdLedger): Closer {
  /** Closed at the end of the turn, so that no descriptor is reused while the batch still has events for its old owner. */
  const closing: number[] = [];
  let closingCount = 0;
  /** By descriptor: since when it waits. The one whose last poll is longest ago comes first. */
  const resetting = new Map<number, number>();
  /** Its size: that of a Map costs a call, and it is asked for in each turn. */
  let waiting = 0;
  let lookedMs = 0;
  let looks = 0;

  /** Whether data in the send queue may still be acknowledged. */
  function hasUnsent(fd: number): boolean {
    looks++;
    return unsentBytes(fd) > 0;
  }

  function closeLater(fd: number): void {
    closing[closingCount++] = fd;
  }

  function closeWithReset(fd: number): void {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_RESET, 8);
    closeLater(fd);
  }

  function look(nowMs: number): void {
    let left = Math.min(LOOKS_PER_POLL, waiting);
    for (const [fd, sinceMs] of resetting) {
      if (left-- === 0) break;
      resetting.delete(fd);
      // Either put it at the end of the queue again, or close it.
      if (((nowMs - sinceMs) | 0) < RESET_WAIT_MS && hasUnsent(fd)) resetting.set(fd, sinceMs);
      else closeWithReset(fd);
    }
    waiting = resetting.size;
  }

  return {
    get waiting() {
      return waiting;
    },
    get looks() {
      return looks;
    },
    close: closeLater,
    reset(fd, nowMs) {
      if (waiting < MAX_WAITING_RESETS && hasUnsent(fd)) waiting = resetting.set(fd, nowMs).size;
      else closeWithReset(fd);
    },
    dispatch(fd, events) {
      if (waiting === 0 || !resetting.has(fd)) return false;
      if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
        resetting.delete(fd);
        waiting = resetting.size;
        closeWithReset(fd);
      }
      return true;
    },
    turn(nowMs) {
      if (waiting > 0 && ((nowMs - lookedMs) | 0) >= RESET_POLL_MS) {
        lookedMs = nowMs;
        look(nowMs);
      }
      for (let i = 0; i < closingCount; i++) ledger.close(closing[i]);
      closingCount = 0;
    },
  };
}
