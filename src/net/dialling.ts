/** The phase in which the server is dialled. What the client sends meanwhile stays in its socket. */
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../os/libc.ts';
import { isOwnSocketAddress } from '../os/ourselves.ts';
import { socketError } from '../os/socket-error.ts';
import { type Connection, Origin, Phase } from './connection.ts';
import { dial, dialFailureOf } from './dial.ts';
import { countEnd, refuse } from './ending.ts';
import type { DialFailure, Route } from './gate.ts';
import { HOST } from './host-slots.ts';
import { EDGES, EXHAUSTIVE, type Loop, READABLE } from './loop.ts';
import { clientGone, startRelaying } from './relaying.ts';
import { mayComeWithout, noteNoWayBack, originOf, waitForWayBack } from './way-back.ts';

const FAILURE_COUNTERS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  timeout: 'server-timeout',
  'no-socket': 'server-no-socket',
  ourselves: 'server-ourselves',
} as const;

export function startDial(loop: Loop, connection: Connection, route: Route): void {
  const { hosts } = loop;
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
  connection.origin = originOf(loop, route);
  if (mayComeWithout(route)) {
    if (connection.origin === Origin.own) loop.values[route.source.withoutCounter]++;
    else waitForWayBack(loop, connection);
  }
  dialServer(loop, connection, route);
}

function dialServer(loop: Loop, connection: Connection, route: Route): void {
  const { epoll, ledger, halves } = loop;
  const source = connection.origin === Origin.source ? route.source!.address : null;
  const fd = dial(ledger, route.serverAddress, loop.keepalive, source);
  if (fd < 0) return dialFailed(loop, connection, -fd);
  const { up, down } = connection;
  up.to = down.from = fd;
  halves[fd] = down;
  if (!epoll.add(fd, EDGES)) serverFailed(loop, connection, 'no-socket');
}

export function onDialEvents(loop: Loop, connection: Connection, events: number): void {
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
    const code = socketError(connection.down.from);
    if (code !== 0) return dialFailed(loop, connection, code);
  }
  if ((events & EPOLLOUT) === 0) return;
  if (connection.origin === Origin.ownInstead) noteNoWayBack(loop, connection.route!);
  startRelaying(loop, connection, events);
}

function dialFailed(loop: Loop, connection: Connection, code: number): void {
  const failure = dialFailureOf(code);
  // Refused is an answer, which has come back. That no port is left says nothing about the server.
  const isLost = failure === 'unreachable' || failure === 'timeout';
  if (isLost && connection.origin === Origin.source && mayComeWithout(connection.route!))
    return dialWithoutSource(loop, connection);
  if (failure === 'refused' && connection.origin === Origin.ownInstead)
    noteNoWayBack(loop, connection.route!);
  serverFailed(loop, connection, failure);
}

/** Nothing came back to the source of the connection: dials again, from the own address. Nothing has been sent yet. */
export function dialWithoutSource(loop: Loop, connection: Connection): void {
  const { down, up } = connection;
  const route = connection.route!;
  if (down.from >= 0) {
    loop.halves[down.from] = undefined;
    loop.closer.close(down.from);
    down.from = up.to = -1;
  }
  connection.origin = Origin.ownInstead;
  loop.values[route.source!.withoutCounter]++;
  dialServer(loop, connection, route);
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
