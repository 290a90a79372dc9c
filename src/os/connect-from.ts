/** Tries whether a server answers connections from a certain source address. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bindSource } from './bind-source.ts';
import {
  AF_INET,
  AF_INET6,
  E,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  close,
  connect,
  errno,
  errnoName,
  pinned,
  poll,
  setsockopt,
  socket,
} from './libc.ts';
import { encodeSocketAddress } from './socket-address.ts';
import { socketError } from './socket-error.ts';

/** How often the socket is looked at. */
const LOOK_MS = 10;
/** struct pollfd { int fd; short events; short revents } */
const POLLFD_BYTES = 8;
/** struct linger { on, 0 seconds }: close(2) sends a reset. */
const LINGER_RESET = pinned(8);
LINGER_RESET[0] = 1;

export interface ConnectAttempt {
  /** 16 bytes; needs a local route if no interface has it. undefined: the kernel chooses an own address. */
  readonly source: Uint8Array | undefined;
  /** The server: 16 bytes, IPv4 in its mapped form. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly timeoutMs: number;
}

/** accepted and refused: the server has answered. silent: nothing came back in time. problem: another errno, by name. */
export type ConnectResult = 'accepted' | 'refused' | 'silent' | { readonly problem: string };

/** Connects, and ends the connection at once with a reset. Never rejects. */
export async function connectFrom({
  source,
  address,
  port,
  timeoutMs,
}: ConnectAttempt): Promise<ConnectResult> {
  const server = encodeSocketAddress({ address, port });
  const family = server.length === 16 ? AF_INET : AF_INET6;
  const fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return { problem: errnoName(errno()) };
  try {
    const isBound = source === undefined || bindSource(fd, encodeSocketAddress({ address: source, port: 0 }));
    if (!isBound) return { problem: errnoName(errno()) };
    if (connect(fd, server, server.length) < 0) {
      const code = errno();
      if (code !== E.EINPROGRESS) return resultOf(code);
    }
    return (await isDone(fd, timeoutMs)) ? resultOf(socketError(fd)) : 'silent';
  } finally {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_RESET, 8);
    close(fd);
  }
}

async function isDone(fd: number, timeoutMs: number): Promise<boolean> {
  const waiting = pinned(POLLFD_BYTES);
  const view = new DataView(waiting.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLOUT, true);
  const end = performance.now() + timeoutMs;
  do {
    if (poll(waiting, 1, 0) > 0) return true;
    await sleep(LOOK_MS);
  } while (performance.now() < end);
  return false;
}

function resultOf(code: number): ConnectResult {
  if (code === 0) return 'accepted';
  if (code === E.ECONNREFUSED || code === E.ECONNRESET) return 'refused';
  return code === E.ETIMEDOUT ? 'silent' : { problem: errnoName(code) };
}
