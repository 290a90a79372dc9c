/** One epoll instance: its registrations, and the batch of events of the last wait. */
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  E,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENT_BYTES,
  EPOLL_EVENT_DATA,
  SystemCallError,
  check,
  epollCreate1,
  epollCtlAt,
  epollWaitAt,
  errno,
  pinned,
  placeOf,
} from '../os/libc.ts';

const BATCH = 512;

export interface Epoll {
  /** Watches a descriptor until it is closed; false if the kernel refuses. */
  add(fd: number, events: number): boolean;
  /** Watches other events of a watched descriptor. */
  change(fd: number, events: number): void;
  remove(fd: number): void;
  /** Waits and returns the number of events in the batch. */
  wait(timeoutMs: number): number;
  fdAt(position: number): number;
  eventsAt(position: number): number;
}

/** Throws SystemCallError if there is no descriptor left. */
export function createEpoll(ledger: FdLedger): Epoll {
  const epollFd = ledger.add(check(epollCreate1(EPOLL_CLOEXEC), 'epoll_create1'));
  const batch = pinned(BATCH * EPOLL_EVENT_BYTES);
  const events = new DataView(batch.buffer);
  const event = pinned(EPOLL_EVENT_BYTES);
  const eventView = new DataView(event.buffer);
  const batchAt = placeOf(batch);
  const eventAt = placeOf(event);
  return {
    add(fd, mask) {
      eventView.setUint32(0, mask, true);
      eventView.setUint32(EPOLL_EVENT_DATA, fd, true);
      return epollCtlAt(epollFd, EPOLL_CTL_ADD, fd, eventAt) === 0;
    },
    change(fd, mask) {
      eventView.setUint32(0, mask, true);
      eventView.setUint32(EPOLL_EVENT_DATA, fd, true);
      epollCtlAt(epollFd, EPOLL_CTL_MOD, fd, eventAt);
    },
    remove: (fd) => void epollCtlAt(epollFd, EPOLL_CTL_DEL, fd, 0),
    wait(timeoutMs) {
      const count = epollWaitAt(epollFd, batchAt, BATCH, timeoutMs);
      if (count >= 0) return count;
      const code = errno();
      if (code === E.EINTR) return 0;
      throw new SystemCallError('epoll_wait', code);
    },
    fdAt: (position) => events.getUint32(position * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA, true),
    eventsAt: (position) => events.getUint32(position * EPOLL_EVENT_BYTES, true),
  };
}
