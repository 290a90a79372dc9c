/** Requests: read, routed by their own Host, and sent to the server (RFC 9112; RFC 9110 section 7.6). */
import { AccessLevel } from '../../../net/access-record.ts';
import { reenterOpenings } from '../../../net/admission.ts';
import { RESET } from '../../../net/gate.ts';
import { hold } from '../../../net/holding.ts';
import { leaveOpening } from '../../../net/ending.ts';
import type { Loop } from '../../../net/loop.ts';
import { hasMemory, keepWaiting } from '../../../net/opening.ts';
import { Method, createMessageHead, hostText, isLastMessage, targetText } from '../../../wire/http1/head.ts';
import { endWithoutHost, parseRequest } from '../../../wire/http1/request.ts';
import { ConnectionOption, writeRequestHead } from '../../../wire/http1/write.ts';
import { type Decision, LOOKUP_SHARE, decide } from '../decide.ts';
import { type Backend, type HostTable, KNOWN } from '../host-table.ts';
import { buildPreamble } from '../preamble.ts';
import { isWhole, startBody, takeBody } from './body.ts';
import { AUTHORITY, INPUT, INPUT_END, OUTPUT_END, OUTPUT_START, buffer, copyOf } from './buffer.ts';
import { type HttpClient, State } from './client.ts';
import { clientEnded, clientFailed, endWith, serverFailed } from './ends.ts';
import { beginExchange, countBody, noteReused } from './exchanges.ts';
import { answerLastHop, refuseDecided, refuseFault } from './refusals.ts';
import { forgetSaved, saveRequest } from './saved.ts';
import {
  attach,
  chooseAddress,
  dialServer,
  dropServer,
  enterServer,
  idleServer,
  uploadFailed,
} from './servers.ts';
import { ENDED, FAILED, MALFORMED, moveBody, receive, rest, send } from './transfer.ts';
import { webSocketKey } from '../../../wire/http1/websocket.ts';
import { authenticatesConnection } from '../../../wire/http1/authentication.ts';
import { RequestFault } from '../../../wire/http1/fault.ts';

const head = createMessageHead();
const NOTHING = new Uint8Array(0);

/** Reads the next request, as far as it is there. More than 0 if something was read or done. */
export function readRequest(loop: Loop, client: HttpClient): number {
  const { connection, left } = client;
  const { up } = connection;
  const had = left === null ? 0 : left.length;
  if (left !== null) buffer.set(left, INPUT);
  if (client.mayParse) return judge(loop, client, INPUT + had, 0);
  if (!up.readable) return 0;
  const taken = receive(up, INPUT + had, INPUT_END);
  if (taken > 0) {
    // The time-out counts from the first byte: a slow client does not get more time with each one.
    if (had === 0) connection.sinceMs = loop.nowMs;
    return judge(loop, client, INPUT + had + taken, had);
  }
  if (taken === FAILED) clientFailed(loop, client);
  else if (taken === ENDED) clientEnded(loop, client);
  return 0;
}

/** The bytes of a request, and perhaps more, are at INPUT. `seen`: how many of them were looked at before. */
function judge(loop: Loop, client: HttpClient, end: number, seen: number): number {
  if (client.connection.openingSlot !== 0) client.connection.openingBytes = end - INPUT;
  let headEnd = parseRequest(head, buffer, INPUT, end, seen);
  if (headEnd === 0) return keep(loop, client, INPUT, end, false);
  if (headEnd < 0) headEnd = giveAuthority(client.context.table);
  client.left = null;
  client.mayParse = false;
  client.method = head.method;
  const { context } = client;
  if (headEnd < 0) {
    const { accessLog } = context.table;
    if (accessLog !== AccessLevel.off) beginExchange(client, head, accessLog, null);
    return refuseFault(loop, client, head.fault!);
  }
  client.isHttp10 = head.minorVersion === 0;
  client.isLast = isLastMessage(head);
  client.closes = client.isLast || context.isRetired || loop.isDraining;
  const decision = decisionFor(client);
  const isLastHop =
    head.maxForwards === 0 && (head.method === Method.options || head.method === Method.trace);
  if (decision.refused === 'not-asked')
    return isLastHop ? answerLastHop(loop, client) : waitForName(loop, client, end);
  const backend = decision.refused === null ? decision : decision.backend;
  const { accessLog } = backend ?? context.table;
  if (accessLog !== AccessLevel.off) beginExchange(client, head, accessLog, backend?.name ?? null);
  if (isLastHop) return answerLastHop(loop, client);
  if (decision.refused !== null) {
    return refuseDecided(loop, client, decision, targetText(head, buffer));
  }
  loop.values[context.index['http-routed']]++;
  client.requests++;
  client.key = webSocketKey(head, buffer);
  return forward(loop, client, decision, headEnd, end);
}

/** A request of HTTP/1.0 without Host goes to the default server, with the name of that server. The end of its head, or -1. */
function giveAuthority({ fallback, fallbackAuthority }: HostTable): number {
  const headEnd = fallback === undefined ? -1 : endWithoutHost(head);
  if (headEnd < 0) return -1;
  for (let i = 0; i < fallbackAuthority.length; i++) buffer[AUTHORITY + i] = fallbackAuthority.charCodeAt(i);
  head.authorityStart = AUTHORITY;
  head.authorityEnd = AUTHORITY + fallbackAuthority.length;
  return headEnd;
}

/** Keeps bytes for later: the beginning of a head, or what the client sent ahead of an answer. */
function keep(loop: Loop, client: HttpClient, from: number, to: number, mayParse: boolean): number {
  const { connection } = client;
  client.left = copyOf(from, to);
  client.mayParse = mayParse;
  connection.openingBytes = to - from;
  if (connection.openingSlot === 0 && reenterOpenings(loop.admission, connection)) loop.openings++;
  return hasMemory(loop, connection) ? to - from : 0;
}

/** The name of the request is looked up. Then the request is read again from its first byte. */
function waitForName(loop: Loop, client: HttpClient, end: number): number {
  const awaited = client.context.table.names!.ask(client.host, client.address.address);
  if (awaited === undefined) return refuseDecided(loop, client, LOOKUP_SHARE, '');
  if (awaited === KNOWN) return judge(loop, client, end, 0);
  if (keep(loop, client, INPUT, end, true) === 0) return 0;
  client.state = State.asking;
  keepWaiting(awaited, client.connection);
  return 0;
}

/** The server of the request, or why there is none. */
function decisionFor(client: HttpClient): Decision {
  const { context, backend } = client;
  const host = hostText(head, buffer);
  if (backend !== null && client.table === context.table && client.host === host) return backend;
  client.table = context.table;
  client.host = host;
  client.backend = null;
  const name = host === '' ? undefined : host;
  const decision = decide(context.table, name, client.address.address, undefined, null);
  if (decision.refused !== null) return decision;
  // With a redirect it depends on the target, too.
  if (decision.redirect !== null)
    return decide(context.table, name, client.address.address, targetText(head, buffer), null);
  // The address of a name in DNS changes with time.
  if (decision.origin === null) client.backend = decision;
  return decision;
}

/** Sends the head, and what has arrived of the body, to the server. */
function forward(loop: Loop, client: HttpClient, backend: Backend, headEnd: number, end: number): number {
  const { connection } = client;
  client.endsServer = mayIgnoreBody();
  let option: number = client.endsServer ? ConnectionOption.close : ConnectionOption.none;
  if (client.key !== undefined) option |= ConnectionOption.upgrade;
  const written = writeRequestHead(head, buffer, OUTPUT_START, OUTPUT_END, client.clientFields, option);
  if (written < 0) return refuseFault(loop, client, RequestFault.oversized);
  startBody(client.request, head.bodyBytes, false);
  const belongs = takeBody(client.request, headEnd, end);
  if (belongs < 0) return refuseFault(loop, client, RequestFault.chunks);
  countBody(connection.up, client.request.passing);
  enterServer(loop, connection, backend, client.host);
  const server = serverFor(loop, client, backend);
  if (typeof server === 'string') {
    serverFailed(loop, client, server);
    return 0;
  }
  const isReused = server.isConnected;
  if (isReused) {
    loop.values[client.context.index['http-reused']]++;
    server.expectAcknowledgement(head.bodyBytes === 0);
    if (connection.exchange !== null) noteReused(connection.exchange);
  }
  if (authenticatesConnection(head, buffer)) server.isPersonal = true;
  client.answered = false;
  forgetSaved(client);
  if (server === client.server) leaveOpening(loop, connection);
  else attach(loop, client, server);
  if (!isReused && backend.clientAddress !== 'none') {
    const header = buildPreamble(
      backend,
      // No protocol is negotiated over plain HTTP.
      {
        fd: connection.up.from,
        arrival: connection,
        address: client.address,
        authority: client.host,
        protocol: null,
      },
      NOTHING,
    );
    if (header === undefined) {
      endWith(loop, client, RESET);
      return 0;
    }
    hold(loop, connection.up, header);
  }
  client.state = State.exchanging;
  connection.sinceMs = loop.nowMs;
  const bodyEnd = headEnd + belongs;
  if (bodyEnd < end && !keepAhead(loop, client, bodyEnd, end)) return 0;
  let at = OUTPUT_START;
  let to = written;
  if (belongs > 0) {
    // The head moves to directly before the part of the body that is there, so that both leave at once.
    at = headEnd - (written - OUTPUT_START);
    to = bodyEnd;
    buffer.copyWithin(at, OUTPUT_START, written);
  }
  if (isReused && isSafe() && isWhole(client.request)) saveRequest(client, server.fd, at, to);
  if (!send(loop, connection.up, at, to - at)) uploadFailed(loop, client);
  return end - INPUT;
}

/** What follows the request: for the next one. After a handshake it is the tunnel's. False if the connection was closed. */
function keepAhead(loop: Loop, client: HttpClient, from: number, to: number): boolean {
  return keep(loop, client, from, to, client.key === undefined) > 0;
}

/** A connection to the server: this client's own, an idle one, or a new one; or why that failed at once. */
function serverFor(loop: Loop, client: HttpClient, backend: Backend) {
  // A safe request without a body is sent again if the server was just closing (RFC 9110 section 9.2.2), others must not be.
  const mustBeSure = !isSafe() || head.bodyBytes !== 0;
  const own = client.server;
  if (own !== null) {
    const mayCarry = own.backend === backend && (own.isPersonal || !mustBeSure || own.isSure(loop));
    if (mayCarry && !own.hasEnded()) return own;
    dropServer(loop, client, false);
  }
  chooseAddress(loop, client, backend);
  if (backend.clientAddress === 'none') {
    const idle = idleServer(loop, client, backend, mustBeSure);
    if (idle !== undefined) return idle;
  }
  return dialServer(loop, client, backend);
}

const isSafe = (): boolean =>
  head.method === Method.get ||
  head.method === Method.head ||
  head.method === Method.options ||
  head.method === Method.trace;

/**
 * RFC 9110 section 9.3.1: bodies of these methods mean nothing, and some servers leave them unread and take them for the next request:
 * one that was not judged here. So such a request is the last one on its connection.
 */
const mayIgnoreBody = (): boolean => head.bodyBytes !== 0 && (isSafe() || head.method === Method.delete);

/** Moves the request's body on. More than 0 if something was read. */
export function continueRequest(loop: Loop, client: HttpClient): number {
  const { connection, request } = client;
  const { up } = connection;
  if (up.finished || isWhole(request) || !client.server!.isConnected) return 0;
  const moved = moveBody(loop, up, request);
  // A client that has its answer need not send the rest.
  if (moved === ENDED && client.answered) uploadFailed(loop, client);
  else if (moved === FAILED || moved === ENDED) clientFailed(loop, client);
  else if (moved === MALFORMED) refuseFault(loop, client, RequestFault.chunks);
  else if (rest.to > rest.from && !keepAhead(loop, client, rest.from, rest.to)) return 0;
  else if (up.finished) uploadFailed(loop, client);
  return Math.max(moved, 0);
}
