/** How exchanges and connections end. */
import { abort, close, countEnd, linger, refuse } from '../../../net/ending.ts';
import type { Refusal, ServerFailure } from '../../../net/gate.ts';
import { hold } from '../../../net/holding.ts';
import type { Loop } from '../../../net/loop.ts';
import { type HttpStatus, encodeHttpAnswer } from '../http-answer.ts';
import { isWhole } from './body.ts';
import { type HttpClient, State } from './client.ts';
import { countDialFailure, detach, dropServer } from './servers.ts';
import { Method } from '../../../wire/http1/head.ts';

const SERVER_FAILURES: Record<ServerFailure, [status: HttpStatus, reason: string]> = {
  refused: [502, 'the server refused the connection'],
  unreachable: [502, 'the server cannot be reached'],
  timeout: [504, 'the server did not answer in time'],
  'no-socket': [503, 'the proxy has no more sockets'],
  ourselves: [502, 'the address of the server is that of this proxy itself'],
  'no-answer': [502, 'the server closed the connection without an answer'],
};

/** Answers the client itself, and ends the connection. `counter` -1: it is counted already. */
export function refuseClient(
  loop: Loop,
  client: HttpClient,
  counter: number,
  status: HttpStatus,
  reason: string,
): void {
  const answer = encodeHttpAnswer(status, reason, client.method !== Method.head);
  endWith(loop, client, { counter, answer, reset: false });
}

export function endWith(loop: Loop, client: HttpClient, refusal: Refusal): void {
  const { connection } = client;
  dropServer(loop, client, true);
  if (connection.down.held === null) return refuse(loop, connection, refusal);
  // An interim answer is on its way: this one follows it.
  if (refusal.counter >= 0) countEnd(loop, connection, refusal.counter);
  hold(loop, connection.down, refusal.answer);
  client.state = State.finishing;
}

export function dialFailed(loop: Loop, client: HttpClient, failure: ServerFailure): void {
  const [status, reason] = SERVER_FAILURES[failure];
  if (failure === 'no-answer') return refuseClient(loop, client, client.listener.index['http-no-answer'], status, reason);
  client.connection.reason = countDialFailure(loop, failure);
  refuseClient(loop, client, -1, status, reason);
}

/** The client was reset, or takes no more. */
export function clientFailed(loop: Loop, client: HttpClient): void {
  const { index } = loop;
  abort(loop, client.connection, client.connection.opened ? index['closed-reset'] : index['closed-early']);
}

/** The client has ended between two requests, or before its first. */
export function clientEnded(loop: Loop, { connection, requests, left }: HttpClient): void {
  const isEarly = requests === 0 || left !== null;
  countEnd(loop, connection, loop.index[isEarly ? 'closed-early' : 'closed']);
  close(loop, connection);
}

/** The server broke off in the middle of its answer: so do we, so that the client does not take it for whole. */
export function answerCut(loop: Loop, client: HttpClient): void {
  abort(loop, client.connection, client.listener.index['http-answer-cut']);
}

/** The answer is whole. `isClean`: the server sent nothing after it. */
export function finishExchange(loop: Loop, client: HttpClient, isClean: boolean): void {
  const { connection, server } = client;
  const isRequestWhole = isWhole(client.request) && connection.up.held === null && connection.up.pipedBytes === 0;
  client.saved = null;
  server!.answers++;
  if (!client.keepsServer || !isClean || !isRequestWhole || connection.down.ended) {
    dropServer(loop, client, !isRequestWhole);
  } else if (server!.backend.clientAddress === 'none') {
    const { keepAliveSeconds } = client;
    const { fd } = server!;
    detach(loop, client);
    if (!server!.park(loop, keepAliveSeconds)) loop.closer.close(fd);
  } else server!.parkedMs = loop.nowMs; // it carries the address of this client, so it stays with it
  connection.sinceMs = loop.nowMs;
  client.method = Method.other;
  if (client.closes || !isRequestWhole) client.state = State.finishing;
  else {
    client.state = State.reading;
    client.mayParse = client.left !== null;
  }
}

/** Nothing more is to come; the client has taken everything. */
export function finishClient(loop: Loop, client: HttpClient): void {
  countEnd(loop, client.connection, loop.index.closed);
  linger(loop, client.connection);
}
