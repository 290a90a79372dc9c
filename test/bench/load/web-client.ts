/** The clients of the web server behind the proxies: many connections from one epoll loop. Orders: see `WebClientOrders`. */
import {
  E,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  close,
  errno,
  errnoName,
  pinned,
  read,
  write,
} from '../../../src/os/libc.ts';
import { recordClientHello } from './client-hello.ts';
import { serveOrders } from './commands.ts';
import { type Arriving, type HEADS, addToAnswer, encodeRequest } from './http-messages.ts';
import { type Tls, continueHandshake, endTls, receiveTls, sendTls, startTls } from './openssl.ts';
import { abort, createEpoll, dialTcp, socketAddress } from './sockets.ts';
import type { ProxyTarget } from './tcp-client.ts';

export interface WebOrder extends ProxyTarget {
  readonly connections: number;
  readonly seconds: number;
}

export interface WebResult {
  readonly completed: number;
  readonly seconds: number;
}

const ALL_EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
const into = pinned(65_536);

/** A connection of a client. `turn` is called with each of its events. */
interface Client {
  turn(events: number): void;
  /** Ends it, whatever it does at present. */
  abort(): void;
}

/** What a client tells about itself. */
interface Progress {
  /** A request has its complete answer. */
  completed(): void;
  /** The socket was closed: another connection takes its place. */
  ended(): void;
}

/** Keeps so many clients busy for a time, and returns how many requests were answered meanwhile. */
function keepBusy(order: WebOrder, createClient: (fd: number, progress: Progress) => Client): WebResult {
  const target = socketAddress(order.address, order.port);
  const epoll = createEpoll();
  const clients = new Map<number, Client>();
  let completed = 0;
  function dial(): void {
    const fd = dialTcp(target);
    const client = createClient(fd, {
      completed: () => void completed++,
      ended() {
        clients.delete(fd);
        dial();
      },
    });
    clients.set(fd, client);
    epoll.add(fd, ALL_EDGES);
  }
  try {
    const startedAt = performance.now();
    const deadline = startedAt + order.seconds * 1000;
    for (let i = 0; i < order.connections; i++) dial();
    while (performance.now() < deadline) epoll.wait(100, (fd, events) => clients.get(fd)?.turn(events));
    if (completed === 0) throw new Error('no request was answered');
    return { completed, seconds: (performance.now() - startedAt) / 1000 };
  } catch (cause) {
    throw new Error(`${order.serverName} through ${order.address} port ${order.port}`, { cause });
  } finally {
    for (const client of clients.values()) client.abort();
    epoll.close();
  }
}

function sendAll(fd: number, bytes: Uint8Array): void {
  if (write(fd, bytes, bytes.length) !== bytes.length) throw new Error(`write: ${errnoName(errno())}`);
}

/**
 * HTTP on connections that are kept for the next request, or closed by the server after each. A connection is also made anew if
 * the server closes one that was to be kept.
 */
function http(order: WebOrder & { head: keyof typeof HEADS; isKept: boolean }): WebResult {
  const request = encodeRequest(order.serverName, order.head, order.isKept);
  return keepBusy(order, (fd, progress) => {
    const arriving: Arriving = { text: '' };
    let isSent = false;
    let isAnswered = false;
    function receive(events: number): void {
      for (;;) {
        const count = read(fd, into, into.length);
        if (count < 0 && errno() === E.EAGAIN) return;
        if (count < 0) throw new Error(`read: ${errnoName(errno())}`);
        if (count === 0) {
          if (!isAnswered || arriving.text !== '')
            throw new Error(`closed before the answer: "${arriving.text}"`);
          close(fd);
          return progress.ended();
        }
        const state = addToAnswer(arriving, into.subarray(0, count));
        if (state !== 'more') {
          isAnswered = true;
          progress.completed();
          if (state === 'kept' && order.isKept) sendAll(fd, request);
        }
        // After a short read nothing is left but the end, and that has an event.
        if ((events & EPOLLRDHUP) === 0) return;
      }
    }
    return {
      turn(events) {
        if (!isSent && (events & EPOLLOUT) !== 0) {
          isSent = true;
          sendAll(fd, request);
        }
        if ((events & READABLE) !== 0) receive(events);
      },
      abort: () => abort(fd),
    };
  });
}

/**
 * A TLS handshake, a request and its answer on each connection. Then the client either waits for the end of the server, and ends
 * in order too (as ab does), or resets the connection without reading on (as wrk does).
 */
function tls(order: WebOrder & { endsBy: 'order' | 'reset' }): WebResult {
  const request = encodeRequest(order.serverName, 'plain', false);
  return keepBusy(order, (fd, progress) => {
    const arriving: Arriving = { text: '' };
    let session: Tls | undefined;
    let phase: 'handshake' | 'answer' | 'answered' = 'handshake';
    function finish(session: Tls, inOrder: boolean): void {
      endTls(session, inOrder);
      if (inOrder) close(fd);
      else abort(fd);
      progress.completed();
      progress.ended();
    }
    function receive(session: Tls): void {
      for (;;) {
        const received = receiveTls(session);
        if (received === 'later') return;
        if (received === 'end') {
          if (phase !== 'answered') throw new Error(`closed before the answer: "${arriving.text}"`);
          return finish(session, true);
        }
        if (addToAnswer(arriving, received) === 'more') continue;
        phase = 'answered';
        if (order.endsBy === 'reset') return finish(session, false);
      }
    }
    return {
      turn(events) {
        if (session === undefined) {
          if ((events & EPOLLOUT) === 0) return;
          session = startTls(fd, order.serverName);
        }
        if (phase === 'handshake') {
          if (!continueHandshake(session)) return;
          sendTls(session, request);
          phase = 'answer';
        }
        receive(session);
      },
      abort() {
        if (session !== undefined) endTls(session, false);
        abort(fd);
      },
    };
  });
}

/**
 * Makes connections that end after the first bytes of the server's handshake, in turn by reset and in order: many more a second
 * than `tls`, so that a process that compiles what it runs often has done that.
 */
async function warmUp(order: WebOrder): Promise<WebResult> {
  const hello = await recordClientHello(order.serverName);
  let isReset = false;
  return keepBusy(order, (fd, progress) => {
    let isSent = false;
    return {
      turn(events) {
        if (!isSent && (events & EPOLLOUT) !== 0) {
          isSent = true;
          sendAll(fd, hello);
        }
        if ((events & READABLE) === 0) return;
        if (read(fd, into, into.length) <= 0) {
          if (errno() === E.EAGAIN) return;
          throw new Error('closed before the handshake');
        }
        isReset = !isReset;
        if (isReset) abort(fd);
        else close(fd);
        progress.completed();
        progress.ended();
      },
      abort: () => abort(fd),
    };
  });
}

const orders = { http, tls, warmUp };
export type WebClientOrders = typeof orders;

serveOrders(orders);
