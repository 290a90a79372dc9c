/** How exchanges and connections end. */
import { abort, close, countEnd, refuse } from '../../../net/ending.ts';
import type { DialFailure, Refusal } from '../../../net/gate.ts';
import { hold } from '../../../net/holding.ts';
import type { Loop } from '../../../net/loop.ts';
import { Method } from '../../../wire/http1/head.ts';
import { type HttpStatus, encodeHttpAnswer } from '../http-answer.ts';
import { isWhole } from './body.ts';
import { type HttpClient, State } from './client.ts';
import { forgetSaved } from './saved.ts';
import { countDialFailure, detach, dropServer } from './servers.ts';

/** no-answer: the server ended an exchange before its answer. */
type ServerFailure = DialFailure | 'no-answer';

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
  fields: readonly string[] = [],
): void {
  // Once the server's answer has begun, a second one would be taken for a part of it.
  if (client.answered && client.state === State.exchanging) return answerCut(loop, client, counter);
  const answer = encodeHttpAnswer(status, reason, client.method !== Method.head, fields);
  endWith(loop, client, { counter, answer, reset: false });
}

export function endWith(loop: Loop, client: HttpClient, refusal: Refusal): void {
  const { connection } = client;
  dropServer(loop, client, true);
  if (connection.down.held === null) return refuse(loop, connection, refusal);
  // An interim answer is still on its way to the client.
  if (refusal.counter >= 0) countEnd(loop, connection, refusal.counter);
  hold(loop, connection.down, refusal.answer);
  client.state = State.finishing;
}

export function serverFailed(loop: Loop, client: HttpClient, failure: ServerFailure): void {
  const [status, reason] = SERVER_FAILURES[failure];
  if (failure === 'no-answer')
    return refuseClient(loop, client, client.context.index['http-no-answer'], status, reason);
  client.connection.reason = countDialFailure(loop, failure);
  refuseClient(loop, client, -1, status, reason);
}

/** The client was reset, has ended in the middle of a request, or takes nothing more. */
export function clientFailed(loop: Loop, { connection }: HttpClient): void {
  const { index } = loop;
  abort(loop, connection, connection.opened ? index['closed-reset'] : index['closed-early']);
}

/** The client has ended between two requests, or before its first. */
export function clientEnded(loop: Loop, { connection, requests, left }: HttpClient): void {
  const isEarly = requests === 0 || left !== null;
  countEnd(loop, connection, loop.index[isEarly ? 'closed-early' : 'closed']);
  close(loop, connection);
}

/** The answer has begun and cannot be completed: a reset tells the client that it is not whole. */
export function answerCut(loop: Loop, client: HttpClient, counter: number): void {
  abort(loop, client.connection, counter);
}

/** The answer is whole. `isClean`: the server sent nothing after it. */
export function finishExchange(loop: Loop, client: HttpClient, isClean: boolean): void {
  const { connection } = client;
  const { up, down } = connection;
  const server = client.server!;
  const isRequestWhole = isWhole(client.request) && up.held === null && up.pipedBytes === 0;
  const isOver = down.exhaustive || (down.readable && server.hasEnded());
  if (!client.keepsServer || !isClean || !isRequestWhole || isOver || up.finished) {
    dropServer(loop, client, !isRequestWhole);
  } else if (server.backend.clientAddress === 'none' && !server.isPersonal) {
    detach(loop, client);
    if (!server.park(loop, client.keepAliveSeconds)) loop.closer.close(server.fd);
  } else {
    // It carries the address of this client, or is authenticated for it, so it stays with it.
    server.wait(loop, client.keepAliveSeconds);
    down.readable = false;
  }
  forgetSaved(client);
  client.mayParse = client.left !== null;
  client.answered = false;
  client.method = Method.other;
  connection.sinceMs = loop.nowMs;
  // What is left of an upload that was answered early is not a request.
  client.state = client.closes || !isRequestWhole ? State.finishing : State.reading;
}
