/**
 * Closing sockets so that what was said arrives. close(2) on a socket with unread bytes, and a reset, both destroy
 * what the peer has not acknowledged; hence resets wait for the send queue, and refusals linger (see engine.ts).
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { SIOCOUTQ, SOL_SOCKET, SO_LINGER, ioctl, pinned, setsockopt } from '../os/libc.ts';

const RESET_WAIT_MS = 5000;
/** How often the send queues of sockets about to be reset are looked at. */
export const RESET_POLL_MS = 10;
const MAX_WAITING_RESETS = 1024;

/** struct linger { on, 0 seconds }: close(2) sends a reset. */
const LINGER_RESET = pinned(8);
LINGER_RESET[0] = 1;

interface WaitingReset {
  readonly fd: number;
  readonly sinceMs: number;
}

export class Closer {
  readonly #ledger: FdLedger;
  /** Closed at the end of the turn: no number is given out again while events of its old owner wait in the batch. */
  #closing: number[] = [];
  #resetting: WaitingReset[] = [];
  readonly #unsent = pinned(4);

  constructor(ledger: FdLedger) {
    this.#ledger = ledger;
  }

  /** True while sockets wait for their send queue: call `turn()` again within RESET_POLL_MS. */
  get waiting(): boolean {
    return this.#resetting.length > 0;
  }

  close(fd: number): void {
    this.#closing.push(fd);
  }

  /** Closes with a reset, once the peer has everything that was sent to it. */
  reset(fd: number, nowMs: number): void {
    if (this.#resetting.length < MAX_WAITING_RESETS && this.#hasUnsent(fd)) {
      this.#resetting.push({ fd, sinceMs: nowMs });
      return;
    }
    this.#closeWithReset(fd);
  }

  /** The end of a turn: closes what can be closed. */
  turn(nowMs: number): void {
    if (this.#resetting.length > 0) {
      this.#resetting = this.#resetting.filter(({ fd, sinceMs }) => {
        if (((nowMs - sinceMs) | 0) < RESET_WAIT_MS && this.#hasUnsent(fd)) return true;
        this.#closeWithReset(fd);
        return false;
      });
    }
    if (this.#closing.length > 0) {
      for (const fd of this.#closing) this.#ledger.close(fd);
      this.#closing = [];
    }
  }

  #closeWithReset(fd: number): void {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_RESET, 8);
    this.#closing.push(fd);
  }

  #hasUnsent(fd: number): boolean {
    if (ioctl(fd, SIOCOUTQ, this.#unsent) < 0) return false;
    return this.#unsent.some((byte) => byte !== 0);
  }
}
