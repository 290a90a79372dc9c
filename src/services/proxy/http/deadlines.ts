/** The time-outs of a client's connection. */
import type { Connection } from '../../../net/connection.ts';
import type { ConnectionTimeouts } from '../../../net/timeouts.ts';
import { close, countEnd } from '../../../net/ending.ts';
import { askWhetherGone } from '../../../net/keepalive.ts';
import type { Loop } from '../../../net/loop.ts';
import { State, clientOf } from './client.ts';
import { serverFailed, refuseClient } from './ends.ts';
import { dropServer } from './servers.ts';

/** How long a connection may wait for its next request: 75 s, as nginx's. */
const KEEP_ALIVE_MS = 75_000;
/** How long the client may take nothing of the last answer. */
const FINISH_MS = 30_000;
/** A client that has ended its direction is asked whether it is still there. */
const HALF_CLOSED_MS = 10_000;

export function onHttpDeadline(loop: Loop, connection: Connection, timeouts: ConnectionTimeouts): void {
  const client = clientOf(connection);
  const { handshakeTimeoutMs, idleTimeoutMs } = timeouts;
  const elapsedMs = (loop.nowMs - connection.sinceMs) | 0;
  const end = (counter: number) => {
    countEnd(loop, connection, counter);
    close(loop, connection);
  };
  switch (client.state) {
    case State.reading:
      if (client.server !== null && elapsedMs >= KEEP_ALIVE_MS / 2) dropServer(loop, client, false);
      if (client.requests > 0 && client.left === null) {
        if (elapsedMs >= KEEP_ALIVE_MS || client.context.isRetired) end(loop.index.closed);
        return;
      }
      if (elapsedMs >= handshakeTimeoutMs)
        refuseClient(loop, client, loop.index['refused-timeout'], 408, 'the request took too long');
      return;
    case State.exchanging:
      if (!client.server!.isConnected) {
        if (elapsedMs >= handshakeTimeoutMs) serverFailed(loop, client, 'timeout');
        return;
      }
      if (!client.answered && elapsedMs >= client.context.responseTimeoutMs)
        return refuseClient(
          loop,
          client,
          client.context.index['http-timeout'],
          504,
          'the server did not answer in time',
        );
      if (idleTimeoutMs !== 0 && elapsedMs >= idleTimeoutMs) return end(loop.index['closed-idle']);
      if (elapsedMs >= HALF_CLOSED_MS && connection.up.exhaustive && !connection.isAsked) {
        connection.isAsked = true;
        askWhetherGone(connection.up.from);
      }
      return;
    default:
      if (elapsedMs >= FINISH_MS) end(loop.index['closed-idle']);
  }
}
