/**
 * The main thread's side of a TCP service: owns the listening sockets and the workers, and changes both together.
 * A service adds its configuration and its gates.
 */
import { readFileSync } from 'node:fs';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import { createInTurn } from '../os/in-turn.ts';
import { close } from '../os/libc.ts';
import type { CounterTable } from '../runtime/counters.ts';
import { orAborted } from '../runtime/drain.ts';
import type { EventSink } from '../runtime/events.ts';
import type { HostTraffic } from '../runtime/host-traffic.ts';
import type { Limit } from '../runtime/limits.ts';
import type { Logger } from '../runtime/log.ts';
import type { ServiceStatus } from '../runtime/report.ts';
import { startTogether } from '../runtime/start-together.ts';
import type { LineOutput } from '../runtime/log-output.ts';
import { say, sentences } from '../texts/text.ts';
import { createAccessLog } from './access-reader.ts';
import { createHostSlots } from './host-slots.ts';
import { type ListenSpec, stopAdmitting } from './listen.ts';
import { type MissingSockets, createMissing } from './missing.ts';
import {
  type TcpPlan,
  amend,
  nothingInForce,
  openMissing,
  prepareChange,
  putInForce,
  replaceBroken,
} from './tcp-change.ts';
import { type TcpShares, readShares } from './tcp-shares.ts';
import { type TcpThreads, createTcpThreads } from './tcp-threads.ts';

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
  readonly maxConnections: number;
  /** The largest part of the process's descriptors that this service may use: 0 to 1. */
  readonly descriptorShare: number;
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  /** A worker asks: the answer goes to `tell`. */
  readonly onAsked?: (question: unknown) => void;
  /** Where events go; without it, they are not read. */
  readonly events?: EventSink | undefined;
  /** Where lines of the access log go; without it, there is none. */
  readonly lines?: LineOutput | undefined;
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
  /** Who holds how much of the connections now, and who was refused. */
  shares(): TcpShares;
  /** Tells every worker something beside its state. One that is being started again misses it. */
  tell(told: unknown): void;
  /** Test hook: makes a worker throw, the first one by default. */
  failWorker(number?: number): void;
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
  const { name, log, ourselves } = options;
  const hostSlots = createHostSlots();
  const accessLog = createAccessLog(name, Object.keys(options.counterTable), options.lines);
  accessLog.want(plan.isLogged);
  const maxConnections = Math.min(options.maxConnections, connectionsThatFit(options.descriptorShare));
  const drained = Promise.withResolvers<void>();
  const inForce = nothingInForce({ name, log, ourselves, hostSlots }, plan);
  const connectionLimit = () => Math.min(maxConnections, inForce.plan.limits.connections ?? maxConnections);
  const inTurn = createInTurn();
  const threads = createTcpThreads({
    name,
    entry: options.entry,
    counterTable: options.counterTable,
    maxConnections,
    log,
    events: options.events,
    accessLog,
    hostSlots,
    state: () => inForce.state,
    onBroken(fd, code) {
      const broken = inForce.state.listeners.find((listener) => listener.fd === fd);
      inTurn(() => replaceBroken(inForce, means, broken, code)).catch((err: unknown) =>
        log.error({ err }, `${name}: the listener could not be opened again`),
      );
    },
    onAsked: (question) => options.onAsked?.(question),
    onDrained(number) {
      if (!inForce.isDraining) void inTurn(() => threads.end(number));
      else if (threads.isDrained) drained.resolve();
    },
  });
  const missing = createMissing({
    service: name,
    log,
    events: options.events,
    retry: () => inTurn(() => openMissing(inForce, means)),
  });
  const means = { threads, missing };

  try {
    const [, first] = await startTogether(
      threads.grow(plan.workers).then(() => ({ [Symbol.asyncDispose]: async () => {} })),
      prepareChange(inForce, plan, beforeCommit, () => true),
    );
    await putInForce(inForce, means, plan, first);
  } catch (error) {
    missing[Symbol.dispose]();
    await threads[Symbol.asyncDispose]();
    accessLog[Symbol.dispose]();
    throw error;
  }

  const followOurselves = () =>
    amend(inForce, threads, {
      generation: inForce.state.generation + 1,
      ourselves: ourselves.current,
    });
  const following = ourselves.onChange(followOurselves);
  if (ourselves.current !== inForce.state.ourselves) followOurselves(); // it changed during the start

  async function putPlanInForce(plan: TcpPlan<Config>, beforeCommit: () => Promise<void>): Promise<void> {
    const mayMiss = (spec: ListenSpec) => missing.has('tcp', spec);
    const change = await prepareChange(inForce, plan, beforeCommit, mayMiss);
    if (plan.isLogged) accessLog.want(true);
    await putInForce(inForce, means, plan, change);
    accessLog.want(plan.isLogged);
  }

  return {
    apply: (plan, beforeCommit = async () => {}) => inTurn(() => putPlanInForce(plan, beforeCommit)),
    async drain(signal) {
      await inTurn(async () => {
        inForce.isDraining = true;
        missing[Symbol.dispose]();
        for (const { fd } of inForce.state.listeners) stopAdmitting(fd);
        amend(inForce, threads, { isDraining: true });
      });
      await orAborted(drained.promise, signal);
    },
    status: () => statusOf(inForce.state.listeners.length, missing, threads, connectionLimit()),
    counters: threads.counters,
    hosts: hostSlots.read,
    limits: () => [
      ...limitsOf(threads, connectionLimit()),
      ...serverLimits(hostSlots.read(), inForce.plan.limits.connectionsPerServer),
    ],
    shares: () => readShares(threads.holders, options.counterTable, connectionLimit()),
    tell: threads.tell,
    failWorker: (number = 1) => threads.fail(number),
    async [Symbol.asyncDispose]() {
      missing[Symbol.dispose]();
      following[Symbol.dispose]();
      await inTurn(() => {});
      await threads[Symbol.asyncDispose]();
      accessLog[Symbol.dispose]();
      for (const { fd } of inForce.state.listeners) close(fd);
    },
  };
}

function statusOf(
  listeners: number,
  missing: MissingSockets,
  threads: TcpThreads,
  maxConnections: number,
): ServiceStatus {
  const { connections, openings, pipes } = threads.gauges();
  const problems = [threads.isRestarting ? WORKER_DIED : undefined, missing.problem];
  const isWanted = listeners > 0 || missing.size > 0;
  return {
    ...(problems.every((each) => each === undefined)
      ? { state: isWanted ? 'running' : 'disabled' }
      : { state: 'degraded', problem: sentences(...problems) }),
    restarts: threads.restarts,
    figures: { connections, openings, pipes, workers: threads.serving, listeners, maxConnections },
  };
}

function limitsOf({ gauges, longOpenings }: TcpThreads, maxConnections: number): readonly Limit[] {
  return [
    { what: say('connections'), used: gauges().connections, size: maxConnections, advice: SEE_EVENTS },
    {
      what: say('blocks of memory for data that clients send before their server is known'),
      used: longOpenings.used,
      size: longOpenings.size,
      advice: SEE_EVENTS,
    },
  ];
}

/** The servers, if a limit is configured for each. */
const serverLimits = (
  hosts: Readonly<Record<string, HostTraffic>>,
  connectionsPerServer: number | undefined,
): Limit[] =>
  connectionsPerServer === undefined
    ? []
    : Object.entries(hosts).map(([server, { connections }]) => ({
        what: say('connections to {server}', { server }),
        used: connections,
        size: connectionsPerServer,
        advice: SEE_EVENTS,
      }));

/** How many connections, with two descriptors each, fit into this share of the process's limit of descriptors. */
function connectionsThatFit(share: number): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const soft = /^Max open files +([0-9]+)/m.exec(limits);
  const descriptors = soft === null ? 1024 : Number(soft[1]);
  return Math.max(8, Math.floor(((descriptors - RESERVED_DESCRIPTORS) * share) / 2));
}
