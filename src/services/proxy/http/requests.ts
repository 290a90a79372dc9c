/** Requests: read, routed by their own Host, and sent to the server (RFC 9112; RFC 9110 section 7.6). */
import { reenterOpenings } from '../../../net/admission.ts';
import { RESET } from '../../../net/gate.ts';
import { hold } from '../../../net/holding.ts';
import { leaveOpening } from '../../../net/ending.ts';
import type { Loop } from '../../../net/loop.ts';
import { hasMemory } from '../../../net/opening.ts';
import { Method, createMessageHead, hostText, isLastMessage, targetText } from '../../../wire/http1/head.ts';
import { parseRequest } from '../../../wire/http1/request.ts';
import { ConnectionOption, writeRequestHead } from '../../../wire/http1/write.ts';
import { type Decision, decide } from '../decide.ts';
import type { Backend } from '../host-table.ts';
import { buildPreamble } from '../preamble.ts';
import { isWhole, startBody, takeBody } from './body.ts';
import { INPUT, INPUT_END, OUTPUT_END, OUTPUT_START, buffer, copyOf } from './buffer.ts';
import { type HttpClient, State } from './client.ts';
import { clientEnded, clientFailed, endWith, serverFailed } from './ends.ts';
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
  const headEnd = parseRequest(head, buffer, INPUT, end, seen);
  if (headEnd === 0) return keep(loop, client, INPUT, end, false);
  client.left = null;
  client.mayParse = false;
  client.method = head.method;
  if (headEnd < 0) return refuseFault(loop, client, head.fault!);
  const { context } = client;
  client.isHttp10 = head.minorVersion === 0;
  client.isLast = isLastMessage(head);
  client.closes = client.isLast || context.isRetired || loop.isDraining;
  if (head.maxForwards === 0 && (head.method === Method.options || head.method === Method.trace))
    return answerLastHop(loop, client);
  const decision = decisionFor(client);
  if (decision.refused !== null) {
    return refuseDecided(loop, client, decision, targetText(head, buffer));
  }
  loop.values[context.index['http-routed']]++;
  client.requests++;
  client.key = webSocketKey(head, buffer);
  return forward(loop, client, decision, headEnd, end);
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

/** The server of the request, or why there is none. */
function decisionFor(client: HttpClient): Decision {
  const { context, backend } = client;
  const host = hostText(head, buffer);
  if (backend !== null && client.table === context.table && client.host === host) return backend;
  client.table = context.table;
  client.host = host;
  client.backend = null;
  const decision = decide(context.table, host, client.address.address, undefined, null);
  if (decision.refused !== null) return decision;
  // With a redirect it depends on the target, too.
  if (decision.redirect !== null)
    return decide(context.table, host, client.address.address, targetText(head, buffer), null);
  client.backend = decision;
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
