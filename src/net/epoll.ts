/** One epoll instance: registration and the batch of events of the last wait. */
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  E,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_EVENT_BYTES,
  EPOLL_EVENT_DATA,
  SystemCallError,
  check,
  epollCreate1,
  epollCtl,
  epollWait,
  errno,
  pinned,
} from '../os/libc.ts';

const BATCH = 512;

export class Epoll {
  readonly #fd: number;
  readonly #batch = pinned(BATCH * EPOLL_EVENT_BYTES);
  readonly #events = new DataView(this.#batch.buffer);
  readonly #event = pinned(EPOLL_EVENT_BYTES);
  readonly #eventView = new DataView(this.#event.buffer);

  /** Throws SystemCallError when there is no descriptor left. */
  constructor(ledger: FdLedger) {
    this.#fd = ledger.add(check(epollCreate1(EPOLL_CLOEXEC), 'epoll_create1'));
  }

  /** Watches a descriptor until it is closed; false when the kernel refuses. */
  add(fd: number, events: number): boolean {
    this.#eventView.setUint32(0, events, true);
    this.#eventView.setUint32(EPOLL_EVENT_DATA, fd, true);
    return epollCtl(this.#fd, EPOLL_CTL_ADD, fd, this.#event) === 0;
  }

  remove(fd: number): void {
    epollCtl(this.#fd, EPOLL_CTL_DEL, fd, null);
  }

  /** Waits and returns the number of events in the batch. */
  wait(timeoutMs: number): number {
    const count = epollWait(this.#fd, this.#batch, BATCH, timeoutMs);
    if (count >= 0) return count;
    const code = errno();
    if (code === E.EINTR) return 0;
    throw new SystemCallError('epoll_wait', code);
  }

  fdAt(position: number): number {
    return this.#events.getUint32(position * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA, true);
  }

  eventsAt(position: number): number {
    return this.#events.getUint32(position * EPOLL_EVENT_BYTES, true);
  }
}
