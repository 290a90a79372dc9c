/**
 * The main thread's side of a TCP service: owns the listening sockets and the worker, and changes both together.
 * A service adds its configuration and its gates.
 */
import { readFileSync } from 'node:fs';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import { createInTurn } from '../os/in-turn.ts';
import { close } from '../os/libc.ts';
import { type CounterTable, createCounters, readCounters } from '../runtime/counters.ts';
import { orAborted } from '../runtime/drain.ts';
import type { EventSink } from '../runtime/events.ts';
import type { HostTraffic } from '../runtime/host-traffic.ts';
import type { Limit } from '../runtime/limits.ts';
import type { Logger } from '../runtime/log.ts';
import type { ServiceStatus } from '../runtime/report.ts';
import { startTogether } from '../runtime/start-together.ts';
import { type SupervisedWorker, superviseWorker } from '../runtime/supervise-worker.ts';
import { say, sentences } from '../texts/text.ts';
import { LONG_OPENING_UNITS } from './admission.ts';
import { type TcpGauges, tcpGaugeTable } from './counters.ts';
import { createTcpEventRing, readTcpEvent } from './events.ts';
import { createHostSlots } from './host-slots.ts';
import { type ListenSpec, stopAdmitting } from './listen.ts';
import { type MissingSockets, createMissing } from './missing.ts';
import {
  type TcpPlan,
  amend,
  noteApplied,
  nothingInForce,
  openMissing,
  prepareChange,
  putInForce,
  replaceBroken,
} from './tcp-change.ts';
import type { FromTcpWorker, TcpPlaneState, TcpWorkerInit, Told } from './tcp-worker.ts';

export type { TcpPlan } from './tcp-change.ts';

const SEE_EVENTS = say(
  'See in the timeline which client has the most of them; it is the first to lose some.',
);
/** Descriptors reserved for the rest of the process: DNS, the admin page, files. */
const RESERVED_DESCRIPTORS = 256;

export interface TcpPlaneOptions<Table extends CounterTable> {
  readonly name: string;
  /** The worker's module: it calls `runTcpWorker`. */
  readonly entry: URL;
  readonly counterTable: Table;
  /** Probe silent peers on both sides. */
  readonly keepalive: boolean;
  readonly maxConnections: number;
  /** The largest part of the process's descriptors that this service may use: 0 to 1. */
  readonly descriptorShare: number;
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  /** A worker asks: the answer goes to `tell`. */
  readonly onAsked?: (question: unknown) => void;
  /** Where events go; without it, they are not read. */
  readonly events?: EventSink | undefined;
}

const WORKER_DIED = say('the worker thread died and is being started again');

export interface TcpPlane<Config> extends AsyncDisposable {
  /**
   * Applies a plan: resolves when the worker accepts new connections only by this plan. Open connections are not affected.
   * Throws if a socket cannot be opened that was not missing before, or if `beforeCommit` rejects. The old plan then stays in
   * force.
   */
  apply(plan: TcpPlan<Config>, beforeCommit?: () => Promise<void>): Promise<void>;
  /** Stops admitting new clients; resolves when all connections have ended, or when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  hosts(): Readonly<Record<string, HostTraffic>>;
  limits(): readonly Limit[];
  /** Tells the worker something beside its state. One that is being started again misses it. */
  tell(told: unknown): void;
  failWorker(): void;
}

/**
 * Opens the sockets and starts the worker. Sockets that cannot be opened are reported and retried. A start that fails leaves
 * nothing open.
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
  const drained = Promise.withResolvers<void>();
  const inForce = nothingInForce({ name, keepalive, log, ourselves, hostSlots }, plan);
  const inTurn = createInTurn();
  const missing = createMissing({
    service: name,
    log,
    events: options.events,
    retry: () => inTurn(() => openMissing(inForce, means)),
  });

  function onMessage(message: FromTcpWorker): void {
    if (message.kind === 'asked') options.onAsked?.(message.question);
    else if (message.kind === 'drained') drained.resolve();
    else if (message.kind === 'applied') noteApplied(inForce, message.generation);
    else
      inTurn(() => replaceBroken(inForce, means, message.fd, message.code)).catch((err: unknown) =>
        log.error({ err }, `${name}: the listener could not be opened again`),
      );
  }

  const [worker, first] = await startTogether(
    superviseWorker<TcpWorkerInit<Config>, TcpPlaneState<Config> | Told, FromTcpWorker>({
      name,
      entry: options.entry,
      init: () => ({
        state: inForce.state,
        maxConnections,
        counters: counters.buffer,
        gauges: gauges.buffer,
        hosts: hostSlots.buffer,
        events: ring.buffer,
      }),
      onMessage,
      log,
    }),
    prepareChange(inForce, plan, beforeCommit, () => true),
  );
  const means = { worker, missing };
  await putInForce(inForce, means, plan, first);

  const followOurselves = () =>
    amend(inForce, worker, {
      generation: inForce.state.generation + 1,
      ourselves: ourselves.current,
    });
  const following = ourselves.onChange(followOurselves);
  if (ourselves.current !== inForce.state.ourselves) followOurselves(); // it changed during the start

  const ringReader = options.events?.drainRing(ring, (record) => readTcpEvent(name, explanations, record));
  return {
    apply: (plan, beforeCommit = async () => {}) =>
      inTurn(async () => {
        const mayMiss = (spec: ListenSpec) => missing.has('tcp', spec);
        await putInForce(inForce, means, plan, await prepareChange(inForce, plan, beforeCommit, mayMiss));
      }),
    async drain(signal) {
      await inTurn(async () => {
        inForce.isDraining = true;
        missing[Symbol.dispose]();
        for (const { fd } of inForce.state.listeners) stopAdmitting(fd);
        amend(inForce, worker, { isDraining: true });
      });
      await orAborted(drained.promise, signal);
    },
    status: () => statusOf(inForce.state.listeners.length, missing, worker, gauges, maxConnections),
    counters: () => readCounters(counters),
    hosts: hostSlots.read,
    limits: () => limitsOf(gauges, maxConnections),
    tell: (told) => worker.send({ told }),
    failWorker: () => worker.fail(),
    async [Symbol.asyncDispose]() {
      missing[Symbol.dispose]();
      following[Symbol.dispose]();
      await inTurn(() => {});
      await worker[Symbol.asyncDispose]();
      ringReader?.[Symbol.dispose]();
      for (const { fd } of inForce.state.listeners) close(fd);
    },
  };
}

function statusOf(
  listeners: number,
  missing: MissingSockets,
  worker: Pick<SupervisedWorker<never>, 'alive' | 'restarts'>,
  gauges: TcpGauges,
  maxConnections: number,
): ServiceStatus {
  const { connections, openings, pipes } = readCounters(gauges);
  const restarting = !worker.alive;
  const problems = [restarting ? WORKER_DIED : undefined, missing.problem];
  const isWanted = listeners > 0 || missing.size > 0;
  return {
    ...(problems.every((each) => each === undefined)
      ? { state: isWanted ? 'running' : 'disabled' }
      : { state: 'degraded', problem: sentences(...problems) }),
    restarts: worker.restarts,
    figures: {
      connections: restarting ? 0 : connections,
      openings: restarting ? 0 : openings,
      pipes: restarting ? 0 : pipes,
      listeners,
      maxConnections,
    },
  };
}

function limitsOf(gauges: TcpGauges, maxConnections: number): readonly Limit[] {
  const { connections, longOpenings } = readCounters(gauges);
  return [
    { what: say('connections'), used: connections, size: maxConnections, advice: SEE_EVENTS },
    {
      what: say('blocks of memory for data that clients send before their server is known'),
      used: longOpenings,
      size: LONG_OPENING_UNITS,
      advice: SEE_EVENTS,
    },
  ];
}

/** How many connections, with two descriptors each, fit into this share of the process's limit of descriptors. */
function connectionsThatFit(share: number): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const soft = /^Max open files +([0-9]+)/m.exec(limits);
  const descriptors = soft === null ? 1024 : Number(soft[1]);
  return Math.max(8, Math.floor(((descriptors - RESERVED_DESCRIPTORS) * share) / 2));
}
