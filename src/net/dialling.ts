/** The phase in which the server is dialled. What the client sends meanwhile stays in its socket. */
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../os/libc.ts';
import { isOwnSocketAddress } from '../os/ourselves.ts';
import { type Connection, Phase } from './connection.ts';
import { dial, dialFailureOf, socketError } from './dial.ts';
import { countEnd, refuse } from './ending.ts';
import type { DialFailure, Route } from './gate.ts';
import { HOST } from './host-slots.ts';
import { EDGES, EXHAUSTIVE, type Loop, READABLE } from './loop.ts';
import { clientGone, startRelaying } from './relaying.ts';

/** The counter of each failure. */
export const FAILURE_COUNTERS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  timeout: 'server-timeout',
  'no-socket': 'server-no-socket',
  ourselves: 'server-ourselves',
} as const;

export function startDial(loop: Loop, connection: Connection, route: Route): void {
  const { epoll, ledger, hosts, halves } = loop;
  connection.phase = Phase.dialing;
  connection.sinceMs = loop.nowMs;
  connection.route = route;
  connection.server = route.server;
  connection.hostAt = hosts.offsetOf(route.server);
  hosts.values[connection.hostAt + HOST.ACCEPTED]++;
  hosts.values[connection.hostAt + HOST.OPEN]++;
  connection.examiner = null;
  // The admin page would mistake the client for the appliance, and one of our listeners would dial us again and again, until no
  // socket is left.
  if (isOwnSocketAddress(loop.ourselves, route.serverAddress))
    return serverFailed(loop, connection, 'ourselves');
  const fd = dial(ledger, route.serverAddress, loop.keepalive);
  if (fd < 0) return serverFailed(loop, connection, dialFailureOf(-fd));
  const { up, down } = connection;
  up.to = down.from = fd;
  halves[fd] = down;
  if (!epoll.add(fd, EDGES)) serverFailed(loop, connection, 'no-socket');
}

export function onDialEvents(loop: Loop, connection: Connection, events: number): void {
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
    const code = socketError(connection.down.from);
    if (code !== 0) return serverFailed(loop, connection, dialFailureOf(code));
  }
  if ((events & EPOLLOUT) !== 0) startRelaying(loop, connection, events);
}

/** While dialling, only a failure of the client's socket matters. */
export function onClientEvents(loop: Loop, connection: Connection, events: number): void {
  const { up } = connection;
  if ((events & EXHAUSTIVE) !== 0) up.exhaustive = true;
  if ((events & READABLE) !== 0) up.readable = true;
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) clientGone(loop, connection);
}

export function serverFailed(loop: Loop, connection: Connection, failure: DialFailure): void {
  countEnd(loop, connection, loop.index[FAILURE_COUNTERS[failure]]);
  refuse(loop, connection, connection.gate.serverFailed(connection.route!, failure));
}
