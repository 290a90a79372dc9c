/**
 * The phase in which a trusted proxy says who the client is: its connection begins with a PROXY header. From then on the address
 * in the header is the client's. The specification demands the header (section 2: a receiver "MUST not try to guess whether the
 * protocol header is present or not"): who does not send one is not served.
 *
 * The header is looked at where it is, in the queue of the socket, and taken from there when it is whole. So what follows it stays
 * for the gate, and a slow header takes no memory.
 */
import { E, EPOLLERR, MSG_DONTWAIT, MSG_PEEK, errno, recvAt } from '../os/libc.ts';
import { encodeSocketAddress } from '../os/socket-address.ts';
import {
  INCOMPLETE,
  MALFORMED,
  MAX_PROXY_HEADER_BYTES,
  createProxyHeader,
  readProxyHeader,
} from '../wire/proxy-header.ts';
import type { Endpoint } from '../wire/proxy-protocol.ts';
import { becomeClient } from './admission.ts';
import { begin } from './begin.ts';
import { clientAt } from './client.ts';
import { limitFor } from './client-limits.ts';
import { type Connection, Phase } from './connection.ts';
import { abort, close, countEnd, noteRefusedConnection, refuse } from './ending.ts';
import { RESET } from './gate.ts';
import { ARRIVALS, EXHAUSTIVE, type Loop, noteEvents } from './loop.ts';

const header = createProxyHeader();

/** A connection from a trusted proxy. `listener`: the descriptor on which it was accepted. */
export function awaitIntroduction(loop: Loop, connection: Connection, listener: number): void {
  connection.phase = Phase.introducing;
  connection.listener = listener;
  if (!loop.epoll.add(connection.up.from, ARRIVALS)) close(loop, connection);
  else readIntroduction(loop, connection); // the header is often there already
}

export function onIntroductionEvents(loop: Loop, connection: Connection, events: number): void {
  noteEvents(connection.up, events);
  // These events do not come again: later phases must not take a short read for the last one.
  if ((events & EXHAUSTIVE) !== 0) connection.up.exhaustive = true;
  if ((events & EPOLLERR) !== 0) endEarly(loop, connection);
  else readIntroduction(loop, connection);
}

function readIntroduction(loop: Loop, connection: Connection): void {
  const { up } = connection;
  const { scratch, scratchAt } = loop;
  const taken = recvAt(up.from, scratchAt, MAX_PROXY_HEADER_BYTES, MSG_PEEK | MSG_DONTWAIT);
  if (taken <= 0) {
    if (taken < 0 && errno() === E.EAGAIN) return;
    return endEarly(loop, connection);
  }
  const length = readProxyHeader(header, scratch, taken);
  if (length === INCOMPLETE && !up.ending) return;
  if (length === INCOMPLETE || length === MALFORMED) return refuseHeader(loop, connection);
  recvAt(up.from, scratchAt, length, MSG_DONTWAIT);
  introduce(loop, connection);
}

/** The header is whole. */
function introduce(loop: Loop, connection: Connection): void {
  const { values, index } = loop;
  const { source, destination, uniqueId } = header;
  connection.phase = Phase.opening;
  connection.uniqueId = uniqueId;
  if (source === null || isOwnEnd(loop, connection, source)) {
    values[index['proxy-header-local']]++;
    connection.isProbe = header.isLocal || source !== null;
  } else {
    values[index['proxy-header']]++;
    if (!becomes(loop, connection, source)) return;
    connection.destination = destination;
  }
  connection.up.readable = true; // its edge has come already
  begin(loop, connection, true);
}

/** The header names the proxy itself: so section 2.1 wants health checks of version 1 to be sent. */
function isOwnEnd({ events }: Loop, { up }: Connection, { address, port }: Endpoint): boolean {
  const peer = events.peerOf(up.from);
  if (peer === undefined || peer.port !== port) return false;
  for (let i = 0; i < address.length; i++) if (address[i] !== peer.address[i]) return false;
  return true;
}

/**
 * From now on this is the client: for shares and limits, and for whoever asks for the address of the descriptor. False if it was
 * refused at a limit.
 */
function becomes(loop: Loop, connection: Connection, endpoint: Endpoint): boolean {
  const client = clientAt(endpoint.address);
  loop.events.keepPeer(connection.up.from, encodeSocketAddress(endpoint));
  const lost = becomeClient(loop.admission, connection, client);
  if (lost !== undefined) abort(loop, lost, loop.index.displaced);
  const limit = limitFor(loop, client, connection.listener, 1);
  if (limit < 0) return true;
  noteRefusedConnection(loop, connection, limit);
  countEnd(loop, connection, limit);
  refuse(loop, connection, RESET);
  return false;
}

/** No header came. That is how many load balancers look whether a port is open, so no event tells of it. */
function endEarly(loop: Loop, connection: Connection): void {
  countEnd(loop, connection, loop.index['proxy-probes']);
  connection.isProbe = true;
  close(loop, connection);
}

/** Section 2.1: such a connection is aborted at once, so that the sender notices. */
function refuseHeader(loop: Loop, connection: Connection): void {
  countEnd(loop, connection, loop.index['refused-proxy-header']);
  refuse(loop, connection, RESET);
}
