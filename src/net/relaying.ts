/**
 * The phase in which bytes pass both ways: what an event of a socket says of its two directions. Events come once for each change
 * (EPOLLET): what one tells of a half is kept in it until a read or a write finds that nothing more is there (relay.ts).
 */
import { EPOLLERR, EPOLLOUT, EPOLLPRI } from '../os/libc.ts';
import { type Connection, type Half, Phase, oppositeOf } from './connection.ts';
import { abort, leaveOpening } from './ending.ts';
import { TcpEvent } from './events.ts';
import { hold } from './holding.ts';
import { HOST } from './host-slots.ts';
import { EXHAUSTIVE, type Loop, READABLE, queue } from './loop.ts';
import { abandon, pump } from './relay.ts';

/** The server has accepted: its preamble goes first. `events`: what its socket had to say. */
export function startRelaying(loop: Loop, connection: Connection, events: number): void {
  const { up, down, openingBytes } = connection;
  const route = connection.route!;
  loop.values[loop.index['bytes-up']] += openingBytes;
  loop.hosts.values[connection.hostAt + HOST.UP] += openingBytes;
  up.totalBytes = openingBytes;
  leaveOpening(loop, connection);
  connection.phase = Phase.relaying;
  connection.sinceMs = loop.nowMs;
  connection.oneExchange = route.oneExchange;
  loop.events.record(TcpEvent.opened, connection, loop.nowMs);
  if (route.oneExchange) connection.route = route;
  hold(loop, up, route.preamble);
  up.remainingBytes = route.uploadBytes;
  connection.upload = route.upload ?? null;
  connection.answer = route.answer ?? null;
  up.waiting = connection.answer !== null;
  if (up.waiting && up.exhaustive) return clientGone(loop, connection);
  up.writable = true;
  run(loop, up);
  if (connection.phase === Phase.relaying && (events & READABLE) !== 0) onRelayEvents(loop, down, events);
}

export function onRelayEvents(loop: Loop, half: Half, events: number): void {
  const { connection } = half;
  const opposite = oppositeOf(half);
  if ((events & EXHAUSTIVE) !== 0) {
    half.exhaustive = true;
    if (half.waiting) return clientGone(loop, connection);
    if ((events & EPOLLPRI) !== 0) half.movedBytes = 1; // splice stops at urgent data, read skips it
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

/** Goes on with the halves that used up their share of the turn before. */
export function runQueued(loop: Loop): void {
  const waiting = loop.queued;
  loop.queued = [];
  for (const half of waiting) {
    half.queued = false;
    if (half.connection.phase === Phase.relaying) run(loop, half);
  }
}

/**
 * The client has ended, or was reset, before its server's answer decided what may pass. It is not read meanwhile, so there is
 * nothing that it could still be waiting for in order.
 */
export function clientGone(loop: Loop, connection: Connection): void {
  abort(loop, connection, loop.index['closed-early']);
}

function run(loop: Loop, half: Half): void {
  if (pump(loop, half)) queue(loop, half);
}
