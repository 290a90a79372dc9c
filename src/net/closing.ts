/**
 * Closing sockets so that what was said arrives. close(2) on a socket with unread bytes, and a reset, both destroy
 * what the peer has not acknowledged; hence resets wait for the send queue, and refusals linger (see ending.ts).
 *
 * The kernel tells of the death of a waiting socket (EPOLLHUP), but not of an acknowledgement: send queues are looked at,
 * a bounded number of them at a time, however many wait.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  IPPROTO_TCP,
  SIOCOUTQ,
  SOL_SOCKET,
  SO_LINGER,
  TCP_CLOSE,
  TCP_INFO,
  getsockopt,
  int32,
  ioctl,
  pinned,
  setsockopt,
} from '../os/libc.ts';

const RESET_WAIT_MS = 5000;
/** How often send queues of sockets about to be reset are looked at, and how many of them each time. */
export const RESET_POLL_MS = 10;
export const LOOKS_PER_POLL = 16;
const MAX_WAITING_RESETS = 1024;

/** struct linger { on, 0 seconds }: close(2) sends a reset. */
const LINGER_RESET = pinned(8);
LINGER_RESET[0] = 1;

export class Closer {
  readonly #ledger: FdLedger;
  /** Closed at the end of the turn: no number is given out again while events of its old owner wait in the batch. */
  #closing: number[] = [];
  /** Since when a descriptor waits, the one looked at longest ago first. */
  readonly #resetting = new Map<number, number>();
  #lookedMs = 0;
  readonly #unsent = pinned(4);
  /** struct tcp_info, whose first byte is the state. */
  readonly #info = pinned(1);
  readonly #infoBytes = int32(1);
  /** How many send queues have been looked at. */
  looks = 0;

  constructor(ledger: FdLedger) {
    this.#ledger = ledger;
  }

  /** Sockets that wait for their send queue. While there are any, call `turn()` within RESET_POLL_MS. */
  get waiting(): number {
    return this.#resetting.size;
  }

  close(fd: number): void {
    this.#closing.push(fd);
  }

  /** Closes with a reset, once the peer has everything that was sent to it. */
  reset(fd: number, nowMs: number): void {
    if (this.#resetting.size < MAX_WAITING_RESETS && this.#hasUnsent(fd)) this.#resetting.set(fd, nowMs);
    else this.#closeWithReset(fd);
  }

  /** Events of a socket that waits: one whose peer is gone waits for nothing any more. False when it is none of them. */
  dispatch(fd: number, events: number): boolean {
    if (!this.#resetting.has(fd)) return false;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      this.#resetting.delete(fd);
      this.#closeWithReset(fd);
    }
    return true;
  }

  /** The end of a turn: closes what can be closed. */
  turn(nowMs: number): void {
    if (this.#resetting.size > 0 && ((nowMs - this.#lookedMs) | 0) >= RESET_POLL_MS) {
      this.#lookedMs = nowMs;
      this.#look(nowMs);
    }
    if (this.#closing.length > 0) {
      for (const fd of this.#closing) this.#ledger.close(fd);
      this.#closing = [];
    }
  }

  #look(nowMs: number): void {
    let left = Math.min(LOOKS_PER_POLL, this.#resetting.size);
    for (const [fd, sinceMs] of this.#resetting) {
      if (left-- === 0) return;
      this.#resetting.delete(fd);
      // To the end of the line, or out of it.
      if (((nowMs - sinceMs) | 0) < RESET_WAIT_MS && this.#hasUnsent(fd)) this.#resetting.set(fd, sinceMs);
      else this.#closeWithReset(fd);
    }
  }

  #closeWithReset(fd: number): void {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_RESET, 8);
    this.#closing.push(fd);
  }

  /** Whether something in the send queue may still be acknowledged. */
  #hasUnsent(fd: number): boolean {
    this.looks++;
    if (ioctl(fd, SIOCOUTQ, this.#unsent) < 0) return false;
    if (this.#unsent.every((byte) => byte === 0)) return false;
    // SIOCOUTQ counts sequence numbers: after a reset by the peer it stays where it was for ever.
    this.#infoBytes[0] = 1;
    return (
      getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#infoBytes) < 0 || this.#info[0] !== TCP_CLOSE
    );
  }
}
