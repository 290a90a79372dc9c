/**
 * The phase in which bytes pass in both directions: what an event of a socket means for them. Events come once per change
 * (EPOLLET): the state is kept in the half until a read or a write finds that nothing more can be done (relay.ts).
 */
import { EPOLLERR, EPOLLOUT, EPOLLPRI } from '../os/libc.ts';
import { type Connection, type Half, Phase, oppositeOf } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { abort, discardLate, leaveOpening, reportOpened } from './ending.ts';
import { hold } from './holding.ts';
import { HOST } from './host-slots.ts';
import { type Loop, READABLE, noteEvents, queue } from './loop.ts';
import { abandon, pump } from './relay.ts';
import { endDialling } from './server-shares.ts';

/** The server has accepted: the preamble is sent first. `events`: the events of its socket. */
export function startRelaying(loop: Loop, connection: Connection, events: number): void {
  const { up, down, openingBytes } = connection;
  const { preamble } = connection.route!;
  loop.values[loop.index['bytes-up']] += openingBytes;
  loop.hosts.values[connection.hostAt + HOST.UP] += openingBytes;
  up.totalBytes = openingBytes;
  leaveOpening(loop, connection);
  endDialling(loop, connection);
  connection.phase = Phase.relaying;
  connection.sinceMs = loop.nowMs;
  reportOpened(loop, connection);
  hold(loop, up, preamble);
  up.writable = true;
  run(loop, up);
  if (connection.phase === Phase.relaying && (events & READABLE) !== 0) onRelayEvents(loop, down, events);
}

export function onRelayEvents(loop: Loop, half: Half, events: number): void {
  const { connection } = half;
  const opposite = oppositeOf(half);
  if (noteEvents(half, events)) {
    if ((events & EPOLLPRI) !== 0) half.movedBytes = 1; // back to copying: splice stops at urgent data, read skips it
    if ((events & EPOLLERR) !== 0) abandon(loop, opposite);
    if (connection.phase !== Phase.relaying) return;
  }
  if ((events & EPOLLOUT) !== 0 && !opposite.writable) {
    opposite.writable = true;
    run(loop, opposite);
    if (connection.phase !== Phase.relaying) return;
  }
  if ((events & READABLE) !== 0) {
    half.readable = true;
    run(loop, half);
  }
}

/** Continues the halves that have used up their share of the previous turn. */
export function runQueued(loop: Loop): void {
  const waiting = loop.queued;
  loop.queued = [];
  for (const half of waiting) {
    half.queued = false;
    const { connection } = half;
    if (connection.phase === Phase.relaying) run(loop, half);
    else if (connection.phase === Phase.conversing) conversationOf(connection).resume(loop, connection);
    else if (connection.phase === Phase.lingering) discardLate(loop, connection);
  }
}

/**
 * The client has closed, or was reset, before its server's answer decided what may pass. Its data is not read meanwhile, so there
 * is no reason to close the connection normally: both sides are reset.
 */
export function clientGone(loop: Loop, connection: Connection): void {
  abort(loop, connection, loop.index['closed-early']);
}

function run(loop: Loop, half: Half): void {
  if (pump(loop, half)) queue(loop, half);
}
