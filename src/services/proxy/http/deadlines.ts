/** The time-outs of a client's connection. */
import type { Connection } from '../../../net/connection.ts';
import type { ConnectionTimeouts } from '../../../net/timeouts.ts';
import { close, countEnd } from '../../../net/ending.ts';
import { HALF_CLOSED_MS, askWhetherGone, probeIfQuiet } from '../../../net/keepalive.ts';
import type { Loop } from '../../../net/loop.ts';
import { isWhole } from './body.ts';
import { type HttpClient, State, clientOf } from './client.ts';
import { serverFailed, refuseClient } from './ends.ts';
import { dropServer } from './servers.ts';

/** How long a connection may wait for its next request: 75 s, as nginx's. */
const KEEP_ALIVE_MS = 75_000;
/** How long the client may take nothing of the last answer. */
const FINISH_MS = 30_000;

export function onHttpDeadline(loop: Loop, connection: Connection, timeouts: ConnectionTimeouts): void {
  const client = clientOf(connection);
  const elapsedMs = (loop.nowMs - connection.sinceMs) | 0;
  if (client.state === State.asking) {
    const { index } = client.context;
    const name = client.host;
    if (elapsedMs >= timeouts.handshakeTimeoutMs)
      refuseClient(
        loop,
        client,
        index['refused-http-no-lookup'],
        503,
        `${name} could not be looked up in time`,
      );
  } else if (client.state === State.reading) onReadingDeadline(loop, client, elapsedMs, timeouts);
  else if (client.state === State.exchanging) onExchangeDeadline(loop, client, elapsedMs, timeouts);
  else if (elapsedMs >= FINISH_MS) end(loop, connection, loop.index['closed-idle']);
}

function end(loop: Loop, connection: Connection, counter: number): void {
  countEnd(loop, connection, counter);
  close(loop, connection);
}

/** A request is awaited, or the rest of its head. */
function onReadingDeadline(
  loop: Loop,
  client: HttpClient,
  elapsedMs: number,
  { handshakeTimeoutMs, idleTimeoutMs }: ConnectionTimeouts,
): void {
  const { connection, left, requests, context } = client;
  const { index } = loop;
  const { down } = connection;
  if (down.held !== null || down.pipedBytes > 0) {
    // The previous answer is still being sent.
    if (isIdle(elapsedMs, idleTimeoutMs)) end(loop, connection, index['closed-idle']);
    return;
  }
  const keepAliveMs = idleTimeoutMs === 0 ? KEEP_ALIVE_MS : Math.min(KEEP_ALIVE_MS, idleTimeoutMs);
  if (client.server !== null && elapsedMs >= keepAliveMs / 2) dropServer(loop, client, false);
  if (requests > 0 && left === null) {
    if (elapsedMs >= keepAliveMs || context.isRetired) end(loop, connection, index.closed);
    return;
  }
  if (elapsedMs < handshakeTimeoutMs) return;
  // Who has said nothing is not told that its request took too long.
  if (left === null) return end(loop, connection, index['refused-timeout']);
  refuseClient(loop, client, index['refused-timeout'], 408, 'the request took too long');
}

/** A request is at a server. */
function onExchangeDeadline(
  loop: Loop,
  client: HttpClient,
  elapsedMs: number,
  { handshakeTimeoutMs, idleTimeoutMs, halfClosedTimeoutMs }: ConnectionTimeouts,
): void {
  const { connection, context } = client;
  const { index } = loop;
  if (!client.server!.isConnected) {
    if (elapsedMs >= handshakeTimeoutMs) serverFailed(loop, client, 'timeout');
    return;
  }
  if (!client.answered && elapsedMs >= context.responseTimeoutMs) {
    if (isUploadMissing(client))
      return refuseClient(
        loop,
        client,
        index['refused-timeout'],
        408,
        'the body of the request took too long',
      );
    return refuseClient(
      loop,
      client,
      context.index['http-timeout'],
      504,
      'the server did not answer in time',
    );
  }
  if (isIdle(elapsedMs, idleTimeoutMs)) return end(loop, connection, index['closed-idle']);
  if (connection.up.exhaustive && elapsedMs >= HALF_CLOSED_MS) {
    if (elapsedMs >= halfClosedTimeoutMs) return end(loop, connection, index['closed-half-closed']);
    if (!connection.isAsked) askWhetherGone(connection.up.from);
    connection.isAsked = true;
  }
  probeIfQuiet(connection, elapsedMs);
}

const isIdle = (elapsedMs: number, idleTimeoutMs: number): boolean =>
  idleTimeoutMs !== 0 && elapsedMs >= idleTimeoutMs;

/** The server has taken everything that the client has sent of its request, and the rest does not come. */
const isUploadMissing = ({ request, connection: { up } }: HttpClient): boolean =>
  !isWhole(request) && up.held === null && up.pipedBytes === 0 && !up.finished;
