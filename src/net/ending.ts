/** How connections end: refused, lingering, closed normally or with resets. */
import { E, MSG_DONTWAIT, SHUT_WR, errno, recvAt, shutdown, write } from '../os/libc.ts';
import { holdsSlot, leave, leaveOpenings } from './admission.ts';
import { createClient } from './client.ts';
import { AccessLevel } from './access-record.ts';
import { type Connection, Phase } from './connection.ts';
import { TcpEvent } from './events.ts';
import type { Refusal } from './gate.ts';
import { noteRefused } from './holders.ts';
import { release } from './holding.ts';
import { HOST } from './host-slots.ts';
import { CHUNK_BYTES, type Loop, queue } from './loop.ts';
import { endDialling, enterServer, exitServer } from './server-shares.ts';
import { readOwner } from './share-records.ts';

/**
 * Lingering (RFC 9112 section 9.6): how long a client that has everything is silent before its socket is closed; how long one may
 * take nothing of what is left, or send without end; and how much it may send.
 */
export const LINGER_MS = 2000;
export const LINGER_STALL_MS = 30_000;
export const LINGER_BYTES = 256 * 1024 * 1024;

/** The opening is over: the server is reached, or the connection ends before that. */
export function leaveOpening(loop: Loop, connection: Connection): void {
  if (connection.openingSlot === 0) return;
  loop.openings--;
  leaveOpenings(loop.admission, connection);
  connection.openingBytes = 0;
  connection.examiner = null;
  connection.route = null;
}

/** Counts the end of a connection before it is refused, lingers or is closed. */
export function countEnd({ values }: Loop, connection: Connection, counter: number): void {
  values[counter]++;
  connection.reason = counter;
}

/** The figures of this server count it from now on. */
export function joinServer({ hosts, admission }: Loop, connection: Connection, server: string): void {
  connection.server = server;
  connection.hostAt = hosts.offsetOf(server);
  hosts.values[connection.hostAt + HOST.ACCEPTED]++;
  hosts.values[connection.hostAt + HOST.OPEN]++;
  enterServer(admission, connection);
}

/** Its server's figures no longer count it. */
export function leaveServer(loop: Loop, connection: Connection): void {
  if (connection.hostAt < 0) return;
  endDialling(loop, connection);
  exitServer(loop.admission, connection);
  loop.hosts.values[connection.hostAt + HOST.OPEN]--;
  connection.hostAt = -1;
}

/** Reports that the server of the connection has answered. */
export function reportOpened({ events, nowMs }: Loop, connection: Connection): void {
  connection.opened = true;
  connection.connectMs = (nowMs - connection.acceptedMs) | 0;
  if (connection.isProbe) return;
  events.record(TcpEvent.opened, connection, nowMs);
}

/** Reports the end once per connection, to the events and to the access log: not again when lingering ends. */
function reportEnds(loop: Loop, connection: Connection): void {
  if (connection.phase === Phase.lingering || connection.isProbe) return;
  reportEnd(loop, connection);
  if (connection.exchange !== null || connection.accessLog !== AccessLevel.off)
    loop.access.endConnection(connection, loop.nowMs);
}

/** Reports to the events that the connection has ended, or that it goes on with another server. */
export function reportEnd({ events, nowMs }: Loop, connection: Connection): void {
  const kind = connection.opened ? TcpEvent.closed : TcpEvent.refused;
  // Bytes that were sent before the server was known have not been counted as passed.
  if (kind === TcpEvent.refused) connection.up.totalBytes = connection.openingBytes;
  events.record(kind, connection, nowMs);
}

/** Sends the answer and lingers, or resets. */
export function refuse(loop: Loop, connection: Connection, { counter, answer, reset }: Refusal): void {
  if (counter >= 0) countEnd(loop, connection, counter);
  if (reset) {
    connection.failed = true;
    return close(loop, connection);
  }
  // A fresh socket has room for the few bytes of an answer.
  if (answer !== null) write(connection.up.from, answer, answer.length);
  linger(loop, connection);
}

/** Counts the end and resets both sides. */
export function abort(loop: Loop, connection: Connection, counter: number): void {
  countEnd(loop, connection, counter);
  connection.failed = true;
  close(loop, connection);
}

const client = createClient();

/** Notes that the client of this connection was refused at a limit. */
export function noteRefusedConnection(loop: Loop, connection: Connection, counter: number): void {
  const { admission, holders } = loop;
  if (!holdsSlot(admission, connection)) return;
  readOwner(admission.memory.all, connection.slot, client);
  noteRefused(holders, client, counter);
}

/** Notes whose slot was taken away for another client, and closes the connection if it is one of this worker. */
export function closeDisplaced(loop: Loop): void {
  const { admission, holders, index } = loop;
  if (admission.hasLoser) {
    admission.hasLoser = false;
    noteRefused(holders, admission.loser, index.displaced);
  }
  const { displaced } = admission;
  if (displaced === undefined) return;
  admission.displaced = undefined;
  abort(loop, displaced, index.displaced);
}

/** Closes a connection whose directions have both ended. */
export function finished(loop: Loop, connection: Connection): void {
  const { index } = loop;
  countEnd(loop, connection, connection.failed ? index['closed-reset'] : index.closed);
  close(loop, connection);
}

/** Closes the server's side. The client's side lingers, so that no reset destroys what was sent to it. */
export function linger(loop: Loop, connection: Connection): void {
  const { up, down } = connection;
  reportEnds(loop, connection);
  leaveOpening(loop, connection);
  leaveServer(loop, connection);
  connection.phase = Phase.lingering;
  connection.sinceMs = connection.progressMs = loop.nowMs;
  connection.openingBytes = connection.unsentBytes = 0;
  releaseBoth(loop, connection);
  up.finished = down.finished = true;
  if (down.from >= 0) {
    closeSocket(loop, down.from, connection.failed && !down.dead);
    down.from = up.to = -1;
  }
  connection.failed = false;
  shutdown(up.from, SHUT_WR);
  discardLate(loop, connection);
}

/** Reads and discards what a lingering client has sent; closes when it has ended. */
export function discardLate(loop: Loop, connection: Connection): void {
  const { values, index, scratchAt } = loop;
  for (let left = loop.shareBytes; ; left -= CHUNK_BYTES) {
    if (left <= 0) return queue(loop, connection.up);
    const taken = recvAt(connection.up.from, scratchAt, CHUNK_BYTES, MSG_DONTWAIT);
    if (taken < 0 && errno() === E.EAGAIN) return;
    if (taken > 0) {
      values[index['bytes-discarded']] += taken;
      connection.openingBytes += taken;
      connection.sinceMs = loop.nowMs;
      if (connection.openingBytes < LINGER_BYTES) continue;
    }
    return close(loop, connection);
  }
}

/** Closes both sockets: normally, or with resets if one side was reset. The caller does the counting. */
export function close(loop: Loop, connection: Connection): void {
  if (connection.phase === Phase.closed) return;
  const { up, down, failed } = connection;
  reportEnds(loop, connection);
  leaveOpening(loop, connection);
  leaveServer(loop, connection);
  connection.phase = Phase.closed;
  up.finished = down.finished = true;
  releaseBoth(loop, connection);
  closeSocket(loop, up.from, failed && !up.dead);
  if (down.from >= 0) closeSocket(loop, down.from, failed && !down.dead);
  loop.open--;
  leave(loop.admission, connection);
}

function releaseBoth(loop: Loop, { up, down }: Connection): void {
  release(loop, up);
  release(loop, down);
}

/** At the end of the turn. */
export function closeSocket({ halves, closer, nowMs }: Loop, fd: number, withReset: boolean): void {
  halves[fd] = undefined;
  if (withReset) closer.reset(fd, nowMs);
  else closer.close(fd);
}
