/** Ends connections because of timeouts. */
import { publishSilence } from './admission.ts';
import { type Connection, Phase } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { serverFailed } from './dialling.ts';
import { LINGER_MS, LINGER_STALL_MS, close, countEnd, refuse } from './ending.ts';
import { CLOSE, RESET } from './gate.ts';
import { HALF_CLOSED_MS, askWhetherGone, probeIfQuiet } from './keepalive.ts';
import type { Loop } from './loop.ts';
import type { ConnectionTimeouts } from './timeouts.ts';
import { unsentBytes } from './unsent.ts';

/** Ends overdue connections. */
export function scanDeadlines(loop: Loop, timeouts: ConnectionTimeouts): void {
  const { admission } = loop;
  for (const half of loop.halves) {
    if (half === undefined || half !== half.connection.up) continue;
    if (admission.isShared) publishSilence(admission, half.connection);
    look(loop, half.connection, timeouts);
  }
  for (const parked of loop.parked) parked?.onDeadline(loop);
}

function look(loop: Loop, connection: Connection, timeouts: ConnectionTimeouts): void {
  const { handshakeTimeoutMs } = timeouts;
  const { index } = loop;
  const elapsedMs = (loop.nowMs - connection.sinceMs) | 0;
  switch (connection.phase) {
    case Phase.opening:
    case Phase.waiting:
      if (elapsedMs < handshakeTimeoutMs) return;
      countEnd(loop, connection, index['refused-timeout']);
      return refuse(loop, connection, connection.examiner?.timedOut() ?? CLOSE);
    case Phase.introducing:
      if (elapsedMs < handshakeTimeoutMs) return;
      countEnd(loop, connection, index['refused-timeout']);
      return refuse(loop, connection, RESET);
    case Phase.dialing:
      if (elapsedMs >= handshakeTimeoutMs) serverFailed(loop, connection, 'timeout');
      return;
    case Phase.relaying:
      return lookRelaying(loop, connection, elapsedMs, timeouts);
    case Phase.conversing:
      return conversationOf(connection).onDeadline(loop, connection, timeouts);
    case Phase.lingering:
      if (elapsedMs >= LINGER_MS || isStalled(loop, connection)) lookLingering(loop, connection, elapsedMs);
      return;
    default:
  }
}

function lookRelaying(
  loop: Loop,
  connection: Connection,
  elapsedMs: number,
  { idleTimeoutMs, halfClosedTimeoutMs }: ConnectionTimeouts,
): void {
  const { index } = loop;
  const { up, down } = connection;
  if (elapsedMs >= HALF_CLOSED_MS && !connection.isAsked) askHalfClosed(connection);
  if (up.finished !== down.finished && elapsedMs >= halfClosedTimeoutMs) {
    countEnd(loop, connection, index['closed-half-closed']);
    return close(loop, connection);
  }
  if (idleTimeoutMs !== 0 && elapsedMs >= idleTimeoutMs) {
    countEnd(loop, connection, index['closed-idle']);
    return close(loop, connection);
  }
  probeIfQuiet(connection, elapsedMs);
}

/**
 * Probes the peers that have sent a FIN, in a half-closed, silent connection. If a client has given up and its server neither
 * answers nor closes, the connection must not stay open as long as an idle one: a faulty server would use up the connections of
 * all others.
 */
function askHalfClosed(connection: Connection): void {
  for (const half of [connection.up, connection.down]) {
    if (!half.ending) continue;
    connection.isAsked = true;
    askWhetherGone(half.from);
  }
}

/** Closes a lingering connection once the client has what was sent to it and sends nothing itself, or makes no progress. */
function lookLingering(loop: Loop, connection: Connection, elapsedMs: number): void {
  const unsent = unsentBytes(connection.up.from);
  if (unsent !== 0 && unsent !== connection.unsentBytes) {
    connection.unsentBytes = unsent;
    connection.progressMs = loop.nowMs;
  }
  if (isStalled(loop, connection) || (unsent === 0 && elapsedMs >= LINGER_MS)) close(loop, connection);
}

const isStalled = ({ nowMs }: Loop, { progressMs }: Connection): boolean =>
  ((nowMs - progressMs) | 0) >= LINGER_STALL_MS;
