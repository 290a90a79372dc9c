/** Non-blocking connect(2) to a server, and what its errors mean. */
import { bindSource } from '../os/bind-source.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  AF_INET,
  AF_INET6,
  E,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TCP_NODELAY,
  TCP_QUICKACK,
  connectAt,
  errno,
  int32,
  pinned,
  placeOf,
  setsockoptAt,
  socket,
} from '../os/libc.ts';
import { SOCKADDR_BYTES } from '../os/socket-address.ts';
import type { DialFailure } from './gate.ts';
import { enableKeepalive } from './keepalive.ts';

const ON = int32(1);
const OFF = int32(0);
const onAt = placeOf(ON);
const offAt = placeOf(OFF);
const dialled = pinned(SOCKADDR_BYTES);
const dialledAt = placeOf(dialled);

/**
 * Starts connecting; returns a descriptor (recorded in the ledger) that becomes writable when done, or a negative errno.
 * `speaksFirst`: we send as soon as it is connected. The acknowledgement that ends the handshake then waits for these bytes: one
 * packet less on both sides. `source`: the sockaddr_in6 that the connection comes from; null for the appliance's own address.
 */
export function dial(
  ledger: FdLedger,
  serverAddress: Uint8Array,
  keepalive: boolean,
  speaksFirst = false,
  source: Uint8Array | null = null,
): number {
  const family = serverAddress.length === 16 ? AF_INET : AF_INET6;
  const fd = ledger.add(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0) return -errno();
  setsockoptAt(fd, IPPROTO_TCP, TCP_NODELAY, onAt, 4);
  if (speaksFirst) setsockoptAt(fd, IPPROTO_TCP, TCP_QUICKACK, offAt, 4);
  if (keepalive) enableKeepalive(fd);
  const isBound = source === null || bindSource(fd, source);
  for (let i = 0; i < serverAddress.length; i++) dialled[i] = serverAddress[i];
  if (isBound && connectAt(fd, dialledAt, serverAddress.length) === 0) return fd;
  const code = errno();
  if (code === E.EINPROGRESS) return fd;
  ledger.close(fd);
  return -code;
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
