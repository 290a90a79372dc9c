/** The phase in which the client's first bytes are read, and its gate decides from them which server the connection goes to. */
import { E, MSG_DONTWAIT, errno, recvAt } from '../os/libc.ts';
import { openingInTheWay } from './admission.ts';
import { type Connection, Phase } from './connection.ts';
import { startDial } from './dialling.ts';
import { abort, close, countEnd, noteRefusedConnection, refuse } from './ending.ts';
import type { Verdict, Awaited } from './gate.ts';
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
    noteRefusedConnection(loop, inTheWay, loop.index['refused-memory']);
    abort(loop, inTheWay, loop.index['refused-memory']);
    if (inTheWay === connection) return false;
    inTheWay = openingInTheWay(loop.admission, connection);
  }
  return true;
}

const NO_BYTES = new Uint8Array(0);

/** What the gate waited for is known. */
export function decideAgain(loop: Loop, connection: Connection): void {
  connection.phase = Phase.opening;
  judge(loop, connection, connection.examiner!.push(NO_BYTES, connection.up.from, connection));
}

/** Above this, connections that have ended meanwhile are removed from the list each time that it has doubled. */
const SHORT_LIST = 64;

export function keepWaiting({ connections }: Awaited, connection: Connection): void {
  const { length } = connections;
  if (length >= SHORT_LIST && (length & (length - 1)) === 0) {
    const open = (connections as Connection[]).filter(({ phase }) => phase !== Phase.closed);
    connections.splice(0, length, ...open);
  }
  connections.push(connection);
}

function judge(loop: Loop, connection: Connection, verdict: Verdict): void {
  if (verdict.kind === 'route') {
    loop.values[verdict.counter]++;
    connection.name = verdict.name;
    startDial(loop, connection, verdict.route);
  } else if (verdict.kind === 'wait') {
    connection.phase = Phase.waiting;
    keepWaiting(verdict.awaited, connection);
  } else if (verdict.kind === 'refuse') {
    connection.name = verdict.name ?? null;
    connection.server = verdict.server ?? null;
    connection.accessLog = verdict.accessLog ?? connection.accessLog;
    refuse(loop, connection, verdict.refusal);
  }
}
