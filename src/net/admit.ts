/** Handles a connection that was just accepted: checks that there is room for it, and starts its first phase. */
import { enter } from './admission.ts';
import { begin } from './begin.ts';
import type { Client } from './client.ts';
import { createConnection } from './connection.ts';
import { abort } from './ending.ts';
import type { Gate } from './gate.ts';
import { awaitIntroduction } from './introducing.ts';
import type { Loop } from './loop.ts';
import { isTrusted } from './trusted-proxies.ts';

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
  if (gate.trusted !== undefined && isTrusted(gate.trusted, client, loop.ourselves))
    awaitIntroduction(loop, connection);
  else begin(loop, connection, false);
}
