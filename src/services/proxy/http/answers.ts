/** Answers of servers: read, checked, and passed on to the client (RFC 9112; RFC 9110 sections 7.6 and 15.2). */
import { E, errno } from '../../../os/libc.ts';
import { Phase } from '../../../net/connection.ts';
import { hold } from '../../../net/holding.ts';
import { type Loop, queue } from '../../../net/loop.ts';
import { leaveOpening } from '../../../net/ending.ts';
import { offersConnectionScheme } from '../../../wire/http1/authentication.ts';
import { UNTIL_CLOSE, CHUNKED, createMessageHead, isLastMessage } from '../../../wire/http1/head.ts';
import { parseResponse } from '../../../wire/http1/response.ts';
import { ConnectionOption, ResponseOption, writeResponseHead } from '../../../wire/http1/write.ts';
import { isWhole, startBody, takeBody } from './body.ts';
import { INPUT, OUTPUT_END, OUTPUT_START, buffer, copyOf } from './buffer.ts';
import type { HttpClient } from './client.ts';
import { missingDate } from './date.ts';
import { answerCut, clientFailed, finishExchange, refuseClient, serverFailed } from './ends.ts';
import { forgetSaved, hasSaved, savedRequest } from './saved.ts';
import { attach, chooseAddress, dialServer, dropServer, serverVanished } from './servers.ts';
import { ENDED, FAILED, MALFORMED, moveBody, readLimit, receive, rest, send } from './transfer.ts';
import { opensWebSocket } from '../../../wire/http1/websocket.ts';

const SWITCHING_PROTOCOLS = 101;
const UNAUTHORIZED = 401;
const REQUEST_TIMEOUT = 408;
const UPGRADE_REQUIRED = 426;

const head = createMessageHead();

/** Reads the answer as far as it is there. More than 0 if something was read or done. */
export function continueAnswer(loop: Loop, client: HttpClient): number {
  const { connection } = client;
  const { down } = connection;
  if (!client.server!.isConnected || !down.readable) return 0;
  return client.answered ? continueBody(loop, client) : readHead(loop, client);
}

function continueBody(loop: Loop, client: HttpClient): number {
  const { connection, answer, context } = client;
  const { down } = connection;
  const moved = moveBody(loop, down, answer);
  if (moved === ENDED && answer.remaining === -1 && !answer.isChunked) {
    answer.remaining = 0;
    finishExchange(loop, client, true);
    return 1;
  }
  if (moved === MALFORMED) answerCut(loop, client, context.index['http-bad-answer']);
  else if (moved < 0) answerCut(loop, client, context.index['http-answer-cut']);
  if (moved <= 0) return 0;
  if (down.finished) {
    clientFailed(loop, client);
    return 0;
  }
  // What is in the pipe belongs to the answer, too: it is sent before the next one begins.
  if (isWhole(answer)) finishExchange(loop, client, rest.from === rest.to);
  return moved;
}

function readHead(loop: Loop, client: HttpClient): number {
  const { connection } = client;
  const server = client.server!;
  const had = server.left === null ? 0 : server.left.length;
  if (server.left !== null) buffer.set(server.left, INPUT);
  const taken = receive(connection.down, INPUT + had, readLimit(loop, INPUT + had));
  if (taken === 0) return 0;
  if (taken < 0) {
    // A server that closes or resets is there; one that acknowledges nothing is not.
    noAnswer(loop, client, taken === FAILED && errno() !== E.ECONNRESET);
    return 0;
  }
  connection.sinceMs = loop.nowMs;
  server.left = null;
  return judge(loop, client, INPUT + had + taken, had);
}

/** The server ended before its answer. A request that may be sent twice goes to a new connection. */
function noAnswer(loop: Loop, client: HttpClient, hasVanished: boolean): void {
  const { connection } = client;
  const server = client.server!;
  const { backend } = server;
  if (!hasSaved(client) || server.left !== null) return serverFailed(loop, client, 'no-answer');
  const saved = savedRequest(client, server.fd);
  dropServer(loop, client, false);
  if (hasVanished) serverVanished(loop, client, server);
  else chooseAddress(loop, client, backend);
  forgetSaved(client);
  loop.values[client.context.index['http-retried']]++;
  const again = dialServer(loop, client, backend);
  if (typeof again === 'string') return serverFailed(loop, client, again);
  attach(loop, client, again);
  connection.sinceMs = loop.nowMs;
  hold(loop, connection.up, saved);
}

/** The bytes of an answer are at INPUT; `seen` of them were looked at before. */
function judge(loop: Loop, client: HttpClient, end: number, seen: number): number {
  const { connection, method } = client;
  let at = INPUT;
  for (let known = seen; ; known = 0) {
    const headEnd = parseResponse(head, buffer, at, end, method, known);
    if (headEnd < 0)
      return badAnswer(loop, client, `the answer of the server is malformed: ${head.fault!.reason}`);
    if (headEnd === 0) {
      client.server!.left = copyOf(at, end);
      return end - INPUT;
    }
    // With 408, servers end connections that were idle (RFC 9110 section 15.5.9: "the client MAY repeat the request").
    if (head.status === REQUEST_TIMEOUT && hasSaved(client)) {
      noAnswer(loop, client, false);
      return 0;
    }
    forgetSaved(client);
    if (head.status === SWITCHING_PROTOCOLS) return openTunnel(loop, client, headEnd, end);
    if (head.status >= 200) return startAnswer(loop, client, headEnd, end);
    at = headEnd;
    // RFC 9110 section 15.2: a client of HTTP/1.0 knows no interim answers.
    if (!client.isHttp10 && !sendHead(loop, client, headEnd, ConnectionOption.none, ResponseOption.none, 0))
      return 0;
    if (connection.phase !== Phase.conversing) return 0;
    if (at === end) return end - INPUT;
  }
}

function badAnswer(loop: Loop, client: HttpClient, reason: string): 0 {
  refuseClient(loop, client, client.context.index['http-bad-answer'], 502, reason);
  return 0;
}

/** The final answer has begun: its head, and what has arrived of its body. */
function startAnswer(loop: Loop, client: HttpClient, headEnd: number, end: number): number {
  const { answer, context } = client;
  const isChunked = head.bodyBytes === CHUNKED;
  const isDechunked = isChunked && client.isHttp10;
  if (client.isHttp10 && head.hasOtherCodings)
    return badAnswer(loop, client, 'the transfer coding of the answer is unknown in HTTP/1.0');
  startBody(answer, head.bodyBytes, isDechunked);
  const belongs = takeBody(answer, headEnd, end);
  if (belongs < 0) return badAnswer(loop, client, 'the chunked body of the answer is malformed');
  if (head.status === UNAUTHORIZED && offersConnectionScheme(head, buffer)) client.server!.isPersonal = true;
  client.keepsServer = !client.endsServer && !isLastMessage(head) && head.bodyBytes !== UNTIL_CLOSE;
  client.keepAliveSeconds = head.keepAliveSeconds;
  const hasEnd = head.bodyBytes !== UNTIL_CLOSE && !isDechunked;
  // Whether the rest of an upload comes is not certain once it is answered, so no request can follow it.
  client.closes ||= !hasEnd || !isWhole(client.request) || context.isRetired || loop.isDraining;
  let option: number = client.closes ? ConnectionOption.close : ConnectionOption.none;
  if (!client.closes && client.isHttp10) option = ConnectionOption.keepAlive;
  // RFC 9110 section 15.5.22: 426 MUST name the protocol.
  if (head.status === UPGRADE_REQUIRED) option |= ConnectionOption.upgrade;
  client.answered = true;
  if (
    !sendHead(
      loop,
      client,
      headEnd,
      option,
      // RFC 9112 section 6.1: not to HTTP/1.0, also not in an answer without a body, as to HEAD.
      client.isHttp10 ? ResponseOption.dechunked : ResponseOption.none,
      answer.passing,
    )
  )
    return 0;
  if (isWhole(answer)) finishExchange(loop, client, headEnd + belongs === end);
  return end - INPUT;
}

/** Sends the head that was read, with `bodyBytes` that follow it. False if the connection has ended. */
function sendHead(
  loop: Loop,
  client: HttpClient,
  headEnd: number,
  connectionOption: number,
  responseOption: number,
  bodyBytes: number,
): boolean {
  const written = writeResponseHead(
    head,
    buffer,
    OUTPUT_START,
    OUTPUT_END,
    connectionOption,
    responseOption,
    missingDate(head),
  );
  if (written < 0) {
    badAnswer(loop, client, 'the head of the answer is too long');
    return false;
  }
  const at = headEnd - (written - OUTPUT_START);
  buffer.copyWithin(at, OUTPUT_START, written);
  if (send(loop, client.connection.down, at, headEnd + bodyBytes - at)) return true;
  clientFailed(loop, client);
  return false;
}

/** 101: the connection becomes a tunnel, if the client has asked for this one. */
function openTunnel(loop: Loop, client: HttpClient, headEnd: number, end: number): number {
  const { connection, key, context } = client;
  if (key === undefined || !opensWebSocket(head, buffer, key))
    return badAnswer(loop, client, 'the server switched to a protocol that was not asked for');
  const { up, down } = connection;
  loop.values[context.index['http-upgraded']]++;
  if (!sendHead(loop, client, headEnd, ConnectionOption.upgrade, ResponseOption.none, end - headEnd))
    return 0;
  const { left } = client;
  connection.conversation = null;
  connection.phase = Phase.relaying;
  leaveOpening(loop, connection);
  hold(loop, up, left);
  for (const half of [up, down]) {
    half.movedBytes = 0;
    queue(loop, half);
  }
  return 0;
}
