/** Starts the first phase of a connection whose client is known. */
import { type Connection, Phase } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { startDial } from './dialling.ts';
import { close, refuse } from './ending.ts';
import type { Route } from './gate.ts';
import { ARRIVALS, type Loop } from './loop.ts';
import { readOpening } from './opening.ts';

/** `isWatched`: the events of its socket are watched already. */
export function begin(loop: Loop, connection: Connection, isWatched: boolean): void {
  const { gate, up } = connection;
  if (gate.route === null && gate.conversation === undefined) {
    readOpening(loop, connection); // the first bytes are often there already
    if (connection.phase === Phase.closed) return;
  }
  if (!isWatched && !loop.epoll.add(up.from, ARRIVALS)) close(loop, connection);
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
