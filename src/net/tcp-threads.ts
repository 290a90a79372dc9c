/**
 * The worker threads of a TCP service: each runs an engine, and all of them watch the same listening sockets. The memory that they
 * share belongs to the main thread (admission-memory.ts), and so do the counters and events of each.
 */
import { close } from '../os/libc.ts';
import { randomWord } from '../os/random.ts';
import { type CounterTable, readCounters } from '../runtime/counters.ts';
import { LONG_OPENING_UNITS, MAX_WORKERS, attachAdmission, createAdmissionSeed } from './admission-memory.ts';
import type { tcpGaugeTable } from './counters.ts';
import { createLetter, readLetter, unread } from './handover.ts';
import { type Pool, type TcpThreadsOptions, send, setRole, start, stop } from './tcp-thread.ts';

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
