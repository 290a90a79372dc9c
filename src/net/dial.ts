/** Non-blocking connect(2) to a server, and what its errors mean. */
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  AF_INET,
  AF_INET6,
  E,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  TCP_NODELAY,
  TCP_QUICKACK,
  connect,
  errno,
  getsockopt,
  int32,
  pinned,
  setsockopt,
  socket,
} from '../os/libc.ts';
import type { DialFailure } from './gate.ts';
import { enableKeepalive } from './keepalive.ts';

const ON = int32(1);
const OFF = int32(0);
const errorValue = pinned(4);
const errorBytes = int32(4);

/**
 * Starts connecting; returns a descriptor (recorded in the ledger) that becomes writable when done, or a negative errno.
 * `speaksFirst`: we send as soon as it is connected. The acknowledgement that ends the handshake then waits for these bytes: one
 * packet less on both sides.
 */
export function dial(
  ledger: FdLedger,
  serverAddress: Uint8Array,
  keepalive: boolean,
  speaksFirst = false,
): number {
  const family = serverAddress.length === 16 ? AF_INET : AF_INET6;
  const fd = ledger.add(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0) return -errno();
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
  if (speaksFirst) setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, OFF, 4);
  if (keepalive) enableKeepalive(fd);
  if (connect(fd, serverAddress, serverAddress.length) === 0) return fd;
  const code = errno();
  if (code === E.EINPROGRESS) return fd;
  ledger.close(fd);
  return -code;
}

/** The pending error of a socket (an errno), 0 for none. */
export function socketError(fd: number): number {
  getsockopt(fd, SOL_SOCKET, SO_ERROR, errorValue, errorBytes);
  return errorValue[0] | (errorValue[1] << 8);
}

/** What the error of a failed connect(2) says about the server. */
export function dialFailureOf(code: number): DialFailure {
  switch (code) {
    case E.ECONNREFUSED:
    case E.ECONNRESET:
      return 'refused';
    case E.ETIMEDOUT:
      return 'timeout';
    case E.EMFILE:
    case E.ENFILE:
    case E.ENOBUFS:
    case E.ENOMEM:
    case E.EADDRNOTAVAIL: // every local port is in use
    case E.EAGAIN:
      return 'no-socket';
    default:
      return 'unreachable';
  }
}
