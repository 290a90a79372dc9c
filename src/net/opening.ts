/** The phase in which the client's first bytes are read, and its gate decides from them which server the connection goes to. */
import { E, MSG_DONTWAIT, errno, recvAt } from '../os/libc.ts';
import { openingInTheWay } from './admission.ts';
import { type Connection, Phase } from './connection.ts';
import { startDial } from './dialling.ts';
import { abort, close, countEnd, refuse } from './ending.ts';
import type { Verdict } from './gate.ts';
import { CHUNK_BYTES, type Loop, READABLE, noteEvents } from './loop.ts';

export function onOpeningEvents(loop: Loop, connection: Connection, events: number): void {
  noteEvents(connection.up, events);
  if ((events & READABLE) !== 0) readOpening(loop, connection);
}

/** Reads until the gate has decided, or nothing more is there. */
export function readOpening(loop: Loop, connection: Connection): void {
  const { up } = connection;
  const { scratch, scratchAt } = loop;
  for (;;) {
    const taken = recvAt(up.from, scratchAt, CHUNK_BYTES, MSG_DONTWAIT);
    if (taken > 0) {
      connection.openingBytes += taken;
      // After a full read, or an edge that reported more than bytes, something is still in the queue.
      up.readable = up.exhaustive || up.ending || taken === CHUNK_BYTES;
      if (!hasMemory(loop, connection)) return;
      connection.examiner ??= connection.gate.begin!();
      judge(loop, connection, connection.examiner.push(scratch.subarray(0, taken), up.from, connection));
      if (connection.phase !== Phase.opening || !up.readable) return;
    } else if (taken < 0 && errno() === E.EAGAIN) {
      up.readable = false;
      return;
    } else {
      countEnd(loop, connection, loop.index['closed-early']);
      close(loop, connection);
      return;
    }
  }
}

/** Makes room for the bytes read: closes connections of the client with the longest openings. False if this one was closed. */
export function hasMemory(loop: Loop, connection: Connection): boolean {
  let inTheWay = openingInTheWay(loop.admission, connection);
  while (inTheWay !== undefined) {
    abort(loop, inTheWay, loop.index['refused-memory']);
    if (inTheWay === connection) return false;
    inTheWay = openingInTheWay(loop.admission, connection);
  }
  return true;
}

function judge(loop: Loop, connection: Connection, verdict: Verdict): void {
  if (verdict.kind === 'route') {
    loop.values[verdict.counter]++;
    connection.name = verdict.name;
    startDial(loop, connection, verdict.route);
  } else if (verdict.kind === 'refuse') {
    connection.name = verdict.name ?? null;
    connection.server = verdict.server ?? null;
    refuse(loop, connection, verdict.refusal);
  }
}
