/** The connection to the server of a request: taken from the pool, dialled, given back or closed. */
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../../os/libc.ts';
import { isOwnSocketAddress } from '../../../os/ourselves.ts';
import { socketError } from '../../../os/socket-error.ts';
import { type Connection, Origin } from '../../../net/connection.ts';
import { dial, dialFailureOf } from '../../../net/dial.ts';
import { FAILURE_COUNTERS, comesWithoutInstead, noteAnswer, noteAttempt } from '../../../net/dialling.ts';
import { joinServer, leaveOpening, leaveServer, reportEnd, reportOpened } from '../../../net/ending.ts';
import type { DialFailure, Source } from '../../../net/gate.ts';
import { release } from '../../../net/holding.ts';
import { EDGES, type Loop } from '../../../net/loop.ts';
import { hasAnother, pickAddress, putAside, putBack } from '../../../net/server-addresses.ts';
import { mayComeWithout, originOf } from '../../../net/way-back.ts';
import type { Backend } from '../host-table.ts';
import type { HttpClient } from './client.ts';
import { ServerConnection, closeIdle, takeIdle } from './server-connection.ts';

/** The server of the connection is this one from now on: its figures, and the events that tell of it. */
export function enterServer(loop: Loop, connection: Connection, backend: Backend, name: string): void {
  if (connection.server === backend.name && connection.name === name) return;
  if (connection.opened) {
    reportEnd(loop, connection);
    connection.opened = false;
    connection.up.totalBytes = connection.down.totalBytes = 0;
  }
  leaveServer(loop, connection);
  connection.name = name;
  joinServer(loop, connection, backend.name);
}

/** The address whose turn it is, for a server with several: an idle connection to it is used, or a new one made. */
export function chooseAddress({ nowMs }: Loop, { connection }: HttpClient, { addresses }: Backend): void {
  connection.tried = 0;
  connection.address = addresses === undefined ? -1 : pickAddress(addresses, 0, nowMs);
}

/** An idle connection to the chosen address; undefined if a new one is needed. */
export const idleServer = (
  loop: Loop,
  { context, connection }: HttpClient,
  backend: Backend,
  mustBeSure: boolean,
): ServerConnection | undefined => takeIdle(loop, context.poolOf(backend), connection.address, mustBeSure);

/** Starts a new connection to the chosen address of the server, or another one; or says why that failed at once. */
export function dialServer(loop: Loop, client: HttpClient, backend: Backend): ServerConnection | DialFailure {
  const server = dialAddress(loop, client, backend);
  return typeof server === 'string' ? dialNext(loop, client, backend, server) : server;
}

/** A connection to the server has ended without a word: what waits for the same address is probably gone, too. */
export function serverVanished(loop: Loop, client: HttpClient, { backend, address }: ServerConnection): void {
  closeIdle(loop, client.context.poolOf(backend), address);
  if (address >= 0) putAside(backend.addresses!, address, loop.nowMs);
  chooseAddress(loop, client, backend);
}

/** Another address of the server, after one has failed; the failure if there is none left. */
function dialNext(
  loop: Loop,
  client: HttpClient,
  backend: Backend,
  failure: DialFailure,
): ServerConnection | DialFailure {
  const { connection } = client;
  const { addresses } = backend;
  let last = failure;
  while (addresses !== undefined && last !== 'no-socket') {
    putAside(addresses, connection.address, loop.nowMs);
    const next = pickAddress(addresses, connection.tried, loop.nowMs);
    if (next === -1) break;
    loop.values[loop.index['server-next-address']]++;
    connection.address = next;
    const server = dialAddress(loop, client, backend);
    if (typeof server !== 'string') return server;
    last = server;
  }
  return last;
}

function dialAddress(loop: Loop, client: HttpClient, backend: Backend): ServerConnection | DialFailure {
  const { connection } = client;
  const { address } = connection;
  const serverAddress = dialledAddress(connection, backend);
  if (address >= 0) connection.tried |= 1 << address;
  // The admin page would mistake the client for the appliance, and one of our listeners would dial us again and again.
  if (isOwnSocketAddress(loop.ourselves, serverAddress)) return 'ourselves';
  const source = sourceFor(client, backend);
  connection.origin = originOf(loop, source, serverAddress);
  if (mayComeWithout(source) && connection.origin === Origin.own) loop.values[source.withoutCounter]++;
  return open(loop, client, backend, source);
}

const dialledAddress = ({ address }: Connection, backend: Backend): Uint8Array =>
  backend.addresses?.all[address] ?? backend.serverAddress;

/** Where the connection to the server comes from, if it is not the own address. */
const sourceFor = ({ context, address }: HttpClient, { clientAddress }: Backend): Source | undefined =>
  clientAddress === 'mapped' ? context.sourceOf(address) : undefined;

function open(
  loop: Loop,
  client: HttpClient,
  backend: Backend,
  source: Source | undefined,
): ServerConnection | DialFailure {
  const { connection, context } = client;
  const from = connection.origin === Origin.source ? source!.address : null;
  const fd = dial(loop.ledger, dialledAddress(connection, backend), loop.keepalive, true, from);
  if (fd < 0) {
    const failure = dialFailureOf(-fd);
    if (comesWithoutInstead(loop, connection, source, failure)) return open(loop, client, backend, source);
    return failure;
  }
  if (!loop.epoll.add(fd, EDGES)) {
    loop.ledger.close(fd);
    return 'no-socket';
  }
  noteAttempt(loop, connection, source, fd);
  return new ServerConnection(fd, backend, connection.address, context.poolOf(backend));
}

/** The same address without the source, if nothing came back to that; else the next address. */
function dialInstead(
  loop: Loop,
  client: HttpClient,
  backend: Backend,
  failure: DialFailure,
): ServerConnection | DialFailure {
  const { connection } = client;
  const source = sourceFor(client, backend);
  if (comesWithoutInstead(loop, connection, source, failure)) {
    const server = open(loop, client, backend, source);
    return typeof server === 'string' ? dialNext(loop, client, backend, server) : server;
  }
  if (failure === 'refused') noteAnswer(loop, connection, dialledAddress(connection, backend));
  return dialNext(loop, client, backend, failure);
}

/** The server that is being dialled did not answer: its next address takes its place, with all that is to be sent. */
export function dialAgain(loop: Loop, client: HttpClient, failure: DialFailure): DialFailure | undefined {
  const { backend, fd } = client.server!;
  const next = dialInstead(loop, client, backend, failure);
  if (typeof next === 'string') return next;
  loop.halves[fd] = undefined;
  loop.closer.close(fd);
  attach(loop, client, next);
  return undefined;
}

/** Whether the server that is being dialled has another address for this connection, which waits too long. */
export const hasNextAddress = ({ connection, server }: HttpClient): boolean =>
  server !== null &&
  !server.isConnected &&
  server.backend.addresses !== undefined &&
  hasAnother(server.backend.addresses, connection.tried);

/** The connection serves this client's request from now on. */
export function attach(loop: Loop, client: HttpClient, server: ServerConnection): void {
  const { connection } = client;
  const { up, down } = connection;
  client.server = server;
  up.to = down.from = server.fd;
  up.finished = false;
  up.writable = server.isConnected;
  up.isWatched = true;
  down.readable = down.exhaustive = down.ending = down.ended = down.dead = false;
  loop.halves[server.fd] = down;
  if (server.isConnected) serverReached(loop, client);
}

function serverReached(loop: Loop, { connection, left }: HttpClient): void {
  // What the client has sent ahead is held for it, and counts until it is used.
  if (left === null) leaveOpening(loop, connection);
  if (!connection.opened) reportOpened(loop, connection);
}

/** An event of a socket that is being connected. The failure, if there is one. */
export function onDialEvents(
  loop: Loop,
  client: HttpClient,
  server: ServerConnection,
  events: number,
): DialFailure | undefined {
  const { connection } = client;
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
    const code = socketError(server.fd);
    if (code !== 0) return dialFailureOf(code);
  }
  if ((events & EPOLLOUT) !== 0) {
    server.isConnected = true;
    if (connection.address >= 0) putBack(server.backend.addresses!, connection.address);
    noteAnswer(loop, connection, dialledAddress(connection, server.backend));
    connection.sinceMs = loop.nowMs;
    serverReached(loop, client);
  }
  return undefined;
}

export const countDialFailure = ({ values, index }: Loop, failure: DialFailure): number => {
  const counter = index[FAILURE_COUNTERS[failure]];
  values[counter]++;
  return counter;
};

/** The client's connection and the server's part, without closing the server's. */
export function detach(loop: Loop, client: HttpClient): void {
  const { up, down } = client.connection;
  release(loop, up);
  loop.halves[down.from] = undefined;
  up.to = down.from = -1;
  client.server = null;
}

/** Closes the server's connection; with a reset if it is in the middle of something. */
export function dropServer(loop: Loop, client: HttpClient, withReset: boolean): void {
  const { server } = client;
  if (server === null) return;
  detach(loop, client);
  if (withReset) loop.closer.reset(server.fd, loop.nowMs);
  else loop.closer.close(server.fd);
}

/** The server takes no more of the request. It may have answered before: that is read now. */
export function uploadFailed(loop: Loop, { connection }: HttpClient): void {
  const { up, down } = connection;
  release(loop, up);
  up.finished = true;
  down.readable = down.exhaustive = true;
}
