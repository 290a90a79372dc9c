/**
 * The main thread's side of a TCP service: owns the listening sockets and the worker, and changes both together.
 * Used by the proxy and the forwarder; what they add is their configuration and their gates.
 */
import { readFileSync } from 'node:fs';
import { close } from '../os/libc.ts';
import type { FollowedOurselves } from '../os/ourselves.ts';
import { type CounterTable, createCounters, readCounters } from '../runtime/counters.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Logger } from '../runtime/log.ts';
import type { HostTraffic } from '../runtime/host-traffic.ts';
import type { ServiceStatus } from '../runtime/service.ts';
import { superviseWorker } from '../runtime/supervise-worker.ts';
import { tcpGaugeTable } from './counters.ts';
import { createTcpEventRing, readTcpEvent } from './events.ts';
import { createHostSlots } from './host-slots.ts';
import { type ListenSpec, type OpenListener, openChanges } from './listen.ts';
import type { Applied, TcpPlaneState, TcpWorkerInit } from './tcp-worker.ts';
import { say } from '../texts/text.ts';

/** A worker that has not applied a change by then was found stuck by its supervisor and replaced. */
const APPLY_TIMEOUT_MS = 15_000;
/** Descriptors left to the rest of the process: DNS, the admin page, files. */
const RESERVED_DESCRIPTORS = 256;

export interface TcpPlaneOptions<Table extends CounterTable> {
  readonly name: 'proxy' | 'forward';
  /** The worker's module: it calls `runTcpWorker`. */
  readonly entry: URL;
  readonly counterTable: Table;
  /** Probe silent peers, on both sides. */
  readonly keepalive: boolean;
  readonly maxConnections: number;
  /** Of the process's descriptors, those that this service may use at most: 0 to 1. */
  readonly descriptorShare: number;
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  /** Where events go; without it, nobody reads them. */
  readonly events?: EventSink | undefined;
}

/** What a service wants in force. */
export interface TcpPlan<Config> {
  readonly listen: readonly ListenSpec[];
  readonly handshakeTimeoutMs: number;
  /** 0: no limit. */
  readonly idleTimeoutMs: number;
  /** Servers that connections may lead to: their traffic is counted by name. */
  readonly hosts: readonly string[];
  /** Handed to the worker as it is: structured-cloneable. */
  readonly config: Config;
}

export interface TcpPlane<Config> extends AsyncDisposable {
  /**
   * Puts a plan in force: resolves when the worker accepts by it and only by it. Connections are not touched.
   * Throws when a socket cannot be opened or `beforeCommit` rejects; the old plan is then still in force.
   */
  apply(plan: TcpPlan<Config>, beforeCommit?: () => Promise<void>): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  hosts(): Readonly<Record<string, HostTraffic>>;
  failWorker(): void;
}

/** Opens the sockets and starts the worker; a start that fails leaves nothing open. */
export async function startTcpPlane<Config, Table extends CounterTable>(
  options: TcpPlaneOptions<Table>,
  plan: TcpPlan<Config>,
  beforeCommit: () => Promise<void> = async () => {},
): Promise<TcpPlane<Config>> {
  const { name, keepalive, log, ourselves } = options;
  const counters = createCounters(options.counterTable);
  const gauges = createCounters(tcpGaugeTable);
  const hostSlots = createHostSlots();
  const ring = createTcpEventRing();
  const explanations = Object.entries(options.counterTable);
  const maxConnections = Math.min(options.maxConnections, connectionsThatFit(options.descriptorShare));
  let applied = 0;
  let notifyApplied: (() => void) | undefined;

  const stateOf = (plan: TcpPlan<Config>, listeners: readonly OpenListener[], generation: number) => ({
    generation,
    limits: {
      handshakeTimeoutMs: plan.handshakeTimeoutMs,
      idleTimeoutMs: plan.idleTimeoutMs,
      maxConnections,
    },
    keepalive,
    ourselves: ourselves.current,
    listeners,
    hostSlots: hostSlots.assign(plan.hosts, generation, applied),
    config: plan.config,
  });

  const first = openChanges([], plan.listen, keepalive);
  let state: TcpPlaneState<Config> = stateOf(plan, first.listeners, 1);
  const start = async () => {
    try {
      await beforeCommit();
      return await superviseWorker<TcpWorkerInit<Config>, TcpPlaneState<Config>, Applied>({
        name,
        entry: options.entry,
        init: () => ({
          state,
          counters: counters.buffer,
          gauges: gauges.buffer,
          hosts: hostSlots.buffer,
          events: ring.buffer,
        }),
        onMessage: ({ generation }) => {
          applied = generation;
          notifyApplied?.();
        },
        log,
      });
    } catch (error) {
      first.rollback();
      throw error;
    }
  };
  const worker = await start();

  function followOurselves(): void {
    state = { ...state, generation: state.generation + 1, ourselves: ourselves.current };
    worker.send(state);
  }
  const following = ourselves.onChange(followOurselves);
  if (ourselves.current !== state.ourselves) followOurselves(); // it changed during the start

  /** Resolves when the worker has applied the generation: by a message, or by being started anew with it. */
  async function waitApplied(generation: number): Promise<void> {
    if (applied >= generation) return;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    notifyApplied = () => {
      if (applied >= generation) resolve(true);
    };
    const deadline = setTimeout(() => resolve(false), APPLY_TIMEOUT_MS);
    const inTime = await promise;
    clearTimeout(deadline);
    if (!inTime) log.warn({ generation }, `${name}: worker did not confirm the new configuration in time`);
  }

  async function apply(
    plan: TcpPlan<Config>,
    beforeCommit: () => Promise<void> = async () => {},
  ): Promise<void> {
    const change = openChanges(state.listeners, plan.listen, keepalive);
    try {
      await beforeCommit();
    } catch (error) {
      change.rollback();
      throw error;
    }
    state = stateOf(plan, change.listeners, state.generation + 1);
    worker.send(state);
    await waitApplied(state.generation);
    change.commit();
  }

  const drained = options.events?.drainRing(ring, (record) => readTcpEvent(name, explanations, record));
  let last: Promise<void> = Promise.resolve();
  return {
    apply(plan, beforeCommit) {
      // One at a time: each starts from the sockets that the one before left.
      const next = last.then(() => apply(plan, beforeCommit));
      last = next.catch(() => {});
      return next;
    },
    status() {
      const { connections, openings, pipes } = readCounters(gauges);
      const restarting = !worker.alive;
      return {
        state: restarting ? 'degraded' : state.listeners.length === 0 ? 'disabled' : 'running',
        ...(restarting && { problem: say('the worker thread died and is being started again') }),
        restarts: worker.restarts,
        figures: {
          connections: restarting ? 0 : connections,
          openings: restarting ? 0 : openings,
          pipes: restarting ? 0 : pipes,
          listeners: state.listeners.length,
          maxConnections,
        },
      };
    },
    counters: () => readCounters(counters),
    hosts: hostSlots.read,
    failWorker: () => worker.fail(),
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]();
      await last;
      await worker[Symbol.asyncDispose]();
      drained?.[Symbol.dispose]();
      for (const { fd } of state.listeners) close(fd);
    },
  };
}

/** Connections, two descriptors each, within a share of the process's limit of descriptors. */
function connectionsThatFit(share: number): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const soft = /^Max open files +([0-9]+)/m.exec(limits);
  const descriptors = soft === null ? 1024 : Number(soft[1]);
  return Math.max(8, Math.floor(((descriptors - RESERVED_DESCRIPTORS) * share) / 2));
}
