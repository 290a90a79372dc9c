/** Handles a connection that was just accepted: checks that there is room for it, and starts its first phase. */
import { connectionInTheWay, enter } from './admission.ts';
import { begin } from './begin.ts';
import type { Client } from './client.ts';
import { createConnection } from './connection.ts';
import { abort } from './ending.ts';
import type { Gate } from './gate.ts';
import { awaitIntroduction } from './introducing.ts';
import type { Loop } from './loop.ts';
import { isTrusted } from './trusted-proxies.ts';

export function admit(loop: Loop, fd: number, gate: Gate, client: Client): void {
  if (loop.open >= loop.maxConnections && !makeRoom(loop, client)) {
    loop.values[loop.index['refused-share']]++;
    loop.closer.reset(fd, loop.nowMs);
    return;
  }
  const connection = createConnection(gate, fd, loop.nowMs);
  enter(loop.admission, connection, client);
  loop.open++;
  loop.openings++;
  loop.halves[fd] = connection.up;
  if (gate.trusted !== undefined && isTrusted(gate.trusted, client, loop.ourselves))
    awaitIntroduction(loop, connection);
  else begin(loop, connection, false);
}

/** Closes a connection of the client that has most, unless that is this client. */
function makeRoom(loop: Loop, client: Client): boolean {
  const connection = connectionInTheWay(loop.admission, client, loop.nowMs);
  if (connection === undefined) return false;
  abort(loop, connection, loop.index.displaced);
  return true;
}
