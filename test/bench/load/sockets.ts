/** Non-blocking TCP sockets and epoll: the few calls that cheap load generators need. */
import {
  AF_INET,
  AF_INET6,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_EVENT_BYTES,
  EPOLL_EVENT_DATA,
  E,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  SO_REUSEADDR,
  bind,
  check,
  close,
  connect,
  epollCreate1,
  epollCtl,
  epollWait,
  errno,
  int32,
  listen,
  pinned,
  setsockopt,
  socket,
  SystemCallError,
} from '../../../src/os/libc.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { mappedIpv4, parseIpAddress } from '../../../src/wire/ip-address.ts';

const EVENTS_A_WAIT = 256;
const LINGER_NONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** A sockaddr and its family, from text. */
export function socketAddress(text: string, port: number): { family: number; bytes: Uint8Array } {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(`"${text}" is no IP address`);
  return {
    family: mappedIpv4(address) === undefined ? AF_INET6 : AF_INET,
    bytes: encodeSocketAddress({ address, port }),
  };
}

/** A non-blocking listening socket. */
export function listenTcp(text: string, port: number): number {
  const { family, bytes } = socketAddress(text, port);
  const fd = check(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, int32(1), 4), 'SO_REUSEADDR');
  check(bind(fd, bytes, bytes.length), `bind ${text} port ${port}`);
  check(listen(fd, 4096), `listen ${text} port ${port}`);
  return fd;
}

/** A non-blocking socket whose connection is under way. */
export function dialTcp({ family, bytes }: { family: number; bytes: Uint8Array }): number {
  const fd = check(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
  if (connect(fd, bytes, bytes.length) < 0 && errno() !== E.EINPROGRESS)
    throw new SystemCallError('connect', errno());
  return fd;
}

/** Closes a connection with RST, regardless of data in flight. */
export function abort(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_NONE, 8);
  close(fd);
}

export interface Epoll {
  add(fd: number, events: number): void;
  /** Waits once and calls `handle` for each event. */
  wait(timeoutMs: number, handle: (fd: number, events: number) => void): void;
  close(): void;
}

export function createEpoll(): Epoll {
  const fd = check(epollCreate1(EPOLL_CLOEXEC), 'epoll_create1');
  const one = pinned(EPOLL_EVENT_BYTES);
  const oneView = new DataView(one.buffer);
  const many = pinned(EVENTS_A_WAIT * EPOLL_EVENT_BYTES);
  const manyView = new DataView(many.buffer);
  return {
    add(target, events) {
      oneView.setUint32(0, events, true);
      oneView.setUint32(EPOLL_EVENT_DATA, target, true);
      check(epollCtl(fd, EPOLL_CTL_ADD, target, one), 'epoll_ctl');
    },
    wait(timeoutMs, handle) {
      const count = epollWait(fd, many, EVENTS_A_WAIT, timeoutMs);
      for (let i = 0; i < count; i++) {
        const at = i * EPOLL_EVENT_BYTES;
        handle(manyView.getUint32(at + EPOLL_EVENT_DATA, true), manyView.getUint32(at, true));
      }
    },
    close: () => void close(fd),
  };
}
