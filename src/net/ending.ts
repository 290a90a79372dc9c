/** How connections end: refused, lingering, closed in order or by resets. */
import { E, SHUT_WR, errno, read, shutdown, write } from '../os/libc.ts';
import { type Admission, leave, leaveOpenings } from './admission.ts';
import type { Closer } from './closing.ts';
import { type Connection, type Half, Phase } from './connection.ts';
import type { TcpCounters } from './counters.ts';
import { TcpEvent, type TcpEvents } from './events.ts';
import type { Refusal } from './gate.ts';
import { HOST, type HostCounters } from './host-slots.ts';
import { CHUNK_BYTES, type Relay } from './relay.ts';

/** How long, and how much, a refused client may still send before the socket is closed on it (RFC 9112 section 9.6). */
export const LINGER_MS = 2000;
const LINGER_BYTES = 256 * 1024;

/** What the connections of one loop have in common. */
export interface Registry {
  /** By descriptor: the half that reads from it. */
  readonly halves: (Half | undefined)[];
  readonly admission: Admission;
  /** Connections open, those whose server is not reached yet, and what these have sent. */
  open: number;
  openings: number;
  openingsBytes: number;
  /** The loop's clock: milliseconds that wrap at 2^31. */
  nowMs: number;
}

export interface EndingOptions {
  readonly registry: Registry;
  readonly closer: Closer;
  readonly counters: TcpCounters;
  readonly hosts: HostCounters;
  readonly events: TcpEvents;
  readonly scratch: Uint8Array;
  /** Gives back what a half holds. */
  readonly release: Relay['release'];
}

export interface Ending {
  /** Answers and lingers, or resets. */
  refuse(connection: Connection, refusal: Refusal): void;
  /** Ends the server's side; the client's lingers, so that what was sent to it is not destroyed by a reset. */
  linger(connection: Connection): void;
  /** A lingering client has sent something, or ended. */
  discardLate(connection: Connection): void;
  /** Counts the end of a connection that is about to be refused, to linger or to be closed. */
  countEnd(connection: Connection, counter: number): void;
  /** Closes both sockets: in order, or with resets when one side was reset. Counting is the caller's. */
  close(connection: Connection): void;
  /** The server is known and reached, or never will be. */
  leaveOpening(connection: Connection): void;
}

export function createEnding({
  registry,
  closer,
  counters,
  hosts,
  events,
  scratch,
  release,
}: EndingOptions): Ending {
  const { values, index } = counters;

  function leaveOpening(connection: Connection): void {
    if (connection.phase > Phase.dialing) return;
    registry.openings--;
    leaveOpenings(registry.admission, connection);
    registry.openingsBytes -= connection.openingBytes;
    connection.openingBytes = 0;
    connection.examiner = null;
    connection.route = null;
  }

  function countEnd(connection: Connection, counter: number): void {
    values[counter]++;
    connection.reason = counter;
  }

  function leaveServer(connection: Connection): void {
    if (connection.hostAt < 0) return;
    hosts.values[connection.hostAt + HOST.OPEN]--;
    connection.hostAt = -1;
  }

  /** Once for each connection: what follows lingering is not its business any more. */
  function reportEnd(connection: Connection): void {
    if (connection.phase === Phase.lingering) return;
    const kind = connection.phase === Phase.relaying ? TcpEvent.closed : TcpEvent.refused;
    // What was sent before the server was known has not been counted as passed.
    if (kind === TcpEvent.refused) connection.up.totalBytes = connection.openingBytes;
    events.record(kind, connection, registry.nowMs);
  }

  function refuse(connection: Connection, { counter, answer, reset }: Refusal): void {
    if (counter >= 0) countEnd(connection, counter);
    if (reset) {
      connection.failed = true;
      return close(connection);
    }
    // A fresh socket has room for the few bytes of an answer.
    if (answer !== null) write(connection.up.from, answer, answer.length);
    linger(connection);
  }

  function linger(connection: Connection): void {
    const { up, down } = connection;
    reportEnd(connection);
    leaveOpening(connection);
    leaveServer(connection);
    connection.phase = Phase.lingering;
    connection.sinceMs = registry.nowMs;
    connection.openingBytes = 0;
    releaseBoth(connection);
    up.finished = down.finished = true;
    if (down.from >= 0) {
      registry.halves[down.from] = undefined;
      if (connection.failed) closer.reset(down.from, registry.nowMs);
      else closer.close(down.from);
      down.from = up.to = -1;
    }
    connection.failed = false;
    shutdown(up.from, SHUT_WR);
    discardLate(connection);
  }

  function discardLate(connection: Connection): void {
    for (;;) {
      const taken = read(connection.up.from, scratch, CHUNK_BYTES);
      if (taken < 0 && errno() === E.EAGAIN) return;
      if (taken > 0) {
        values[index['bytes-discarded']] += taken;
        connection.openingBytes += taken;
        if (connection.openingBytes < LINGER_BYTES) continue;
      }
      return close(connection);
    }
  }

  function releaseBoth({ up, down }: Connection): void {
    release(up);
    release(down);
  }

  function close(connection: Connection): void {
    if (connection.phase === Phase.closed) return;
    reportEnd(connection);
    leaveOpening(connection);
    leaveServer(connection);
    connection.phase = Phase.closed;
    connection.up.finished = connection.down.finished = true;
    releaseBoth(connection);
    for (const fd of [connection.up.from, connection.down.from]) {
      if (fd < 0) continue;
      registry.halves[fd] = undefined;
      if (connection.failed) closer.reset(fd, registry.nowMs);
      else closer.close(fd);
    }
    registry.open--;
    leave(registry.admission, connection);
  }

  return { refuse, linger, discardLate, close, leaveOpening, countEnd };
}
