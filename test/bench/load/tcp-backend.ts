/**
 * The servers behind the proxies, in one epoll loop: `tcp-backend.ts PORT STREAM SHORT IDLE`, with one address each. All three
 * read one whole TLS record, the ClientHello. Then the stream server sends as fast as it can, the short one sends ANSWER and
 * closes, and the idle one sends ANSWER and keeps the connection.
 */
import {
  E,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  accept4,
  close,
  errno,
  pinned,
  read,
  write,
} from '../../../src/os/libc.ts';
import { ANSWER, RECORD_HEADER_BYTES, tlsRecordBytes } from './client-hello.ts';
import { createEpoll, listenTcp } from './sockets.ts';

const [portText, ...addresses] = process.argv.slice(2);
const kinds = ['stream', 'short', 'idle'] as const;
const epoll = createEpoll();
const listeners = new Map(
  kinds.map((kind, position) => [listenTcp(addresses[position], Number(portText)), kind]),
);
for (const fd of listeners.keys()) epoll.add(fd, EPOLLIN);

interface Connection {
  readonly kind: (typeof kinds)[number];
  /** The first bytes of the ClientHello, which contain its length. */
  readonly head: Uint8Array;
  receivedBytes: number;
  answered: boolean;
}
const connections = new Map<number, Connection>();
const into = pinned(65_536);
const chunk = pinned(262_144);

function acceptAll(listener: number): void {
  const kind = listeners.get(listener) ?? 'short';
  for (;;) {
    const fd = accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections.set(fd, {
      kind,
      head: new Uint8Array(RECORD_HEADER_BYTES),
      receivedBytes: 0,
      answered: false,
    });
    epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }
}

function end(fd: number): void {
  connections.delete(fd);
  close(fd);
}

/** Reads the available data; false if the connection has ended. */
function receive(fd: number, connection: Connection): boolean {
  for (;;) {
    const bytes = read(fd, into, into.length);
    if (bytes <= 0) return bytes < 0 && errno() === E.EAGAIN;
    const { head, receivedBytes } = connection;
    if (receivedBytes < head.length)
      head.set(into.subarray(0, Math.min(bytes, head.length - receivedBytes)), receivedBytes);
    connection.receivedBytes += bytes;
  }
}

function serve(fd: number, connection: Connection): void {
  if (!receive(fd, connection)) {
    end(fd);
    return;
  }
  const { head, receivedBytes } = connection;
  if (receivedBytes < head.length || receivedBytes < tlsRecordBytes(head)) return;
  if (connection.kind === 'stream') {
    while (write(fd, chunk, chunk.length) > 0);
    if (errno() !== E.EAGAIN) end(fd);
  } else if (!connection.answered) {
    connection.answered = true;
    write(fd, ANSWER, ANSWER.length);
    if (connection.kind === 'short') end(fd);
  }
}

function turn(fd: number): void {
  const connection = connections.get(fd);
  if (connection !== undefined) serve(fd, connection);
  else if (listeners.has(fd)) acceptAll(fd);
}

for (;;) epoll.wait(1000, turn);
