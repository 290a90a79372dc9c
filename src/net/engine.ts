/**
 * The TCP engine: one epoll loop that accepts connections, asks the gate of the listener which server the first bytes belong
 * to, dials it and relays. One turn: wait, handle the batch of events, continue halves that have used up their share, check
 * timeouts, close.
 */

import { EPOLLIN } from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import { monotonicMs } from '../os/monotonic.ts';
import type { Ourselves } from '../os/ourselves.ts';
import { randomWord } from '../os/random.ts';
import { PAUSE_MS, createAcceptor } from './acceptor.ts';
import { mayAccept } from './admission.ts';
import { admit } from './admit.ts';
import { type Closer, RESET_POLL_MS, createCloser } from './closing.ts';
import type { Connection } from './connection.ts';
import { dispatch, drainConversations } from './connections.ts';
import type { TcpCounters, TcpGauges } from './counters.ts';
import { scanDeadlines } from './deadlines.ts';
import { giveUpSlow, giveUpSource } from './dialling.ts';
import type { ConnectionTimeouts } from './timeouts.ts';
import { createEpoll } from './epoll.ts';
import type { TcpEvents } from './events.ts';
import type { Awaited, Gate } from './gate.ts';
import type { HostCounters } from './host-slots.ts';
import { createLoop } from './loop.ts';
import { createPipePool } from './pipe-pool.ts';
import { runQueued } from './relaying.ts';
import { resumeWaiting } from './waiting.ts';
import { lookAtWaysBack, waysBackWaitMs } from './way-back.ts';

export interface EngineOptions {
  readonly ledger: FdLedger;
  readonly counters: TcpCounters;
  readonly gauges: TcpGauges;
  readonly hosts: HostCounters;
  readonly events: TcpEvents;
  /** Probe silent servers. For clients, the listening socket decides. */
  readonly keepalive: boolean;
  readonly maxConnections: number;
  readonly wakeFd: number;
  readonly onBrokenListener: (fd: number, code: number) => void;
}

export interface TcpEngine {
  /**
   * Replaces the limits, the listening sockets (fd -> gate), and the addresses that must not be dialled. Connections continue with
   * the gate that they came through.
   */
  configure(limits: ConnectionTimeouts, gates: Map<number, Gate>, ourselves: Ourselves): void;
  /** The process is about to end: conversations end after what they are doing now. */
  drain(): void;
  /** What connections waited for is known. Call it between two turns. */
  resume(awaited: Awaited): void;
  /** In the last turn there was nothing to do, no connection is open, and no client waits to be accepted. */
  readonly isIdle: boolean;
  /** The number of sockets that wait for their reset, and how many polls they have needed. */
  readonly closer: Pick<Closer, 'waiting' | 'looks'>;
  /** One turn of the loop. Waits at most `maxWaitMs`; true if `wakeFd` is readable. */
  turn(maxWaitMs: number): boolean;
}

/** The longest and, below, the shortest time between two checks of the timeouts. */
const SCAN_MS = 1000;
const QUICK_SCAN_MS = 25;
/** How exact the time of an event is. */
const TICK_MS = 10;
/** How often attempts to reach one of several addresses are looked at. */
const ATTEMPT_SCAN_MS = 50;

export function createTcpEngine(options: EngineOptions): TcpEngine {
  const { ledger, counters, gauges, hosts, events, keepalive, maxConnections, wakeFd } = options;
  const epoll = createEpoll(ledger);
  const closer = createCloser(ledger);
  const pipes = createPipePool(ledger);
  const seed = randomWord();
  const loop = createLoop({
    epoll,
    ledger,
    closer,
    pipes,
    counters,
    hosts,
    events,
    keepalive,
    maxConnections,
    seed,
  });
  const { admission } = loop;
  let limits: ConnectionTimeouts = { handshakeTimeoutMs: SCAN_MS, idleTimeoutMs: 0 };
  let isIdle = false;
  let scannedMs = monotonicMs();
  let tickedMs = scannedMs - TICK_MS;
  const acceptor = createAcceptor({
    epoll,
    ledger,
    counters,
    events,
    hasRoom: () => mayAccept(admission),
    onAccepted: (fd, gate, client) => admit(loop, fd, gate, client),
    onBroken: options.onBrokenListener,
  });
  epoll.add(wakeFd, EPOLLIN);

  const withoutSource = (connection: Connection) => giveUpSource(loop, connection);

  /** Short enough for the shortest timeout. */
  const scanPeriodMs = () => Math.max(QUICK_SCAN_MS, Math.min(SCAN_MS, limits.handshakeTimeoutMs / 4));

  function waitMs(maxWaitMs: number): number {
    if (loop.queued.length > 0) return 0;
    if (closer.waiting > 0) return RESET_POLL_MS;
    if (loop.attempts.length > 0) return ATTEMPT_SCAN_MS;
    if (acceptor.paused) return PAUSE_MS;
    const waitMs = Math.min(maxWaitMs, waysBackWaitMs(loop.waysBack));
    return loop.open > 0 ? Math.min(waitMs, scanPeriodMs()) : waitMs;
  }

  function turn(maxWaitMs: number): boolean {
    const count = epoll.wait(waitMs(maxWaitMs));
    const nowMs = monotonicMs();
    loop.nowMs = nowMs;
    if (((nowMs - tickedMs) | 0) >= TICK_MS) {
      tickedMs = nowMs;
      events.tick();
    }
    let woken = false;
    for (let position = 0; position < count; position++) {
      const fd = epoll.fdAt(position);
      const mask = epoll.eventsAt(position);
      if (dispatch(loop, fd, mask) || closer.dispatch(fd, mask)) continue;
      if (fd === wakeFd) woken = true;
      else acceptor.accept(fd, nowMs);
    }
    if (loop.queued.length > 0) runQueued(loop);
    if (loop.attempts.length > 0) giveUpSlow(loop);
    if (((nowMs - scannedMs) | 0) >= scanPeriodMs()) {
      scannedMs = nowMs;
      scanDeadlines(loop, limits);
    }
    lookAtWaysBack(loop, limits.handshakeTimeoutMs, withoutSource);
    closer.turn(nowMs);
    isIdle = count === 0 && loop.open === 0 && closer.waiting === 0 && !acceptor.paused;
    acceptor.resume(nowMs);
    gauges.values[gauges.index.connections] = loop.open;
    gauges.values[gauges.index.openings] = loop.openings;
    gauges.values[gauges.index.pipes] = pipes.existing;
    gauges.values[gauges.index.longOpenings] = admission.openings.usedUnits - admission.openings.usedSlots;
    return woken;
  }

  return {
    configure(newLimits, gates, ourselves) {
      limits = newLimits;
      loop.ourselves = ourselves;
      acceptor.setListeners(gates, monotonicMs());
    },
    drain() {
      loop.isDraining = true;
      drainConversations(loop);
    },
    resume: (awaited) => resumeWaiting(loop, awaited),
    closer,
    get isIdle() {
      return isIdle;
    },
    turn,
  };
}
