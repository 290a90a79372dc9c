/** What the access log learns of a request, from its head to the last byte of its answer (net/exchange.ts). */
import { AccessFlag, AccessLevel, type AccessLevelId } from '../../../net/access-record.ts';
import type { Half } from '../../../net/connection.ts';
import { type Exchange, keepTexts, takeExchange } from '../../../net/exchange.ts';
import type { Loop } from '../../../net/loop.ts';
import type { MessageHead } from '../../../wire/http1/head.ts';
import { buffer } from './buffer.ts';
import { type HttpClient, State } from './client.ts';

const SLASH = 47;
const STAR = 42;

/** A request that was read as far as `head` says. `server`: null if it reaches none. */
export function beginExchange(
  client: HttpClient,
  head: MessageHead,
  level: AccessLevelId,
  server: string | null,
): void {
  const { connection } = client;
  const exchange = takeExchange(level, connection.sinceMs);
  exchange.server = server;
  const { start, methodEnd, minorVersion, hostStart, hostEnd, targetStart, targetEnd } = head;
  if (methodEnd > start) {
    // Anything else than a path can have the user and password of an absolute form that was refused.
    const isPath = targetEnd > targetStart && (buffer[targetStart] === SLASH || buffer[targetStart] === STAR);
    const pathEnd = isPath ? targetEnd : targetStart;
    keepTexts(exchange, buffer, start, methodEnd, hostStart, hostEnd, targetStart, pathEnd);
    // An absolute form without a path, which the server gets with this one.
    if (head.targetPrefix !== 0) {
      exchange.texts[exchange.methodBytes + exchange.nameBytes] = head.targetPrefix;
      exchange.pathBytes = 1;
    }
  }
  // A head that was read to its end has a version, also if it is refused.
  if (head.fault === null || head.headEnd > 0)
    exchange.flags |= minorVersion === 0 ? AccessFlag.http10 : AccessFlag.http11;
  connection.exchange = exchange;
}

/** A request of which there is no whole head: it is too late, or its client is gone. */
export function beginUnread({ connection, context, state, left, mayParse }: HttpClient): void {
  const { accessLog } = context.table;
  if (accessLog === AccessLevel.off || connection.exchange !== null) return;
  if (state !== State.reading || left === null || mayParse) return;
  connection.exchange = takeExchange(accessLog, connection.sinceMs);
}

/** Bytes of a body. */
export function countBody(half: Half, bytes: number): void {
  const { exchange, up } = half.connection;
  if (exchange === null) return;
  if (half === up) exchange.bytesUp += bytes;
  else exchange.bytesDown += bytes;
}

/** The proxy answers itself. `answer`: with its head. `counter`: why. */
export function noteOwnAnswer(
  { connection }: HttpClient,
  status: number,
  answer: Uint8Array,
  counter: number,
): void {
  const { exchange } = connection;
  if (exchange === null) return;
  exchange.status = status;
  exchange.flags |= AccessFlag.own;
  exchange.reason = counter;
  exchange.isWhole = true;
  exchange.bytesDown = bodyBytes(answer);
}

function bodyBytes(answer: Uint8Array): number {
  const text = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
  return answer.length - text.indexOf('\r\n\r\n') - 4;
}

/** The request goes over this connection to the server. */
export function noteReused(exchange: Exchange): void {
  exchange.flags |= AccessFlag.reused;
  exchange.connectMs = 0;
}

export function noteRetried(exchange: Exchange): void {
  exchange.flags = (exchange.flags & ~AccessFlag.reused) | AccessFlag.retried;
  exchange.connectMs = exchange.firstByteMs = -1;
}

/** The tunnel begins. `ahead`: bytes of the server in it that were counted before. */
export function noteUpgraded({ connection }: HttpClient, exchange: Exchange, ahead: number): void {
  exchange.status = 101;
  exchange.flags |= AccessFlag.upgraded;
  exchange.isWhole = true;
  exchange.upBefore = connection.up.totalBytes;
  exchange.downBefore = connection.down.totalBytes - ahead;
}

/** The client has the whole answer. */
export function endExchange(loop: Loop, { connection }: HttpClient, exchange: Exchange): void {
  loop.access.endExchange(connection, exchange, exchange.reason, loop.nowMs);
}
