/**
 * The life of a connection: opening (its gate judges the client's first bytes), dialling, relaying, and the end it
 * takes. Events come once for each change (EPOLLET): what one tells of a half is kept in it until a read or a write finds that
 * nothing more is there (EAGAIN, or a short read unless a flag of EXHAUSTIVE has come).
 */

import {
  E,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  errno,
  pinned,
  read,
} from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import { connectionInTheWay, createAdmission, enter, mayAccept, openingInTheWay } from './admission.ts';
import { type Ourselves, isOwnSocketAddress } from '../os/ourselves.ts';
import type { Closer } from './closing.ts';
import { type Connection, type Half, Phase, createConnection, oppositeOf } from './connection.ts';
import type { TcpCounters } from './counters.ts';
import { dial, dialFailureOf, socketError } from './dial.ts';
import { LINGER_MS, type Registry, createEnding } from './ending.ts';
import type { Epoll } from './epoll.ts';
import { TcpEvent, type TcpEvents } from './events.ts';
import { type AnswerVerdict, CLOSE, type DialFailure, type Gate, type Route, type Verdict } from './gate.ts';
import { HOST, type HostCounters } from './host-slots.ts';
import { askWhetherGone } from './keepalive.ts';
import type { PipePool } from './pipe-pool.ts';
import { CHUNK_BYTES, createRelay } from './relay.ts';
import type { Client } from './client.ts';

const EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
/** After these a short read does not tell that the queue is empty. */
const EXHAUSTIVE = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
const READABLE = EPOLLIN | EXHAUSTIVE;

/** Half closed and silent for so long: nobody waits any more, it may be. */
const HALF_CLOSED_MS = 10_000;

/** Before the first configuration, when there is no listener either. */
const NOT_TOLD: Ourselves = { own: [], rows: new Int32Array() };

const FAILURE_COUNTERS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  timeout: 'server-timeout',
  'no-socket': 'server-no-socket',
  ourselves: 'server-ourselves',
} as const;

export interface ConnectionsOptions {
  readonly epoll: Epoll;
  readonly ledger: FdLedger;
  readonly closer: Closer;
  readonly pipes: PipePool;
  readonly counters: TcpCounters;
  readonly hosts: HostCounters;
  readonly events: TcpEvents;
  /** Probe silent servers. */
  readonly keepalive: boolean;
  readonly maxConnections: number;
  /** A random number. */
  readonly seed: number;
}

/** Deadlines, in force for old connections too. */
export interface ConnectionTimeouts {
  /** For the client's first bytes; then, anew, for the server to accept. */
  readonly handshakeTimeoutMs: number;
  /** 0: connections may be silent for ever. */
  readonly idleTimeoutMs: number;
}

export interface Connections {
  /** Connections now open, and those of them whose server is not reached yet. */
  readonly open: number;
  readonly openings: number;
  /** What openings hold beyond a unit each (admission.ts). */
  readonly longOpenings: number;
  /** Some half has more to do at once: call `runQueued()` without waiting. */
  readonly busy: boolean;
  /** The time that handlers go by: milliseconds that wrap at 2^31. */
  setNow(nowMs: number): void;
  /** False when accepting has to wait for connections to end. */
  readonly hasRoom: boolean;
  /** No server is dialled at these addresses from now on. */
  setOurselves(ourselves: Ourselves): void;
  accept(clientFd: number, gate: Gate, client: Client): void;
  /** False when the descriptor is of no connection. */
  dispatch(fd: number, events: number): boolean;
  runQueued(): void;
  /** Ends what is overdue. */
  scan(timeouts: ConnectionTimeouts): void;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { epoll, ledger, closer, pipes, counters, hosts, keepalive } = options;
  const { values, index } = counters;
  const scratch = pinned(CHUNK_BYTES);
  const halves: (Half | undefined)[] = [];
  const admission = createAdmission(options.maxConnections, options.seed);
  const registry: Registry = { halves, admission, open: 0, openings: 0, openingsBytes: 0, nowMs: 0 };
  let queued: Half[] = [];
  let ourselves = NOT_TOLD;

  const queue = (half: Half) => {
    if (half.queued) return;
    half.queued = true;
    queued.push(half);
  };
  const relay = createRelay({
    counters,
    hosts,
    pipes,
    scratch,
    onFinished,
    onMalformedUpload,
    onAnswer,
    onAnswerEnded,
    queue,
  });
  const { release } = relay;
  const ending = createEnding({
    registry,
    closer,
    counters,
    hosts,
    events: options.events,
    scratch,
    release,
  });
  const { refuse, linger, close, leaveOpening, countEnd } = ending;

  function accept(fd: number, gate: Gate, client: Client): void {
    if (registry.open >= options.maxConnections && !makeRoom(client)) {
      values[index['refused-share']]++;
      closer.reset(fd, registry.nowMs);
      return;
    }
    const connection = createConnection(gate, fd, registry.nowMs);
    enter(admission, connection, client);
    registry.open++;
    registry.openings++;
    halves[fd] = connection.up;
    if (gate.route === null) {
      readOpening(connection); // often there already
      if (connection.phase === Phase.closed) return;
    }
    if (!epoll.add(fd, EDGES)) close(connection);
    else if (gate.route !== null) startDial(connection, gate.route);
  }

  /** Ends a connection of who has most, unless that is this client. */
  function makeRoom(client: Client): boolean {
    const connection = connectionInTheWay(admission, client, registry.nowMs);
    if (connection === undefined) return false;
    displace(connection, index.displaced);
    return true;
  }

  function displace(connection: Connection, counter: number): void {
    countEnd(connection, counter);
    connection.failed = true;
    close(connection);
  }

  // Opening: the client's first bytes.

  function readOpening(connection: Connection): void {
    const { up } = connection;
    for (;;) {
      const taken = read(up.from, scratch, CHUNK_BYTES);
      if (taken > 0) {
        connection.openingBytes += taken;
        registry.openingsBytes += taken;
        // A full read, or an edge that told of more than bytes, leaves something in the queue.
        up.readable = up.exhaustive || taken === CHUNK_BYTES;
        const chunk = scratch.subarray(0, taken);
        let inTheWay = openingInTheWay(admission, connection);
        while (inTheWay !== undefined) {
          displace(inTheWay, index['refused-memory']);
          if (inTheWay === connection) return;
          inTheWay = openingInTheWay(admission, connection);
        }
        connection.examiner ??= connection.gate.begin!();
        judge(connection, connection.examiner.push(chunk, up.from));
        if (connection.phase !== Phase.opening || !up.readable) return;
      } else if (taken < 0 && errno() === E.EAGAIN) {
        up.readable = false;
        return;
      } else {
        countEnd(connection, index['closed-early']);
        close(connection);
        return;
      }
    }
  }

  function judge(connection: Connection, verdict: Verdict): void {
    if (verdict.kind === 'route') {
      values[verdict.counter]++;
      connection.name = verdict.name;
      startDial(connection, verdict.route);
    } else if (verdict.kind === 'refuse') {
      connection.name = verdict.name ?? null;
      refuse(connection, verdict.refusal);
    }
  }

  // Dialling.

  function startDial(connection: Connection, route: Route): void {
    connection.phase = Phase.dialing;
    connection.sinceMs = registry.nowMs;
    connection.route = route;
    connection.server = route.server;
    connection.hostAt = hosts.offsetOf(route.server);
    hosts.values[connection.hostAt + HOST.ACCEPTED]++;
    hosts.values[connection.hostAt + HOST.OPEN]++;
    connection.examiner = null;
    // The admin page would take the client for us, and a listener of ours would dial us again, until no socket is left.
    if (isOwnSocketAddress(ourselves, route.serverAddress)) return serverFailed(connection, 'ourselves');
    const fd = dial(ledger, route.serverAddress, keepalive);
    if (fd < 0) return serverFailed(connection, dialFailureOf(-fd));
    const { up, down } = connection;
    up.to = down.from = fd;
    halves[fd] = down;
    if (!epoll.add(fd, EDGES)) serverFailed(connection, 'no-socket');
  }

  function onDialEvents(connection: Connection, events: number): void {
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      const code = socketError(connection.down.from);
      if (code !== 0) return serverFailed(connection, dialFailureOf(code));
    }
    if ((events & EPOLLOUT) === 0) return;
    const { up, down } = connection;
    const route = connection.route!;
    values[index['bytes-up']] += connection.openingBytes;
    hosts.values[connection.hostAt + HOST.UP] += connection.openingBytes;
    up.totalBytes = connection.openingBytes;
    leaveOpening(connection);
    connection.phase = Phase.relaying;
    connection.sinceMs = registry.nowMs;
    connection.oneExchange = route.oneExchange;
    options.events.record(TcpEvent.opened, connection, registry.nowMs);
    if (route.oneExchange) connection.route = route;
    relay.hold(up, route.preamble);
    up.remainingBytes = route.uploadBytes;
    connection.upload = route.upload ?? null;
    connection.answer = route.answer ?? null;
    up.waiting = connection.answer !== null;
    if (up.waiting && up.exhaustive) return clientGone(connection);
    up.writable = true;
    run(up);
    if (connection.phase === Phase.relaying && (events & READABLE) !== 0) onRelayEvents(down, events);
  }

  /** The client's events while its server is dialled: only its death matters, the rest waits. */
  function onClientEvents(connection: Connection, events: number): void {
    const { up } = connection;
    if ((events & EXHAUSTIVE) !== 0) up.exhaustive = true;
    if ((events & READABLE) !== 0) up.readable = true;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) clientGone(connection);
  }

  function serverFailed(connection: Connection, failure: DialFailure): void {
    countEnd(connection, index[FAILURE_COUNTERS[failure]]);
    refuse(connection, connection.gate.serverFailed(connection.route!, failure));
  }

  // Relaying.

  function run(half: Half): void {
    if (relay.pump(half, registry.nowMs)) queue(half);
  }

  function onRelayEvents(half: Half, events: number): void {
    const { connection } = half;
    const opposite = oppositeOf(half);
    if ((events & EXHAUSTIVE) !== 0) {
      half.exhaustive = true;
      if (half.waiting) return clientGone(connection);
      if ((events & EPOLLPRI) !== 0) half.movedBytes = 1; // splice stops at urgent data, read skips it
      if ((events & EPOLLERR) !== 0) relay.abandon(opposite);
      if (connection.phase !== Phase.relaying) return;
    }
    if ((events & EPOLLOUT) !== 0 && !opposite.writable) {
      opposite.writable = true;
      run(opposite);
      if (connection.phase !== Phase.relaying) return;
    }
    if ((events & READABLE) !== 0) {
      half.readable = true;
      run(half);
    }
  }

  /** Who waits for an answer to decide what may pass has nothing to end before: it is not read, so a FIN would go unseen. */
  function clientGone(connection: Connection): void {
    countEnd(connection, index['closed-early']);
    connection.failed = true;
    close(connection);
  }

  function onFinished(connection: Connection): void {
    countEnd(connection, index[connection.failed ? 'closed-reset' : 'closed']);
    close(connection);
  }

  /** The server has a part of the request, so only a reset tells it that the rest will not come. */
  function onMalformedUpload(connection: Connection): void {
    countEnd(connection, connection.upload!.malformedCounter);
    connection.failed = true;
    close(connection);
  }

  function onAnswer(connection: Connection, verdict: Exclude<AnswerVerdict, { kind: 'more' }>): void {
    const { up, down } = connection;
    connection.answer = null;
    if (verdict.kind === 'refuse') return refuse(connection, verdict.refusal);
    const { counter, bytes, isTunnel, remainingBytes } = verdict;
    if (counter >= 0) values[counter]++;
    relay.hold(down, bytes);
    down.remainingBytes = remainingBytes;
    if (isTunnel) {
      connection.oneExchange = false;
      relay.hold(up, connection.route?.tunnelled ?? null);
    }
    connection.route = null;
    up.remainingBytes = isTunnel ? -1 : 0;
    up.waiting = false;
    queue(up);
  }

  function onAnswerEnded(connection: Connection): boolean {
    if (connection.down.movedBytes === 0) {
      refuse(connection, connection.gate.serverFailed(connection.route!, 'no-answer'));
      return true;
    }
    if (connection.failed) return false;
    countEnd(connection, index.closed);
    linger(connection);
    return true;
  }

  // The loop's calls.

  function dispatch(fd: number, events: number): boolean {
    const half = halves[fd];
    if (half === undefined) return false;
    handle(half, events);
    return true;
  }

  function handle(half: Half, events: number): void {
    const { connection } = half;
    const isClient = half === connection.up;
    switch (connection.phase) {
      case Phase.relaying:
        return onRelayEvents(half, events);
      case Phase.opening:
        if ((events & EXHAUSTIVE) !== 0) half.exhaustive = true;
        if ((events & READABLE) !== 0) readOpening(connection);
        return;
      case Phase.dialing:
        return isClient ? onClientEvents(connection, events) : onDialEvents(connection, events);
      case Phase.lingering:
        return ending.discardLate(connection);
      default:
    }
  }

  function scan({ handshakeTimeoutMs, idleTimeoutMs }: ConnectionTimeouts): void {
    for (const half of halves) {
      if (half === undefined || half !== half.connection.up) continue;
      const { connection } = half;
      const elapsedMs = (registry.nowMs - connection.sinceMs) | 0;
      switch (connection.phase) {
        case Phase.opening:
          if (elapsedMs < handshakeTimeoutMs) break;
          countEnd(connection, index['refused-timeout']);
          refuse(connection, connection.examiner?.timedOut() ?? CLOSE);
          break;
        case Phase.dialing:
          if (elapsedMs >= handshakeTimeoutMs) serverFailed(connection, 'timeout');
          break;
        case Phase.relaying:
          if (elapsedMs >= HALF_CLOSED_MS && !connection.isAsked) askHalfClosed(connection);
          if (idleTimeoutMs === 0 || elapsedMs < idleTimeoutMs) break;
          countEnd(connection, index['closed-idle']);
          close(connection);
          break;
        case Phase.lingering:
          if (elapsedMs >= LINGER_MS) close(connection);
          break;
        default:
      }
    }
  }

  /**
   * A client that gave up, and a server that says nothing and never ends, are no reason to hold a connection for as long as two that are
   * only silent: a sick server would take all there are from the others.
   */
  function askHalfClosed(connection: Connection): void {
    for (const half of [connection.up, connection.down]) {
      // A FIN, whether or not it has been read yet.
      if (!half.exhaustive) continue;
      connection.isAsked = true;
      askWhetherGone(half.from);
    }
  }

  function runQueued(): void {
    const waiting = queued;
    queued = [];
    for (const half of waiting) {
      half.queued = false;
      if (half.connection.phase === Phase.relaying) run(half);
    }
  }

  return {
    get open() {
      return registry.open;
    },
    get openings() {
      return registry.openings;
    },
    get longOpenings() {
      return admission.openings.usedUnits - admission.openings.usedSlots;
    },
    get busy() {
      return queued.length > 0;
    },
    get hasRoom() {
      return mayAccept(admission);
    },
    setNow: (nowMs) => void (registry.nowMs = nowMs),
    setOurselves: (next) => void (ourselves = next),
    accept,
    dispatch,
    runQueued,
    scan,
  };
}
