/** Handles a connection that was just accepted: checks that there is room for it, and starts its first phase. */
import { enter } from './admission.ts';
import type { Client } from './client.ts';
import { type Connection, Phase, createConnection } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { startDial } from './dialling.ts';
import { abort, close, refuse } from './ending.ts';
import type { Gate, Route } from './gate.ts';
import { ARRIVALS, type Loop } from './loop.ts';
import { readOpening } from './opening.ts';

export function admit(loop: Loop, fd: number, gate: Gate, client: Client): void {
  const { admission } = loop;
  const connection = createConnection(gate, fd, loop.nowMs);
  if (!enter(admission, connection, client, loop.nowMs)) {
    loop.values[loop.index['refused-share']]++;
    loop.closer.reset(fd, loop.nowMs);
    return;
  }
  if (admission.displaced !== undefined) {
    abort(loop, admission.displaced, loop.index.displaced);
    admission.displaced = undefined;
  }
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
