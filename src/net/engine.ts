/**
 * The TCP engine: one epoll loop that accepts connections, asks the gate of the listener which server the first bytes belong
 * to, dials it and relays. One turn: wait, handle the batch of events, continue halves that have used up their share, check
 * timeouts, close.
 */

import { EPOLLIN } from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import { monotonicMs } from '../os/monotonic.ts';
import type { Ourselves } from '../os/ourselves.ts';
import { PAUSE_MS, createAcceptor } from './acceptor.ts';
import { type Admission, listShares, mayAccept } from './admission.ts';
import { admit } from './admit.ts';
import { type Closer, RESET_POLL_MS, createCloser } from './closing.ts';
import type { Connection } from './connection.ts';
import { beginTurn, dispatch, drainConversations } from './connections.ts';
import type { TcpCounters, TcpGauges } from './counters.ts';
import { scanDeadlines } from './deadlines.ts';
import { giveUpSlow, giveUpSource } from './dialling.ts';
import type { ConnectionTimeouts } from './timeouts.ts';
import { createEpoll } from './epoll.ts';
import type { AccessWriter } from './access-log.ts';
import type { TcpEvents } from './events.ts';
import type { Gate, Awaited } from './gate.ts';
import type { Holders } from './holders.ts';
import type { HostCounters } from './host-slots.ts';
import { setTaking } from './handover.ts';
import { createLoop } from './loop.ts';
import { answerBell, bellOf, passOn } from './other-workers.ts';
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
  readonly access?: AccessWriter | undefined;
  readonly admission: Admission;
  readonly holders: Holders;
  readonly wakeFd: number;
  readonly onBrokenListener: (fd: number, code: number) => void;
}

export interface TcpEngine {
  /** How many workers the service has, and whether another one uses the shared memory now. Call before `configure`. */
  share(workers: number, isShared: boolean): void;
  /**
   * Replaces the limits, the listening sockets (fd -> gate), and the addresses that must not be dialled. Connections continue with
   * the gate that they came through.
   */
  configure(limits: ConnectionTimeouts, gates: Map<number, Gate>, ourselves: Ourselves): void;
  /** The process is about to end: conversations end after what they are doing now, and idle ones at once. */
  drain(): void;
  /** What connections waited for is known. Call it between two turns. */
  resume(awaited: Awaited): void;
  /** This worker is no longer needed: conversations end after what they do now or next. */
  leave(): void;
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
/** How often attempts to reach one of several addresses are looked at. */
const ATTEMPT_SCAN_MS = 50;

export function createTcpEngine(options: EngineOptions): TcpEngine {
  const { ledger, counters, gauges, hosts, events, admission, holders, wakeFd } = options;
  const epoll = createEpoll(ledger);
  const closer = createCloser(ledger);
  const pipes = createPipePool(ledger, admission.memory.all.slots);
  const loop = createLoop({
    epoll,
    ledger,
    closer,
    pipes,
    counters,
    hosts,
    events,
    access: options.access,
    admission,
    holders,
  });
  let limits: ConnectionTimeouts = { handshakeTimeoutMs: SCAN_MS, idleTimeoutMs: 0, halfClosedTimeoutMs: 0 };
  const { values, index } = gauges;
  let isIdle = false;
  let scannedMs = monotonicMs();
  const acceptor = createAcceptor({
    epoll,
    ledger,
    counters,
    events,
    hasRoom: () => mayAccept(admission),
    passOn: (fd, listenerFd, peer) => admission.isShared && passOn(loop, fd, listenerFd, peer),
    onAccepted: (fd, gate, client, listener) => admit(loop, fd, gate, client, listener),
    onBroken: options.onBrokenListener,
  });
  epoll.add(wakeFd, EPOLLIN);
  const bellFd = bellOf(admission);
  if (bellFd > 0) epoll.add(bellFd, EPOLLIN);

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
    beginTurn(loop, count);
    let woken = false;
    for (let position = 0; position < count; position++) {
      const fd = epoll.fdAt(position);
      const mask = epoll.eventsAt(position);
      if (dispatch(loop, fd, mask) || closer.dispatch(fd, mask)) continue;
      if (fd === wakeFd) woken = true;
      else if (fd === bellFd) answerBell(loop, bellFd, acceptor.gateOf);
      else acceptor.accept(fd, nowMs);
    }
    if (loop.queued.length > 0) runQueued(loop);
    if (loop.attempts.length > 0) giveUpSlow(loop);
    if (((nowMs - scannedMs) | 0) >= scanPeriodMs()) {
      scannedMs = nowMs;
      scanDeadlines(loop, limits);
      listShares(admission, holders);
    }
    lookAtWaysBack(loop, limits.handshakeTimeoutMs, withoutSource);
    closer.turn(nowMs);
    isIdle = count === 0 && loop.open === 0 && closer.waiting === 0 && !acceptor.paused;
    acceptor.resume(nowMs);
    publish();
    return woken;
  }

  function publish(): void {
    values[index.connections] = loop.open;
    values[index.openings] = loop.openings;
    values[index.pipes] = pipes.existing;
  }

  return {
    share(workers, isShared) {
      loop.workers = pipes.workers = workers;
      admission.isShared = isShared;
    },
    configure(newLimits, gates, ourselves) {
      limits = loop.limits = newLimits;
      const { slots } = admission.memory.all;
      admission.maxConnections = Math.min(slots, newLimits.connections ?? slots);
      loop.ourselves = ourselves;
      loop.isDraining = false;
      loop.nowMs = monotonicMs();
      if (gates.size === 0) setTaking(admission, false);
      answerBell(loop, bellFd, acceptor.gateOf);
      acceptor.setListeners(gates, loop.nowMs);
      if (gates.size > 0) setTaking(admission, true);
      publish(); // clients that waited have been accepted
    },
    drain() {
      loop.isDraining = true;
      drainConversations(loop);
    },
    resume: (awaited) => resumeWaiting(loop, awaited),
    leave() {
      loop.isDraining = true;
    },
    closer,
    get isIdle() {
      return isIdle;
    },
    turn,
  };
}
