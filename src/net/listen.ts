/** Listening TCP sockets. The main thread owns them, so that they outlive a worker; clients wait in the backlog meanwhile. */
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
  SO_ATTACH_FILTER,
  SO_REUSEPORT,
  TCP_NODELAY,
  addressOf,
  bind,
  check,
  close,
  int32,
  listen,
  pinned,
  setsockopt,
  socket,
} from '../os/libc.ts';
import { enableKeepalive } from './keepalive.ts';
import { say } from '../texts/text.ts';

/** The kernel limits it to net.core.somaxconn. */
const BACKLOG = 4096;
const ON = int32(1);
const OFF = int32(0);

/** A socket to listen on. Errors and gates use `name`; several sockets may share it. */
export interface ListenSpec extends SocketAddress {
  readonly name: string;
}

export interface OpenListener {
  readonly spec: ListenSpec;
  readonly fd: number;
}

/**
 * Opens one listening socket. Throws a SystemCallError (EADDRINUSE, EACCES, EADDRNOTAVAIL, ...) that names the listener, address
 * and port. Sockets accepted from it inherit TCP_NODELAY, and keepalive if requested. `mayOverlap`: another socket of this
 * process, which has SO_REUSEPORT too, may have an overlapping address.
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
    // "::" and "0.0.0.0" are two separate listeners, whatever the value of net.ipv6.bindv6only.
    if (isIpv6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ON, 4);
    if (keepalive) enableKeepalive(fd);
    if (mayOverlap) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ON, 4);
    check(bind(fd, address, address.length), what);
    check(listen(fd, BACKLOG), what);
    // Switched off again, so that a second process gets the error that the port is in use.
    if (mayOverlap) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, OFF, 4);
    return { spec, fd };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Sets whether bound sockets share their port with others of this process. This is needed while a socket is opened that overlaps
 * one that is about to be closed (0.0.0.0 -> 192.0.2.1).
 */
export function sharePorts(fds: readonly number[], isShared: boolean): void {
  for (const fd of fds) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, isShared ? ON : OFF, 4);
}

/** A wanted listening socket that could not be opened. */
export interface MissingListener {
  readonly spec: ListenSpec;
  /** The SystemCallError of the last attempt. */
  readonly error: Error;
}

const keyOf = (spec: SocketAddress) => formatSocketAddress(spec);

/** A change of the set of listening sockets. It begins with `openChanges`, and ends with `commit` or `rollback`. */
export interface ListenerChange {
  /** All open sockets of the new set. */
  readonly listeners: readonly OpenListener[];
  /** The sockets that could not be opened, and may be missing. */
  readonly missing: readonly MissingListener[];
  /** Closes the sockets that are not in the new set; call when no thread accepts on them any more. */
  commit(): void;
  /** Closes the sockets that were opened for the new set. */
  rollback(): void;
}

/**
 * Opens the sockets that are in `wanted` but not in `current`, and keeps those that are in both (same address and port, the name
 * may differ). Throws, with nothing changed, if a socket cannot be opened, unless `mayMiss` allows it to be missing: a socket
 * that was already missing is no reason to refuse a change.
 */
export function openChanges(
  current: readonly OpenListener[],
  wanted: readonly ListenSpec[],
  mayMiss: (spec: ListenSpec) => boolean,
): ListenerChange {
  const kept = new Map(current.map((listener) => [keyOf(listener.spec), listener.fd]));
  const wantedKeys = new Set(wanted.map(keyOf));
  const leaving = current.filter(({ spec }) => !wantedKeys.has(keyOf(spec)));
  const opened: OpenListener[] = [];
  const missing: MissingListener[] = [];
  const closeOpened = () => opened.forEach(({ fd }) => close(fd));
  const share = (isShared: boolean) =>
    sharePorts(
      leaving.map(({ fd }) => fd),
      isShared,
    );
  try {
    share(true);
    const listeners = wanted.flatMap((spec): OpenListener[] => {
      const fd = kept.get(keyOf(spec));
      if (fd !== undefined) return [{ spec, fd }];
      try {
        const listener = openListener(spec, true, leaving.length > 0);
        opened.push(listener);
        return [listener];
      } catch (error) {
        if (!mayMiss(spec)) throw error;
        missing.push({ spec, error: error as Error });
        return [];
      }
    });
    return {
      listeners,
      missing,
      commit: () => leaving.forEach(({ fd }) => close(fd)),
      rollback: () => {
        closeOpened();
        share(false);
      },
    };
  } catch (error) {
    closeOpened();
    share(false);
    throw error;
  }
}

// Classic BPF (linux/filter.h): struct sock_filter { u16 code, u8 jt, u8 jf, u32 k }. A TCP socket's filter sees the packet
// from its TCP header on; byte 13 has the flags.
const DROP_SYN = [
  [0x30, 0, 0, 13], // A = flags
  [0x54, 0, 0, 0x12], // A &= SYN | ACK
  [0x15, 0, 1, 0x02], // SYN alone?
  [0x06, 0, 0, 0], // drop
  [0x06, 0, 0, 0xffff_ffff], // pass
] as const;

/**
 * From now on no new client gets into the queue of a listening socket. Clients in the queue, or with a handshake in progress,
 * can still be accepted. A connection request (SYN) gets no answer, and its sender repeats it after 1 s, 3 s, 7 s and so on: it
 * reaches the process that listens next. Closing the socket now would refuse the request, and destroy the queue.
 */
export function stopAdmitting(fd: number): void {
  const program = pinned(DROP_SYN.length * 8);
  const view = new DataView(program.buffer);
  for (const [i, [code, jt, jf, k]] of DROP_SYN.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, true);
  }
  const header = pinned(16); // struct sock_fprog { u16 len, struct sock_filter *filter }
  const headerView = new DataView(header.buffer);
  headerView.setUint16(0, DROP_SYN.length, true);
  headerView.setBigUint64(8, addressOf(program), true);
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, header, 16);
}
