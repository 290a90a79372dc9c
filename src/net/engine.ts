/**
 * The TCP engine: one edge-triggered epoll loop that accepts, asks the listener's gate which server the first bytes
 * lead to, dials it and relays. One turn: wait, handle the batch, go on with halves that used up their share, look
 * at deadlines, close.
 *
 * Every event is a hint: handlers read or write until EAGAIN and never trust the mask alone.
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
  SHUT_WR,
  errno,
  pinned,
  read,
  shutdown,
  write,
} from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import { Acceptor } from './acceptor.ts';
import { Closer, RESET_POLL_MS } from './closing.ts';
import { type Connection, type Half, Phase, createConnection, oppositeOf } from './connection.ts';
import type { TcpCounters, TcpGauges } from './counters.ts';
import { dial, dialFailureOf, socketError } from './dial.ts';
import { Epoll } from './epoll.ts';
import { CLOSE, type Gate, type Refusal, type Route, type DialFailure, type Verdict } from './gate.ts';
import { PipePool } from './pipe-pool.ts';
import { CHUNK_BYTES, createRelay } from './relay.ts';

const EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
/** After these a short read does not tell that the queue is empty. */
const EXHAUSTIVE = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
const READABLE = EPOLLIN | EXHAUSTIVE;
/** How long, and how much, a refused client may still send before the socket is closed on it (RFC 9112 section 9.6). */
const LINGER_MS = 2000;
const LINGER_BYTES = 256 * 1024;
/** What all clients together may have sent before their servers are known. */
const OPENINGS_LIMIT_BYTES = 32 * 1024 * 1024;
/** An opening of this size is always heard out, whatever others do: a usual ClientHello has 0.5 to 2 KB. */
const SMALL_OPENING_BYTES = 4096;

export interface EngineLimits {
  /** For the client's first bytes; then, anew, for the server to accept. */
  readonly handshakeTimeoutMs: number;
  /** 0: connections may be silent for ever. */
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
}

export interface EngineOptions {
  readonly ledger: FdLedger;
  readonly counters: TcpCounters;
  readonly gauges: TcpGauges;
  /** Probe silent servers; for clients the listening socket decides. */
  readonly keepalive: boolean;
  readonly wakeFd: number;
  readonly onBrokenListener: (fd: number, code: number) => void;
}

export interface TcpEngine {
  /** Replaces limits and listening sockets (fd -> gate); connections go on, with the gate they came through. */
  configure(limits: EngineLimits, gates: Map<number, Gate>): void;
  /** One turn of the loop, waiting at most `maxWaitMs`; true when `wakeFd` is readable. */
  turn(maxWaitMs: number): boolean;
}

const FAILURE_COUNTERS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  timeout: 'server-timeout',
  'no-socket': 'server-no-socket',
} as const;

export function createTcpEngine(options: EngineOptions): TcpEngine {
  const { ledger, counters, gauges, keepalive, wakeFd } = options;
  const { values, index } = counters;
  const epoll = new Epoll(ledger);
  const closer = new Closer(ledger);
  const pipes = new PipePool(ledger);
  const scratch = pinned(CHUNK_BYTES);
  /** By descriptor: the half that reads from it. */
  const halves: (Half | undefined)[] = [];
  let queued: Half[] = [];
  let limits: EngineLimits = { handshakeTimeoutMs: 10_000, idleTimeoutMs: 0, maxConnections: 0 };
  let nowMs = performance.now() | 0;
  let scannedMs = nowMs;
  let connections = 0;
  let openings = 0;
  let openingsBytes = 0;

  const queue = (half: Half) => {
    if (half.queued) return;
    half.queued = true;
    queued.push(half);
  };
  const relay = createRelay({ counters, pipes, scratch, onFinished, onAnswerEnded, queue });
  const acceptor = new Acceptor({
    epoll,
    ledger,
    counters,
    hasRoom: () => connections < limits.maxConnections,
    onAccepted,
    onBroken: options.onBrokenListener,
  });
  epoll.add(wakeFd, EPOLLIN);

  function onAccepted(fd: number, gate: Gate): void {
    const connection = createConnection(gate, fd, nowMs);
    connections++;
    openings++;
    halves[fd] = connection.up;
    if (gate.route === null) {
      readOpening(connection); // often there already
      if (connection.phase === Phase.closed) return;
    }
    if (!epoll.add(fd, EDGES)) close(connection);
    else if (gate.route !== null) startDial(connection, gate.route);
  }

  // Opening: the client's first bytes.

  function readOpening(connection: Connection): void {
    const { up } = connection;
    for (;;) {
      const taken = read(up.from, scratch, CHUNK_BYTES);
      if (taken > 0) {
        connection.openingBytes += taken;
        openingsBytes += taken;
        // A full read, or an edge that told of more than bytes, leaves something in the queue.
        up.readable = up.exhaustive || taken === CHUNK_BYTES;
        judge(connection, examine(connection, scratch.subarray(0, taken)));
        if (connection.phase !== Phase.opening || !up.readable) return;
      } else if (taken < 0 && errno() === E.EAGAIN) {
        up.readable = false;
        return;
      } else {
        values[index['closed-early']]++;
        close(connection);
        return;
      }
    }
  }

  function examine(connection: Connection, chunk: Uint8Array): Verdict {
    if (openingsBytes > OPENINGS_LIMIT_BYTES && connection.openingBytes > SMALL_OPENING_BYTES) {
      return { kind: 'refuse', refusal: { ...CLOSE, counter: index['refused-memory'] } };
    }
    connection.examiner ??= connection.gate.begin!();
    return connection.examiner.push(chunk, connection.up.from);
  }

  function judge(connection: Connection, verdict: Verdict): void {
    if (verdict.kind === 'route') {
      values[verdict.counter]++;
      startDial(connection, verdict.route);
    } else if (verdict.kind === 'refuse') {
      refuse(connection, verdict.refusal);
    }
  }

  function leaveOpening(connection: Connection): void {
    if (connection.phase > Phase.dialing) return;
    openings--;
    openingsBytes -= connection.openingBytes;
    connection.openingBytes = 0;
    connection.examiner = null;
    connection.route = null;
  }

  // Dialling.

  function startDial(connection: Connection, route: Route): void {
    connection.phase = Phase.dialing;
    connection.sinceMs = nowMs;
    connection.route = route;
    connection.examiner = null;
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
    leaveOpening(connection);
    connection.phase = Phase.relaying;
    connection.sinceMs = nowMs;
    connection.oneExchange = route.oneExchange;
    if (route.oneExchange) connection.route = route;
    up.held = route.preamble;
    up.remainingBytes = route.uploadBytes;
    up.writable = true;
    run(up);
    if (connection.phase === Phase.relaying && (events & READABLE) !== 0) onRelayEvents(down, events);
  }

  /** The client's events while its server is dialled: only its death matters, the rest waits. */
  function onClientEvents(connection: Connection, events: number): void {
    const { up } = connection;
    if ((events & EXHAUSTIVE) !== 0) up.exhaustive = true;
    if ((events & READABLE) !== 0) up.readable = true;
    if ((events & (EPOLLERR | EPOLLHUP)) === 0) return;
    values[index['closed-early']]++;
    connection.failed = true;
    close(connection);
  }

  function serverFailed(connection: Connection, failure: DialFailure): void {
    values[index[FAILURE_COUNTERS[failure]]]++;
    refuse(connection, connection.gate.serverFailed(connection.route!, failure));
  }

  // Relaying.

  function run(half: Half): void {
    if (relay.pump(half, nowMs)) queue(half);
  }

  function onRelayEvents(half: Half, events: number): void {
    const { connection } = half;
    const opposite = oppositeOf(half);
    if ((events & EXHAUSTIVE) !== 0) {
      half.exhaustive = true;
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

  function onFinished(connection: Connection): void {
    values[index[connection.failed ? 'closed-reset' : 'closed']]++;
    close(connection);
  }

  function onAnswerEnded(connection: Connection): boolean {
    if (connection.down.movedBytes === 0) {
      refuse(connection, connection.gate.serverFailed(connection.route!, 'no-answer'));
      return true;
    }
    if (connection.failed) return false;
    values[index.closed]++;
    linger(connection);
    return true;
  }

  // The end.

  function refuse(connection: Connection, { counter, answer, reset }: Refusal): void {
    if (counter >= 0) values[counter]++;
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
    leaveOpening(connection);
    connection.phase = Phase.lingering;
    connection.sinceMs = nowMs;
    connection.openingBytes = 0;
    release(connection);
    up.finished = down.finished = true;
    if (down.from >= 0) {
      halves[down.from] = undefined;
      if (connection.failed) closer.reset(down.from, nowMs);
      else closer.close(down.from);
      down.from = up.to = -1;
    }
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
      connection.failed = false;
      return close(connection);
    }
  }

  function release({ up, down }: Connection): void {
    relay.release(up);
    relay.release(down);
  }

  /** Closes both sockets: in order, or with resets when one side was reset. Counting is the caller's. */
  function close(connection: Connection): void {
    if (connection.phase === Phase.closed) return;
    leaveOpening(connection);
    connection.phase = Phase.closed;
    connection.up.finished = connection.down.finished = true;
    release(connection);
    for (const fd of [connection.up.from, connection.down.from]) {
      if (fd < 0) continue;
      halves[fd] = undefined;
      if (connection.failed) closer.reset(fd, nowMs);
      else closer.close(fd);
    }
    connections--;
  }

  // Time.

  /** How often deadlines are looked at: often enough for the shortest. */
  const scanPeriodMs = () => Math.max(25, Math.min(1000, limits.handshakeTimeoutMs / 4));

  function scan(): void {
    scannedMs = nowMs;
    for (const half of halves) {
      if (half === undefined || half !== half.connection.up) continue;
      const { connection } = half;
      const elapsedMs = (nowMs - connection.sinceMs) | 0;
      switch (connection.phase) {
        case Phase.opening:
          if (elapsedMs < limits.handshakeTimeoutMs) break;
          values[index['refused-timeout']]++;
          refuse(connection, connection.examiner?.timedOut() ?? CLOSE);
          break;
        case Phase.dialing:
          if (elapsedMs >= limits.handshakeTimeoutMs) serverFailed(connection, 'timeout');
          break;
        case Phase.relaying:
          if (limits.idleTimeoutMs === 0 || elapsedMs < limits.idleTimeoutMs) break;
          values[index['closed-idle']]++;
          close(connection);
          break;
        case Phase.lingering:
          if (elapsedMs >= LINGER_MS) close(connection);
          break;
        default:
      }
    }
  }

  function dispatch(half: Half, events: number): void {
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
        return discardLate(connection);
      default:
    }
  }

  function turn(maxWaitMs: number): boolean {
    let waitMs = maxWaitMs;
    if (queued.length > 0) waitMs = 0;
    else if (closer.waiting) waitMs = RESET_POLL_MS;
    else if (connections > 0 || acceptor.paused)
      waitMs = Math.min(waitMs, scanPeriodMs(), acceptor.paused ? 100 : waitMs);
    const count = epoll.wait(waitMs);
    nowMs = performance.now() | 0;
    let woken = false;
    for (let position = 0; position < count; position++) {
      const fd = epoll.fdAt(position);
      const half = halves[fd];
      if (half !== undefined) dispatch(half, epoll.eventsAt(position));
      else if (fd === wakeFd) woken = true;
      else acceptor.accept(fd, nowMs);
    }
    if (queued.length > 0) {
      const waiting = queued;
      queued = [];
      for (const half of waiting) {
        half.queued = false;
        if (half.connection.phase === Phase.relaying) run(half);
      }
    }
    if (((nowMs - scannedMs) | 0) >= scanPeriodMs()) scan();
    closer.turn(nowMs);
    acceptor.resume(nowMs);
    gauges.values[gauges.index.connections] = connections;
    gauges.values[gauges.index.openings] = openings;
    gauges.values[gauges.index.pipes] = pipes.existing;
    return woken;
  }

  return {
    configure(newLimits, gates) {
      limits = newLimits;
      acceptor.setListeners(gates);
    },
    turn,
  };
}
