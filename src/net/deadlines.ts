/** What ends connections because of time. */
import { type Connection, Phase } from './connection.ts';
import { serverFailed } from './dialling.ts';
import { LINGER_MS, close, countEnd, refuse } from './ending.ts';
import { CLOSE } from './gate.ts';
import { askWhetherGone } from './keepalive.ts';
import type { Loop } from './loop.ts';

/** Half closed and silent for so long: nobody waits any more, it may be. */
const HALF_CLOSED_MS = 10_000;

/** Deadlines, in force for old connections too. */
export interface ConnectionTimeouts {
  /** For the client's first bytes; then, anew, for the server to accept. */
  readonly handshakeTimeoutMs: number;
  /** 0: connections may be silent for ever. */
  readonly idleTimeoutMs: number;
}

/** Ends what is overdue. */
export function scanDeadlines(loop: Loop, timeouts: ConnectionTimeouts): void {
  for (const half of loop.halves)
    if (half !== undefined && half === half.connection.up) look(loop, half.connection, timeouts);
}

function look(
  loop: Loop,
  connection: Connection,
  { handshakeTimeoutMs, idleTimeoutMs }: ConnectionTimeouts,
): void {
  const { index } = loop;
  const elapsedMs = (loop.nowMs - connection.sinceMs) | 0;
  switch (connection.phase) {
    case Phase.opening:
      if (elapsedMs < handshakeTimeoutMs) return;
      countEnd(loop, connection, index['refused-timeout']);
      return refuse(loop, connection, connection.examiner?.timedOut() ?? CLOSE);
    case Phase.dialing:
      if (elapsedMs >= handshakeTimeoutMs) serverFailed(loop, connection, 'timeout');
      return;
    case Phase.relaying:
      if (elapsedMs >= HALF_CLOSED_MS && !connection.isAsked) askHalfClosed(connection);
      if (idleTimeoutMs === 0 || elapsedMs < idleTimeoutMs) return;
      countEnd(loop, connection, index['closed-idle']);
      return close(loop, connection);
    case Phase.lingering:
      if (elapsedMs >= LINGER_MS) close(loop, connection);
      return;
    default:
  }
}

/**
 * A client that gave up, and a server that says nothing and never ends, are no reason to hold a connection for as long as two that are
 * only silent: a sick server would take all there are from the others.
 */
function askHalfClosed(connection: Connection): void {
  for (const half of [connection.up, connection.down]) {
    // A FIN, whether or not it has been read yet.
    if (!half.exhaustive) continue;
    connection.isAsked = true;
    askWhetherGone(half.from);
  }
}
