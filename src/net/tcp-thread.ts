/**
 * One worker thread of a TCP service (tcp-threads.ts): the memory that outlives it, its start, its state, and what becomes of its
 * connections when it ends.
 */
import { EFD_CLOEXEC, EFD_NONBLOCK, check, eventfd } from '../os/libc.ts';
import { type CounterTable, type Counters, createCounters } from '../runtime/counters.ts';
import type { EventRing } from '../runtime/event-ring.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Logger } from '../runtime/log.ts';
import { type SupervisedWorker, superviseWorker } from '../runtime/supervise-worker.ts';
import type { AccessLog } from './access-reader.ts';
import {
  type AdmissionMemory,
  type AdmissionSeed,
  MAIN_THREAD,
  WORKER,
  WORKER_WORDS,
  forgetWorker,
  ring,
} from './admission-memory.ts';
import { connectionKind } from './connection-event.ts';
import { type TcpGauges, tcpGaugeTable } from './counters.ts';
import { createTcpEventRing, readTcpEvent } from './events.ts';
import { type Letter, redirect } from './handover.ts';
import { createHoldersBuffer } from './holders.ts';
import type { HostSlots } from './host-slots.ts';
import type { FromTcpWorker, TcpPlaneState, TcpWorkerInit, Told } from './tcp-worker.ts';

export interface TcpThreadsOptions<Config, Table extends CounterTable> {
  readonly name: string;
  readonly entry: URL;
  readonly counterTable: Table;
  readonly maxConnections: number;
  readonly log: Logger;
  readonly events: EventSink | undefined;
  readonly accessLog: AccessLog;
  readonly hostSlots: HostSlots;
  /** The state in force, for all threads together. */
  readonly state: () => TcpPlaneState<Config>;
  readonly onBroken: (fd: number, code: number) => void;
  /** A thread asks: the answer goes to `tell`. */
  readonly onAsked: (question: unknown) => void;
  /** A thread has reported that it is drained. */
  readonly onDrained: (number: number) => void;
}

export type Role = TcpPlaneState<unknown>['role'];

/** What outlives a thread. */
export interface Block {
  readonly counters: Counters<CounterTable>;
  readonly gauges: TcpGauges;
  readonly ring: EventRing;
  readonly reader: Disposable | undefined;
  readonly access: SharedArrayBuffer;
  readonly hosts: SharedArrayBuffer;
  readonly holders: SharedArrayBuffer;
  readonly bellFd: number;
}

export interface Thread<Config> {
  readonly worker: SupervisedWorker<TcpPlaneState<Config> | Told>;
  applied: number;
  isDrained: boolean;
}

/** What the functions below share. */
export interface Pool<Config> {
  readonly options: TcpThreadsOptions<Config, CounterTable>;
  readonly explanations: readonly (readonly [name: string, explanation: string])[];
  readonly seed: AdmissionSeed;
  readonly memory: AdmissionMemory;
  /** For a thread that dies: what it had accepted for others. */
  readonly letter: Letter;
  readonly blocks: Block[];
  readonly threads: Map<number, Thread<Config>>;
  /** Also of threads that are being started. */
  readonly roles: Map<number, Role>;
  /** Of threads that have ended. */
  earlierRestarts: number;
  notifyApplied: (() => void) | undefined;
}

/** The blocks are made in the order of the numbers. */
function blockOf<Config>(pool: Pool<Config>, number: number): Block {
  const { blocks, memory, options, explanations } = pool;
  const { name, counterTable, hostSlots, events, accessLog } = options;
  while (blocks.length < number) {
    const ring = createTcpEventRing();
    const bellFd = check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), `${name}: eventfd`);
    memory.workers[(blocks.length + 1) * WORKER_WORDS + WORKER.BELL] = bellFd;
    blocks.push({
      counters: createCounters<CounterTable>(counterTable),
      gauges: createCounters(tcpGaugeTable),
      ring,
      reader: events?.drainRingLater(ring, connectionKind.name, (record) =>
        readTcpEvent(name, explanations, record),
      ),
      access: accessLog.addRing(),
      hosts: blocks.length === 0 ? hostSlots.buffer : hostSlots.another(),
      holders: createHoldersBuffer(),
      bellFd,
    });
  }
  return blocks[number - 1];
}

/** The state of one thread. */
function stateOf<Config>({ options, roles, threads }: Pool<Config>, number: number): TcpPlaneState<Config> {
  const state = options.state();
  return {
    ...state,
    role: roles.get(number) ?? 'new',
    workers: Math.max(1, threads.size),
    isShared: roles.size > 1,
  };
}

function onMessage<Config>(pool: Pool<Config>, number: number, message: FromTcpWorker): void {
  const { options, threads } = pool;
  const thread = threads.get(number);
  if (message.kind === 'broken') return options.onBroken(message.fd, message.code);
  if (message.kind === 'asked') return options.onAsked(message.question);
  if (thread === undefined) return;
  if (message.kind === 'applied') {
    thread.applied = message.generation;
    pool.notifyApplied?.();
  } else {
    thread.isDrained = true;
    options.onDrained(number);
  }
}

function onEnd<Config>(pool: Pool<Config>, number: number): void {
  const { memory, threads, letter, blocks, options } = pool;
  const { gauges, hosts } = blockOf(pool, number);
  forgetWorker(memory, number);
  gauges.values.fill(0);
  options.hostSlots.forgetOpen(hosts);
  const thread = threads.get(number);
  if (thread !== undefined) thread.isDrained = false;
  const rung = redirect(memory, number, MAIN_THREAD, letter);
  for (let other = 1; other <= blocks.length; other++) if ((rung & (1 << other)) !== 0) ring(memory, other);
  // The kernel may have woken this thread for a client that now waits for the next one. The others look when they get a state.
  for (const [other, { worker }] of threads) if (other !== number) worker.send(stateOf(pool, other));
}

export async function start<Config>(pool: Pool<Config>, number: number): Promise<void> {
  const { options, roles, threads, seed } = pool;
  const { name, entry, log } = options;
  const { counters, gauges, ring, access, hosts, holders } = blockOf(pool, number);
  roles.set(number, 'new');
  let applied = 0;
  try {
    const worker = await superviseWorker<TcpWorkerInit<Config>, TcpPlaneState<Config> | Told, FromTcpWorker>({
      name: number === 1 ? name : `${name} ${number}`,
      entry,
      init: () => ({
        state: stateOf(pool, number),
        worker: number,
        admission: seed,
        counters: counters.buffer,
        gauges: gauges.buffer,
        hosts,
        holders,
        events: ring.buffer,
        access,
      }),
      onMessage(message) {
        if (message.kind === 'applied') applied = message.generation;
        onMessage(pool, number, message);
      },
      onEnd: () => onEnd(pool, number),
      log,
    });
    threads.set(number, { worker, applied, isDrained: false });
  } catch (error) {
    roles.delete(number);
    throw error;
  }
}

export async function stop<Config>(pool: Pool<Config>, number: number): Promise<void> {
  const { threads, roles } = pool;
  const thread = threads.get(number);
  if (thread === undefined) return;
  await thread.worker[Symbol.asyncDispose]();
  pool.earlierRestarts += thread.worker.restarts;
  threads.delete(number);
  roles.delete(number);
}

export function setRole<Config>({ threads, roles }: Pool<Config>, number: number, role: Role): void {
  threads.get(number)!.isDrained = false;
  roles.set(number, role);
}

export function send<Config>(pool: Pool<Config>, numbers: Iterable<number>): void {
  for (const number of numbers) pool.threads.get(number)?.worker.send(stateOf(pool, number));
}
