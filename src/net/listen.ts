/** Listening TCP sockets. The main thread owns them, so that they outlive a worker: clients then wait in the backlog. */
import { formatSocketAddress, encodeSocketAddress, type SocketAddress } from '../os/socket-address.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_NODELAY,
  bind,
  check,
  close,
  int32,
  listen,
  setsockopt,
  socket,
} from '../os/libc.ts';
import { enableKeepalive } from './keepalive.ts';
import { say } from '../texts/text.ts';

/** The kernel lowers it to net.core.somaxconn. */
const BACKLOG = 4096;
const ON = int32(1);
const OFF = int32(0);

/** A socket to listen on. `name` is what errors and gates call it; several sockets may share it. */
export interface ListenSpec extends SocketAddress {
  readonly name: string;
}

export interface OpenListener {
  readonly spec: ListenSpec;
  readonly fd: number;
}

/**
 * Opens one listening socket. Throws SystemCallError (EADDRINUSE, EACCES, EADDRNOTAVAIL, ...) that names the
 * listener, address and port. Sockets accepted from it inherit TCP_NODELAY, and keepalive when asked for. `mayOverlap`:
 * beside a socket of this process that has SO_REUSEPORT too.
 */
export function openListener(spec: ListenSpec, keepalive: boolean, mayOverlap = false): OpenListener {
  const what = say('listener "{name}": listen on {address}', {
    name: spec.name,
    address: formatSocketAddress(spec),
  });
  const address = encodeSocketAddress(spec);
  const isIpv6 = address.length > 16;
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = check(socket(isIpv6 ? AF_INET6 : AF_INET, type, 0), what);
  try {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
    // "::" and "0.0.0.0" are two listeners, whatever net.ipv6.bindv6only says.
    if (isIpv6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ON, 4);
    if (keepalive) enableKeepalive(fd);
    if (mayOverlap) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ON, 4);
    check(bind(fd, address, address.length), what);
    check(listen(fd, BACKLOG), what);
    // Off again, so that a second process is told that the port is in use.
    if (mayOverlap) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, OFF, 4);
    return { spec, fd };
  } catch (error) {
    close(fd);
    throw error;
  }
}

const keyOf = (spec: SocketAddress) => formatSocketAddress(spec);

/** A change of the set of listening sockets: begun by `openChanges`, ended by `commit` or `rollback`. */
export interface ListenerChange {
  /** Every socket of the new set. */
  readonly listeners: readonly OpenListener[];
  /** Closes the sockets that the new set lacks; call when no thread accepts on them any more. */
  commit(): void;
  /** Closes the sockets that were opened for the new set. */
  rollback(): void;
}

/**
 * Opens what `wanted` has and `current` lacks, and keeps the sockets that both have (same address and port, the name
 * may differ). Throws, with nothing changed, when one cannot be opened.
 */
export function openChanges(
  current: readonly OpenListener[],
  wanted: readonly ListenSpec[],
  keepalive: boolean,
): ListenerChange {
  const kept = new Map(current.map((listener) => [keyOf(listener.spec), listener.fd]));
  const wantedKeys = new Set(wanted.map(keyOf));
  const leaving = current.filter(({ spec }) => !wantedKeys.has(keyOf(spec)));
  const opened: OpenListener[] = [];
  const closeOpened = () => opened.forEach(({ fd }) => close(fd));
  // A new socket may overlap one that is about to go (0.0.0.0 -> 192.0.2.1, same port): let those two share.
  const share = (value: Uint8Array) =>
    leaving.forEach(({ fd }) => setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, value, 4));
  try {
    share(ON);
    const listeners = wanted.map((spec) => {
      const fd = kept.get(keyOf(spec));
      if (fd !== undefined) return { spec, fd };
      const listener = openListener(spec, keepalive, leaving.length > 0);
      opened.push(listener);
      return listener;
    });
    return {
      listeners,
      commit: () => leaving.forEach(({ fd }) => close(fd)),
      rollback: () => {
        closeOpened();
        share(OFF);
      },
    };
  } catch (error) {
    closeOpened();
    share(OFF);
    throw error;
  }
}
