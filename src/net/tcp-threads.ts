/**
 * The worker threads of a TCP service: each runs an engine, and all of them watch the same listening sockets. The memory that they
 * share belongs to the main thread (admission-memory.ts), and so do the counters and events of each.
 */
import { EFD_CLOEXEC, EFD_NONBLOCK, check, close, eventfd, pinned, write } from '../os/libc.ts';
import { randomWord } from '../os/random.ts';
import { type CounterTable, type Counters, createCounters, readCounters } from '../runtime/counters.ts';
import type { EventRing } from '../runtime/event-ring.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Logger } from '../runtime/log.ts';
import { type SupervisedWorker, superviseWorker } from '../runtime/supervise-worker.ts';
import type { AccessLog } from './access-reader.ts';
import {
  type AdmissionMemory,
  type AdmissionSeed,
  LONG_OPENING_UNITS,
  MAIN_THREAD,
  MAX_WORKERS,
  WORKER,
  WORKER_WORDS,
  attachAdmission,
  createAdmissionSeed,
  forgetWorker,
} from './admission-memory.ts';
import { connectionKind } from './connection-event.ts';
import { type TcpGauges, tcpGaugeTable } from './counters.ts';
import { createTcpEventRing, readTcpEvent } from './events.ts';
import { type Letter, createLetter, readLetter, redirect, unread } from './handover.ts';
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

export interface TcpThreads extends AsyncDisposable {
  /** Threads that serve, or are to be started again. */
  readonly serving: number;
  readonly restarts: number;
  /** Whether a dead thread is being replaced. */
  readonly isRestarting: boolean;
  /** No connection is open, and none can come. */
  readonly isDrained: boolean;
  /** The oldest generation of the state that a thread still uses. */
  readonly applied: number;
  /** Memory for first bytes in use, beyond what each connection may have. */
  readonly longOpenings: { readonly used: number; readonly size: number };
  /** Starts threads until there are this many. New ones wait for `apply`. Throws, with nothing changed, if one cannot be started. */
  grow(count: number): Promise<void>;
  /**
   * Puts the state in force; resolves when all threads use it, or with false after a timeout. New threads get it last. Those
   * beyond `count` accept no more, and end after their last connection.
   */
  apply(count: number, timeoutMs: number): Promise<boolean>;
  /** Sends the state again, after a change that nobody waits for. */
  send(): void;
  /** Tells every thread something beside its state. One that is being started again misses it. */
  tell(told: unknown): void;
  /** Ends a thread that has drained, if it is one that is no longer wanted. */
  end(number: number): Promise<void>;
  counters(): Record<string, number>;
  /** What each thread writes about those who hold most (holders.ts). */
  readonly holders: readonly SharedArrayBuffer[];
  gauges(): Record<keyof typeof tcpGaugeTable, number>;
  /** Test hook: makes a thread throw. */
  fail(number: number): void;
}

type Role = TcpPlaneState<unknown>['role'];

/** What outlives a thread. */
interface Block {
  readonly counters: Counters<CounterTable>;
  readonly gauges: TcpGauges;
  readonly ring: EventRing;
  readonly reader: Disposable | undefined;
  readonly access: SharedArrayBuffer;
  readonly hosts: SharedArrayBuffer;
  readonly holders: SharedArrayBuffer;
  readonly bellFd: number;
}

interface Thread<Config> {
  readonly worker: SupervisedWorker<TcpPlaneState<Config> | Told>;
  applied: number;
  isDrained: boolean;
}

const ONE = pinned(8);
ONE[0] = 1;

/** What the functions below share. */
interface Pool<Config> {
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
  for (let other = 1; other <= blocks.length; other++)
    if ((rung & (1 << other)) !== 0) write(blockOf(pool, other).bellFd, ONE, 8);
  // The kernel may have woken this thread for a client that now waits for the next one. The others look when they get a state.
  for (const [other, { worker }] of threads) if (other !== number) worker.send(stateOf(pool, other));
}

async function start<Config>(pool: Pool<Config>, number: number): Promise<void> {
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

async function stop<Config>(pool: Pool<Config>, number: number): Promise<void> {
  const { threads, roles } = pool;
  const thread = threads.get(number);
  if (thread === undefined) return;
  await thread.worker[Symbol.asyncDispose]();
  pool.earlierRestarts += thread.worker.restarts;
  threads.delete(number);
  roles.delete(number);
}

function setRole<Config>({ threads, roles }: Pool<Config>, number: number, role: Role): void {
  threads.get(number)!.isDrained = false;
  roles.set(number, role);
}

function send<Config>(pool: Pool<Config>, numbers: Iterable<number>): void {
  for (const number of numbers) pool.threads.get(number)?.worker.send(stateOf(pool, number));
}

/** Sends the state; resolves when these threads use it: from a message, or by starting again with it. */
async function sendAndWait<Config>(
  pool: Pool<Config>,
  numbers: readonly number[],
  deadline: Promise<false>,
): Promise<boolean> {
  const { options, threads } = pool;
  const { generation } = options.state();
  const { promise, resolve } = Promise.withResolvers<true>();
  pool.notifyApplied = () => {
    if (numbers.every((number) => (threads.get(number)?.applied ?? generation) >= generation)) resolve(true);
  };
  send(pool, numbers);
  pool.notifyApplied();
  const inTime = await Promise.race([promise, deadline]);
  pool.notifyApplied = undefined;
  return inTime;
}

async function grow<Config>(pool: Pool<Config>, count: number): Promise<void> {
  const { threads } = pool;
  const missing = [];
  for (let number = 1; number <= Math.min(count, MAX_WORKERS); number++)
    if (!threads.has(number)) missing.push(number);
  const started = await Promise.allSettled(missing.map((number) => start(pool, number)));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed === undefined) return;
  await Promise.all(missing.map((number) => stop(pool, number)));
  throw failed.reason;
}

async function apply<Config>(pool: Pool<Config>, count: number, timeoutMs: number): Promise<boolean> {
  const { threads, roles } = pool;
  const late = Promise.withResolvers<false>();
  const deadline = setTimeout(() => late.resolve(false), timeoutMs);
  const isNew = [...threads.keys()].filter((number) => roles.get(number) === 'new');
  const others = [...threads.keys()].filter((number) => !isNew.includes(number));
  for (const number of others) {
    const role = number <= count ? 'serving' : 'leaving';
    if (roles.get(number) !== role) setRole(pool, number, role);
  }
  // They take the lock of the shared memory before another thread uses it.
  let inTime = await sendAndWait(pool, others, late.promise);
  for (const number of isNew) setRole(pool, number, number <= count ? 'serving' : 'leaving');
  inTime = (await sendAndWait(pool, isNew, late.promise)) && inTime;
  clearTimeout(deadline);
  return inTime;
}

async function end<Config>(pool: Pool<Config>, number: number): Promise<void> {
  const { threads, roles, memory } = pool;
  const thread = threads.get(number);
  if (thread === undefined || roles.get(number) !== 'leaving') return;
  if (!thread.isDrained || unread(memory, number) !== 0) return;
  await stop(pool, number);
  send(pool, threads.keys());
}

export function createTcpThreads<Config, Table extends CounterTable>(
  options: TcpThreadsOptions<Config, Table>,
): TcpThreads {
  const seed = createAdmissionSeed(options.maxConnections, randomWord());
  const memory = attachAdmission(seed);
  const pool: Pool<Config> = {
    options,
    explanations: Object.entries(options.counterTable),
    seed,
    memory,
    letter: createLetter(),
    blocks: [],
    threads: new Map(),
    roles: new Map(),
    earlierRestarts: 0,
    notifyApplied: undefined,
  };
  const { blocks, threads, roles, letter } = pool;
  return {
    get serving() {
      return [...threads.keys()].filter((number) => roles.get(number) !== 'leaving').length;
    },
    get restarts() {
      return [...threads.values()].reduce((sum, { worker }) => sum + worker.restarts, pool.earlierRestarts);
    },
    get isRestarting() {
      return [...threads.values()].some(({ worker }) => !worker.alive);
    },
    get isDrained() {
      return (
        [...threads.values()].every(({ isDrained }) => isDrained) &&
        memory.all.usedSlots === 0 &&
        [...threads.keys()].every((number) => unread(memory, number) === 0)
      );
    },
    get applied() {
      return threads.size === 0 ? 0 : Math.min(...[...threads.values()].map(({ applied }) => applied));
    },
    get longOpenings() {
      return { used: memory.openings.usedUnits - memory.openings.usedSlots, size: LONG_OPENING_UNITS };
    },
    grow: (count) => grow(pool, count),
    apply: (count, timeoutMs) => apply(pool, count, timeoutMs),
    send: () => send(pool, threads.keys()),
    tell(told) {
      for (const { worker } of threads.values()) worker.send({ told });
    },
    end: (number) => end(pool, number),
    get holders() {
      return blocks.map(({ holders }) => holders);
    },
    counters: () => readCounters(...blocks.map(({ counters }) => counters)),
    gauges: () => readCounters(...blocks.map(({ gauges }) => gauges)),
    fail: (number) => threads.get(number)?.worker.fail(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...threads.keys()].map((number) => stop(pool, number)));
      for (const [i, { reader, bellFd }] of blocks.entries()) {
        while (readLetter(memory, i + 1, letter)) close(letter.fd);
        reader?.[Symbol.dispose]();
        close(bellFd);
      }
    },
  };
}
