/**
 * The main thread's side of a TCP service: owns the listening sockets and the worker, and changes both together.
 * What a service adds is its configuration and its gates.
 */
import { readFileSync } from 'node:fs';
import { createInTurn } from '../os/in-turn.ts';
import { close, errnoName } from '../os/libc.ts';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import { type CounterTable, createCounters, readCounters } from '../runtime/counters.ts';
import { orAborted } from '../runtime/drain.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Logger } from '../runtime/log.ts';
import type { HostTraffic } from '../runtime/host-traffic.ts';
import type { Limit } from '../runtime/limits.ts';
import type { ServiceStatus } from '../runtime/report.ts';
import { startTogether } from '../runtime/start-together.ts';
import { superviseWorker } from '../runtime/supervise-worker.ts';
import { LONG_OPENING_UNITS } from './admission.ts';
import { tcpGaugeTable } from './counters.ts';
import { createTcpEventRing, readTcpEvent } from './events.ts';
import { createHostSlots } from './host-slots.ts';
import {
  type ListenSpec,
  type ListenerChange,
  type MissingListener,
  type OpenListener,
  openChanges,
  stopAdmitting,
} from './listen.ts';
import { createMissing } from './missing.ts';
import type { FromTcpWorker, TcpPlaneState, TcpWorkerInit } from './tcp-worker.ts';
import { say, sentences } from '../texts/text.ts';
import { formatSocketAddress } from '../os/socket-address.ts';

const SEE_EVENTS = say('See in the timeline which client has most of them; it is the first to lose some.');
/** A worker that has not applied a change by then was found stuck by its supervisor and replaced. */
const APPLY_TIMEOUT_MS = 15_000;
/** Descriptors left to the rest of the process: DNS, the admin page, files. */
const RESERVED_DESCRIPTORS = 256;

export interface TcpPlaneOptions<Table extends CounterTable> {
  readonly name: string;
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

const WORKER_DIED = say('the worker thread died and is being started again');

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
   * Throws when a socket cannot be opened that was not missing before, or `beforeCommit` rejects; the old plan is then still
   * in force.
   */
  apply(plan: TcpPlan<Config>, beforeCommit?: () => Promise<void>): Promise<void>;
  /** Admits nobody new; resolves when all connections have ended, or when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  hosts(): Readonly<Record<string, HostTraffic>>;
  limits(): readonly Limit[];
  failWorker(): void;
}

/**
 * Opens the sockets that can be had and starts the worker; those that cannot be had are reported, and tried again. A start
 * that fails leaves nothing open.
 */
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
  let isDraining = false;
  const drained = Promise.withResolvers<void>();

  const stateOf = (plan: TcpPlan<Config>, listeners: readonly OpenListener[], generation: number) => ({
    generation,
    limits: {
      handshakeTimeoutMs: plan.handshakeTimeoutMs,
      idleTimeoutMs: plan.idleTimeoutMs,
    },
    keepalive,
    isDraining,
    ourselves: ourselves.current,
    listeners,
    hostSlots: hostSlots.assign(plan.hosts, generation, applied),
    config: plan.config,
  });

  /** Each change starts from the sockets that the one before left. */
  const inTurn = createInTurn();
  const missing = createMissing({
    service: name,
    log,
    events: options.events,
    retry: () => inTurn(openMissing),
  });
  const setMissing = (failed: readonly MissingListener[]) =>
    missing.set(
      failed.map(({ spec: { address, port }, error }) => ({ protocol: 'tcp', address, port, error })),
      (_protocol, address) =>
        state.listeners.some(({ spec }) => formatSocketAddress(spec) === formatSocketAddress(address)),
    );

  let current = plan;
  /** The thread starts without sockets, while they are opened and what must be noted before is written. */
  let state: TcpPlaneState<Config> = stateOf(plan, [], 1);
  const [worker, first] = await startTogether(
    superviseWorker<TcpWorkerInit<Config>, TcpPlaneState<Config>, FromTcpWorker>({
      name,
      entry: options.entry,
      init: () => ({
        state,
        maxConnections,
        counters: counters.buffer,
        gauges: gauges.buffer,
        hosts: hostSlots.buffer,
        events: ring.buffer,
      }),
      onMessage: (message) => {
        if (message.kind === 'drained') return drained.resolve();
        if (message.kind === 'broken') return brokenListener(message.fd, message.code);
        applied = message.generation;
        notifyApplied?.();
      },
      log,
    }),
    prepareChange(plan, beforeCommit, () => true),
  );
  await putInForce(plan, first);

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
    await putInForce(plan, await prepareChange(plan, beforeCommit, (spec) => missing.has('tcp', spec)));
  }

  /** Opens what is new, and has it noted; what is old stays open until the change is in force. */
  async function prepareChange(
    { listen }: TcpPlan<Config>,
    beforeCommit: () => Promise<void>,
    mayMiss: (spec: ListenSpec) => boolean,
  ) {
    const change = openChanges(state.listeners, listen, keepalive, mayMiss);
    try {
      await beforeCommit();
    } catch (error) {
      change.rollback();
      throw error;
    }
    return { ...change, [Symbol.asyncDispose]: async () => change.rollback() };
  }

  async function putInForce(plan: TcpPlan<Config>, change: ListenerChange): Promise<void> {
    current = plan;
    state = stateOf(plan, change.listeners, state.generation + 1);
    if (isDraining) state.listeners.forEach(({ fd }) => stopAdmitting(fd));
    worker.send(state);
    await waitApplied(state.generation);
    change.commit();
    setMissing(change.missing);
  }

  /** Tries again to open what is missing. */
  async function openMissing(): Promise<void> {
    if (isDraining) return;
    const change = openChanges(state.listeners, current.listen, keepalive, () => true);
    if (change.listeners.length > state.listeners.length) await putInForce(current, change);
    else setMissing(change.missing);
  }

  function brokenListener(fd: number, code: number): void {
    inTurn(() => replaceBroken(fd, code)).catch((err: unknown) =>
      log.error({ err }, `${name}: the listener could not be opened again`),
    );
  }

  /** A socket that nobody can accept on any more, such as one that was closed from outside (`ss --kill`): a new one. */
  async function replaceBroken(fd: number, code: number): Promise<void> {
    const broken = state.listeners.find((listener) => listener.fd === fd);
    if (broken === undefined) return;
    const { name: listener } = broken.spec;
    log.error(
      { listener, code: errnoName(code) },
      `${name}: accept4 failed for good, opening the listener again`,
    );
    close(fd);
    state = { ...state, listeners: state.listeners.filter((each) => each !== broken) };
    await openMissing();
  }

  const ringReader = options.events?.drainRing(ring, (record) => readTcpEvent(name, explanations, record));
  return {
    apply: (plan, beforeCommit) => inTurn(() => apply(plan, beforeCommit)),
    async drain(signal) {
      await inTurn(async () => {
        isDraining = true;
        missing[Symbol.dispose]();
        state = { ...state, isDraining };
        for (const { fd } of state.listeners) stopAdmitting(fd);
        worker.send(state);
      });
      await orAborted(drained.promise, signal);
    },
    status() {
      const { connections, openings, pipes } = readCounters(gauges);
      const restarting = !worker.alive;
      const problems = [restarting ? WORKER_DIED : undefined, missing.problem];
      const isWanted = state.listeners.length > 0 || missing.size > 0;
      return {
        ...(problems.every((each) => each === undefined)
          ? { state: isWanted ? 'running' : 'disabled' }
          : { state: 'degraded', problem: sentences(...problems) }),
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
    limits() {
      const { connections, longOpenings } = readCounters(gauges);
      return [
        { what: say('connections'), used: connections, size: maxConnections, advice: SEE_EVENTS },
        {
          what: say('steps of memory for what clients send before their servers are known'),
          used: longOpenings,
          size: LONG_OPENING_UNITS,
          advice: SEE_EVENTS,
        },
      ];
    },
    failWorker: () => worker.fail(),
    async [Symbol.asyncDispose]() {
      missing[Symbol.dispose]();
      following[Symbol.dispose]();
      await inTurn(() => {});
      await worker[Symbol.asyncDispose]();
      ringReader?.[Symbol.dispose]();
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
