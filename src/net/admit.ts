/** Handles a connection that was just accepted: checks that there is room for it, and starts its first phase. */
import { connectionsOf, enter } from './admission.ts';
import type { Client } from './client.ts';
import { type Connection, Phase, createConnection } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { startDial } from './dialling.ts';
import { close, closeDisplaced, refuse } from './ending.ts';
import type { Gate, Route } from './gate.ts';
import { noteRefused } from './holders.ts';
import { ARRIVALS, type Loop } from './loop.ts';
import { countNew } from './new-connections.ts';
import { readOpening } from './opening.ts';
import { waitingClients } from './accept-queue.ts';

/** `listener`: the descriptor on which it was accepted. */
export function admit(loop: Loop, fd: number, gate: Gate, client: Client, listener: number): void {
  const { admission, index } = loop;
  const limit = limitFor(loop, client, listener);
  if (limit >= 0) return turnAway(loop, fd, gate, client, limit);
  const connection = createConnection(gate, fd, loop.nowMs);
  if (!enter(admission, connection, client, loop.nowMs))
    return turnAway(loop, fd, gate, client, index['refused-share']);
  closeDisplaced(loop);
  loop.open++;
  loop.openings++;
  loop.halves[fd] = connection.up;
  if (gate.route === null && gate.conversation === undefined) {
    readOpening(loop, connection); // the first bytes are often there already
    if (connection.phase === Phase.closed) return;
  }
  if (!loop.epoll.add(fd, ARRIVALS)) close(loop, connection);
  else if (gate.conversation !== undefined) conversationOf(connection).begin(loop, connection);
  else if (gate.route !== null) judge(loop, connection, gate.route);
}

/** For a gate that needs no bytes. */
function judge(loop: Loop, connection: Connection, route: Route): void {
  const { gate, up } = connection;
  const refusal = gate.refuses?.(up.from) ?? null;
  if (refusal === null) return startDial(loop, connection, gate.routeFor?.(up.from) ?? route);
  connection.server = route.server;
  refuse(loop, connection, refusal);
}

/** The position of the counter of the limit at which a new connection is refused; -1 if there is none yet. */
function limitFor(loop: Loop, client: Client, listener: number): number {
  const { index, limits, admission } = loop;
  const { connectionsPerClient, newConnectionsPerSecondPerClient } = limits;
  const { arrivals } = admission.memory;
  if (!countNew(arrivals, loop.nowMs, client, newConnectionsPerSecondPerClient, listener, waitingClients))
    return index['refused-rate'];
  if (connectionsPerClient !== undefined && connectionsOf(admission, client) >= connectionsPerClient)
    return index['refused-client-limit'];
  return -1;
}

/** Refuses a new connection. */
function turnAway(loop: Loop, fd: number, gate: Gate, client: Client, limit: number): void {
  loop.values[limit]++;
  noteRefused(loop.holders, client, limit);
  loop.events.recordLimited(gate, fd, limit, loop.nowMs);
  loop.closer.reset(fd, loop.nowMs);
}
