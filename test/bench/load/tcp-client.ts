/** The clients of the proxies: many connections from one epoll loop. Orders: see `TcpClientOrders`. */
import {
  E,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_TRUNC,
  close,
  errno,
  errnoName,
  pinned,
  read,
  recvfrom,
  write,
} from '../../../src/os/libc.ts';
import { ANSWER, recordClientHello } from './client-hello.ts';
import { serveOrders } from './commands.ts';
import { abort, createEpoll, dialTcp, socketAddress } from './sockets.ts';

/** Where the proxy listens, and the server name to request. */
export interface ProxyTarget {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
}

/** The longest that opening a batch of idle connections may take. */
const OPEN_TIMEOUT_MS = 20_000;
const OPENED_AT_ONCE = 32;

const ALL_EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const sink = pinned(1 << 20);
const idle: number[] = [];

/** Sends the ClientHello on a connection that has just been made. */
function sendHello(fd: number, hello: Uint8Array): void {
  if (write(fd, hello, hello.length) !== hello.length) throw new Error('ClientHello not taken whole');
}

/** Receives on some connections for a time, and discards the bytes unread. */
async function stream(
  order: ProxyTarget & { connections: number; seconds: number },
): Promise<{ bytes: number }> {
  const hello = await recordClientHello(order.serverName);
  const target = socketAddress(order.address, order.port);
  const epoll = createEpoll();
  /** Whether the ClientHello has been sent, by connection. */
  const sent = new Map<number, boolean>();
  let bytes = 0;
  const turn = (fd: number, events: number) => {
    if (events & EPOLLOUT && sent.get(fd) === false) {
      sent.set(fd, true);
      sendHello(fd, hello);
    }
    if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))) return;
    for (;;) {
      const count = recvfrom(fd, sink, sink.length, MSG_TRUNC, null, null);
      if (count === 0) throw new Error(`stream from ${order.address} ended`);
      if (count < 0 && errno() !== E.EAGAIN)
        throw new Error(`stream from ${order.address}: ${errnoName(errno())}`);
      if (count < 0) return;
      bytes += count;
    }
  };
  try {
    for (let i = 0; i < order.connections; i++) {
      const fd = dialTcp(target);
      sent.set(fd, false);
      epoll.add(fd, ALL_EDGES);
    }
    const deadline = performance.now() + order.seconds * 1000;
    while (performance.now() < deadline) epoll.wait(100, turn);
    return { bytes };
  } finally {
    for (const fd of sent.keys()) abort(fd);
    epoll.close();
  }
}

/**
 * Repeats on some connections in parallel: connects, sends a ClientHello, reads the whole answer, closes. Returns how many were
 * completed and in what time; fails at the first one without a complete answer.
 */
async function short(
  order: ProxyTarget & { connections: number; seconds: number },
): Promise<{ completed: number; seconds: number }> {
  const hello = await recordClientHello(order.serverName);
  const target = socketAddress(order.address, order.port);
  const epoll = createEpoll();
  /** Bytes of the answer received, by connection; -1 before the ClientHello is sent. */
  const received = new Map<number, number>();
  let completed = 0;
  const dial = () => {
    const fd = dialTcp(target);
    received.set(fd, -1);
    epoll.add(fd, ALL_EDGES);
  };
  const turn = (fd: number, events: number) => {
    let got = received.get(fd);
    if (got === undefined) return;
    if (got === -1 && events & EPOLLOUT) {
      sendHello(fd, hello);
      got = 0;
      received.set(fd, 0);
    }
    if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))) return;
    for (;;) {
      const count = read(fd, sink, sink.length);
      if (count < 0 && errno() === E.EAGAIN) return;
      if (count <= 0) {
        if (count < 0 || got !== ANSWER.length)
          throw new Error(`short connection to ${order.address}: ${got} bytes of ${ANSWER.length}`);
        received.delete(fd);
        close(fd);
        completed++;
        return dial();
      }
      got += count;
      received.set(fd, got);
    }
  };
  try {
    const startedAt = performance.now();
    const deadline = startedAt + order.seconds * 1000;
    for (let i = 0; i < order.connections; i++) dial();
    while (performance.now() < deadline) epoll.wait(100, turn);
    return { completed, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    for (const fd of received.keys()) abort(fd);
    epoll.close();
  }
}

/** Opens connections, a few at a time, until each has its answer, and keeps them open. */
async function open(order: ProxyTarget & { connections: number }): Promise<{ open: number }> {
  const hello = await recordClientHello(order.serverName);
  const target = socketAddress(order.address, order.port);
  const epoll = createEpoll();
  /** Whether the ClientHello has been sent, by connection without an answer. */
  const pending = new Map<number, boolean>();
  const turn = (fd: number, events: number) => {
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
      throw new Error(`idle connection to ${order.address} ended`);
    if (events & EPOLLOUT && pending.get(fd) === false) {
      pending.set(fd, true);
      sendHello(fd, hello);
    }
    if (events & EPOLLIN && read(fd, sink, sink.length) === ANSWER.length) {
      pending.delete(fd);
      idle.push(fd);
    }
  };
  try {
    const deadline = performance.now() + OPEN_TIMEOUT_MS;
    for (let dialled = 0; dialled < order.connections || pending.size > 0; ) {
      for (; dialled < order.connections && pending.size < OPENED_AT_ONCE; dialled++) {
        const fd = dialTcp(target);
        pending.set(fd, false);
        epoll.add(fd, ALL_EDGES);
      }
      epoll.wait(100, turn);
      if (performance.now() > deadline)
        throw new Error(`${order.address}: ${pending.size} unanswered after ${OPEN_TIMEOUT_MS} ms`);
    }
    return { open: idle.length };
  } finally {
    for (const fd of pending.keys()) abort(fd);
    epoll.close();
  }
}

/** Closes the connections that `open` keeps; fails if one of them had ended meanwhile. */
function release(): { released: number } {
  let ended = 0;
  for (const fd of idle) {
    if (read(fd, sink, sink.length) >= 0 || errno() !== E.EAGAIN) ended++;
    abort(fd);
  }
  const released = idle.length;
  idle.length = 0;
  if (ended > 0) throw new Error(`${ended} of ${released} idle connections had ended`);
  return { released };
}

const orders = { stream, short, open, release };
export type TcpClientOrders = typeof orders;

serveOrders(orders);
