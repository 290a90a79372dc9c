/**
 * Whether links, addresses, routes or rules of the machine have changed, as rtnetlink(7) tells those who listen. To look costs
 * one system call when nothing has; what has changed is for the caller to find out.
 */
import { SOCK_CLOEXEC, SOCK_NONBLOCK, E, bind, check, close, errno, pinned, read, socket } from './libc.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;
/** struct sockaddr_nl */
const ADDRESS_BYTES = 12;
/** Of a notification nothing is read; the kernel discards what does not fit. */
const NOTIFICATION_BYTES = 16;
/** What is left then is found at the next look. */
const MOST_AT_ONCE = 1000;

export interface NetworkChanges extends Disposable {
  /** Whether something has changed since the call before; what changes during the call is told by the next. */
  any(): boolean;
}

/** Listens from now on, in the network namespace of the process. Throws SystemCallError when that is not allowed. */
export function watchNetworkChanges(): NetworkChanges {
  const what = 'listen to changes of the network';
  const fd = check(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE), what);
  const address = pinned(ADDRESS_BYTES);
  const view = new DataView(address.buffer, address.byteOffset);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, GROUPS, true);
  try {
    check(bind(fd, address, ADDRESS_BYTES), what);
  } catch (error) {
    close(fd);
    throw error;
  }
  const notification = pinned(NOTIFICATION_BYTES);
  return {
    any() {
      for (let count = 0; count < MOST_AT_ONCE; count++) {
        // Any other error is one of a notification that was lost (ENOBUFS), or of a socket that is of no use: look, then.
        if (read(fd, notification, NOTIFICATION_BYTES) < 0 && errno() === E.EAGAIN) return count > 0;
      }
      return true;
    },
    [Symbol.dispose]: () => void close(fd),
  };
}
