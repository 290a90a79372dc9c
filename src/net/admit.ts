/** Handles a connection that was just accepted: checks that there is room for it, and starts its first phase. */
import { enter } from './admission.ts';
import { begin } from './begin.ts';
import type { Client } from './client.ts';
import { limitFor } from './client-limits.ts';
import { createConnection } from './connection.ts';
import { closeDisplaced } from './ending.ts';
import type { Gate } from './gate.ts';
import { noteRefused } from './holders.ts';
import { awaitIntroduction } from './introducing.ts';
import type { Loop } from './loop.ts';
import { isTrusted } from './trusted-proxies.ts';

/** `listener`: the descriptor on which it was accepted. */
export function admit(loop: Loop, fd: number, gate: Gate, client: Client, listener: number): void {
  const { admission, index } = loop;
  // The limits are for clients: those of a trusted proxy are known later.
  const isOfProxy = gate.trusted !== undefined && isTrusted(gate.trusted, client, loop.ourselves);
  const limit = isOfProxy ? -1 : limitFor(loop, client, listener, 0);
  if (limit >= 0) return turnAway(loop, fd, gate, client, limit);
  const connection = createConnection(gate, fd, loop.nowMs);
  if (!enter(admission, connection, client, loop.nowMs))
    return turnAway(loop, fd, gate, client, index['refused-share']);
  closeDisplaced(loop);
  loop.open++;
  loop.openings++;
  loop.halves[fd] = connection.up;
  if (isOfProxy) awaitIntroduction(loop, connection, listener);
  else begin(loop, connection, false);
}

/** Refuses a new connection. */
function turnAway(loop: Loop, fd: number, gate: Gate, client: Client, limit: number): void {
  loop.values[limit]++;
  noteRefused(loop.holders, client, limit);
  loop.events.recordLimited(gate, fd, limit, loop.nowMs);
  loop.closer.reset(fd, loop.nowMs);
}
