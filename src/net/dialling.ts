/** The phase in which the server is dialled. What the client sends meanwhile stays in its socket. */
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../os/libc.ts';
import { isOwnSocketAddress } from '../os/ourselves.ts';
import { socketError } from '../os/socket-error.ts';
import { takesPlace } from './admission.ts';
import { type Connection, Origin, Phase } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { dial, dialFailureOf } from './dial.ts';
import {
  closeDisplaced,
  closeSocket,
  countEnd,
  joinServer,
  noteRefusedConnection,
  refuse,
} from './ending.ts';
import type { DialFailure, Route, Source } from './gate.ts';
import { EDGES, type Loop, READABLE, noteEvents } from './loop.ts';
import { clientGone, startRelaying } from './relaying.ts';
import { hasAnother, pickAddress, putAside, putBack } from './server-addresses.ts';
import { beginDialling, isWithinServerShare } from './server-shares.ts';

/**
 * How long one of several addresses may take to answer before the next one is tried (RFC 8305 section 5 proposes 250 ms, and no
 * more than 2 s). A lost SYN is repeated after a second.
 */
export const ATTEMPT_MS = 400;
import { mayComeWithout, noteNoWayBack, originOf, waitForWayBack } from './way-back.ts';

/** The counter of each failure. */
export const FAILURE_COUNTERS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  timeout: 'server-timeout',
  'no-socket': 'server-no-socket',
  ourselves: 'server-ourselves',
  share: 'refused-server-share',
} as const;

export function startDial(loop: Loop, connection: Connection, route: Route): void {
  connection.phase = Phase.dialing;
  connection.sinceMs = loop.nowMs;
  connection.route = route;
  connection.accessLog = route.accessLog ?? connection.accessLog;
  joinServer(loop, connection, route.server);
  connection.examiner = null;
  if (!mayDial(loop, connection)) return serverFailed(loop, connection, 'share');
  connection.tried = 0;
  const { addresses } = route;
  connection.address = addresses === undefined ? -1 : pickAddress(addresses, 0, loop.nowMs);
  dialAddress(loop, connection, route);
}

/**
 * Whether the server has room for this connection, which becomes one of those that are dialled. At the share of the server, it
 * takes the place of another one whose client has more (`takesPlace`).
 */
export function mayDial(loop: Loop, connection: Connection): boolean {
  if (!isWithinServerShare(loop, connection)) {
    if (!takesPlace(loop.admission, connection, loop.limits, loop.nowMs)) {
      noteRefusedConnection(loop, connection, loop.index['refused-server-share']);
      return false;
    }
    closeDisplaced(loop);
  }
  beginDialling(loop, connection);
  return true;
}

/** Dials the server, or the one of its addresses whose turn it is. */
function dialAddress(loop: Loop, connection: Connection, route: Route): void {
  const { address } = connection;
  const serverAddress = dialledAddress(connection);
  if (address >= 0) connection.tried |= 1 << address;
  // The admin page would mistake the client for the appliance, and one of our listeners would dial us again and again, until no
  // socket is left.
  if (isOwnSocketAddress(loop.ourselves, serverAddress)) return attemptFailed(loop, connection, 'ourselves');
  connection.origin = originOf(loop, route.source, serverAddress);
  if (mayComeWithout(route.source) && connection.origin === Origin.own)
    loop.values[route.source.withoutCounter]++;
  dialServer(loop, connection, route, serverAddress);
}

function dialServer(loop: Loop, connection: Connection, route: Route, serverAddress: Uint8Array): void {
  const { epoll, ledger, halves } = loop;
  const { source } = route;
  const from = connection.origin === Origin.source ? source!.address : null;
  const fd = dial(ledger, serverAddress, route.preamble !== null, from);
  if (fd < 0) return dialFailed(loop, connection, -fd);
  const { up, down } = connection;
  up.to = down.from = fd;
  up.isWatched = true;
  halves[fd] = down;
  if (!epoll.add(fd, EDGES)) return serverFailed(loop, connection, 'no-socket');
  noteAttempt(loop, connection, source, fd);
}

/** A connection to a server has begun: how long it may take, if there is another way. */
export function noteAttempt(
  loop: Loop,
  connection: Connection,
  source: Source | undefined,
  fd: number,
): void {
  // It waits for the answer as way-back.ts says, and only then for the next address.
  if (connection.origin === Origin.source && mayComeWithout(source)) waitForWayBack(loop, connection, fd);
  else if (connection.address >= 0)
    loop.attempts.push({ connection, tried: connection.tried, sinceMs: loop.nowMs });
}

/** An address did not answer: the next one is tried, if there is one. */
function attemptFailed(loop: Loop, connection: Connection, failure: DialFailure): void {
  const { up, down, address, tried } = connection;
  const route = connection.route!;
  const { addresses } = route;
  if (addresses === undefined || failure === 'no-socket') return serverFailed(loop, connection, failure);
  putAside(addresses, address, loop.nowMs);
  const next = pickAddress(addresses, tried, loop.nowMs);
  if (next === -1) return serverFailed(loop, connection, failure);
  if (down.from >= 0) closeSocket(loop, down.from, false);
  down.from = up.to = -1;
  loop.values[loop.index['server-next-address']]++;
  connection.address = next;
  dialAddress(loop, connection, route);
}

/** Gives up attempts that have had no answer for too long, if their server has another address. Call once per turn. */
export function giveUpSlow(loop: Loop): void {
  const { attempts, nowMs } = loop;
  let done = 0;
  for (; done < attempts.length; done++) {
    const { connection, tried, sinceMs } = attempts[done];
    if (connection.tried !== tried) continue;
    if (connection.phase !== Phase.dialing && connection.phase !== Phase.conversing) continue;
    if (((nowMs - sinceMs) | 0) < ATTEMPT_MS) break;
    if (connection.phase === Phase.conversing) {
      conversationOf(connection).onSlowDial(loop, connection);
      continue;
    }
    const { addresses } = connection.route!;
    // The last one may take as long as a server with one address.
    if (hasAnother(addresses!, tried)) attemptFailed(loop, connection, 'timeout');
  }
  if (done > 0) attempts.splice(0, done);
}

export function onDialEvents(loop: Loop, connection: Connection, events: number): void {
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
    const code = socketError(connection.down.from);
    if (code !== 0) return dialFailed(loop, connection, code);
  }
  if ((events & EPOLLOUT) === 0) return;
  const { addresses } = connection.route!;
  if (addresses !== undefined) putBack(addresses, connection.address);
  noteAnswer(loop, connection, dialledAddress(connection));
  startRelaying(loop, connection, events);
}

/** The address of the server that is being dialled. */
function dialledAddress({ route, address }: Connection): Uint8Array {
  return route!.addresses?.all[address] ?? route!.serverAddress;
}

/** The server has answered, to whatever address the connection comes from. */
export function noteAnswer(loop: Loop, connection: Connection, serverAddress: Uint8Array): void {
  if (connection.origin === Origin.ownInstead) noteNoWayBack(loop, serverAddress);
  connection.origin = Origin.own; // nothing waits any more
}

function dialFailed(loop: Loop, connection: Connection, code: number): void {
  const failure = dialFailureOf(code);
  if (comesWithoutInstead(loop, connection, connection.route!.source, failure))
    return dialWithoutSource(loop, connection);
  if (failure === 'refused') noteAnswer(loop, connection, dialledAddress(connection));
  attemptFailed(loop, connection, failure);
}

/** Whether the connection is dialled again from the own address, because nothing came back to its source. Nothing was sent yet. */
export function comesWithoutInstead(
  loop: Loop,
  connection: Connection,
  source: Source | undefined,
  failure: DialFailure,
): boolean {
  // Refused is an answer, which has come back. That no port is left says nothing about the server.
  const isLost = failure === 'unreachable' || failure === 'timeout';
  if (!isLost || connection.origin !== Origin.source || !mayComeWithout(source)) return false;
  connection.origin = Origin.ownInstead;
  loop.values[source.withoutCounter]++;
  return true;
}

function dialWithoutSource(loop: Loop, connection: Connection): void {
  const { down, up } = connection;
  if (down.from >= 0) closeSocket(loop, down.from, false);
  down.from = up.to = -1;
  dialServer(loop, connection, connection.route!, dialledAddress(connection));
}

/** A connection has waited long enough for an answer to its source. */
export function giveUpSource(loop: Loop, connection: Connection): void {
  if (connection.phase === Phase.conversing) conversationOf(connection).onNoWayBack(loop, connection);
  else if (comesWithoutInstead(loop, connection, connection.route?.source, 'timeout'))
    dialWithoutSource(loop, connection);
}

/** While dialling, only a failure of the client's socket matters. */
export function onClientEvents(loop: Loop, connection: Connection, events: number): void {
  const { up } = connection;
  noteEvents(up, events);
  if ((events & READABLE) !== 0) up.readable = true;
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) clientGone(loop, connection);
}

export function serverFailed(loop: Loop, connection: Connection, failure: DialFailure): void {
  countEnd(loop, connection, loop.index[FAILURE_COUNTERS[failure]]);
  refuse(loop, connection, connection.gate.serverFailed(connection.route!, failure));
}
