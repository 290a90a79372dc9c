/**
 * Starts a worker thread and keeps it running. If it dies or its loop hangs, what it left open is closed, and it is restarted
 * with the latest `init()`. Other threads do not notice.
 */
import { Worker } from 'node:worker_threads';
import { FdLedger } from '../os/fd-ledger.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, check, close, eventfd, pinned, write } from '../os/libc.ts';
import type { Logger } from './log.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-thread.ts';

/**
 * A thread that has not started after this time never will. The limit is generous: ending a thread while it loads koffi aborts
 * the whole process (an addon that throws into a thread that is ending), and a busy or emulated machine takes 20 s.
 */
const READY_TIMEOUT_MS = 60_000;
/** A loop that has not turned for this long is stuck: ten times what it may block. In a debugger it may stand at a breakpoint. */
const STUCK_AFTER_MS = process.execArgv.some((option) => /^--inspect(-brk|-wait)?(=|$)/.test(option))
  ? Infinity
  : 10_000;
/**
 * The longest time between two looks that counts. Looks are a second apart: when one comes much later, the main thread stood still
 * itself (a stopped process, a frozen cgroup, a card that takes seconds to write), and knows nothing of the others.
 */
const LONGEST_LOOK_MS = 2000;
const FIRST_RESTART_DELAY_MS = 10;
const LONGEST_RESTART_DELAY_MS = 5000;
/** After this much service, a thread that dies is restarted without the delay that earlier deaths had built up. */
const HEALTHY_AFTER_MS = 10_000;
/**
 * A thread that needs more has a leak: it dies alone and is restarted. This is many times what 30,000 connections need. With a
 * limit, V8 also reserves less from the start (5 MB in four threads).
 */
const HEAP_LIMIT_MB = 256;
/** A loop that does not react to `stop` for this time is terminated. */
const STOP_TIMEOUT_MS = 3000;

export interface WorkerOptions<Init, Out> {
  /** Name for the log and the thread, e.g. "nat64". */
  readonly name: string;
  /** The module that the thread runs. */
  readonly entry: URL;
  /** The data for the thread, structured-cloneable. It is requested at each start, so it must be the current state. */
  readonly init: () => Init;
  readonly onMessage?: (message: Out) => void;
  /** The thread has ended, and its descriptors are closed. If it was not stopped, it is started again later. */
  readonly onEnd?: () => void;
  readonly log: Logger;
}

export interface SupervisedWorker<In> extends AsyncDisposable {
  /** How often the thread died and was restarted. */
  readonly restarts: number;
  /** False while a dead thread is being replaced. */
  readonly alive: boolean;
  /** Queues a message and wakes the loop. A message to a dead thread is dropped, because `init()` carries the current state. */
  send(message: In): void;
  /** Test hook: makes the thread throw. */
  fail(): void;
}

const tasks = new Set<(nowMs: number) => void>();
let seconds: NodeJS.Timeout | undefined;

/** Calls a task each second until disposed. All threads share one timer, so the main thread wakes up only once. */
function eachSecond(task: (nowMs: number) => void): Disposable {
  tasks.add(task);
  seconds ??= setInterval(() => {
    const nowMs = performance.now();
    for (const each of tasks) each(nowMs);
  }, 1000).unref();
  return {
    [Symbol.dispose]() {
      tasks.delete(task);
      if (tasks.size > 0) return;
      clearInterval(seconds);
      seconds = undefined;
    },
  };
}

/**
 * Tells, look by look, whether a loop stands still: true once each time that its count of turns has stayed the same for too
 * long. Undefined: there is no loop to look at.
 */
export function createStillness(startMs: number): (turns: number | undefined, nowMs: number) => boolean {
  let lastTurns: number | undefined;
  let lookedMs = startMs;
  let stillMs = 0;
  return (turns, nowMs) => {
    const passedMs = Math.min(nowMs - lookedMs, LONGEST_LOOK_MS);
    lookedMs = nowMs;
    stillMs = turns === undefined || turns !== lastTurns ? 0 : stillMs + passedMs;
    lastTurns = turns;
    if (stillMs <= STUCK_AFTER_MS) return false;
    stillMs = 0;
    return true;
  };
}

/** Starts the thread; resolves when it serves, rejects when its first start fails. */
export async function superviseWorker<Init, In, Out = never>(
  options: WorkerOptions<Init, Out>,
): Promise<SupervisedWorker<In>> {
  const log = options.log.child({ worker: options.name });
  const wakeFd = check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), `${options.name}: eventfd`);
  const ledger = new FdLedger();
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const one = pinned(8);
  one[0] = 1;

  let worker: Worker | undefined;
  /** Its loop does not run yet. */
  let starting = false;
  let stopping = false;
  let restarts = 0;
  let restartDelayMs = FIRST_RESTART_DELAY_MS;
  let restartTimer: NodeJS.Timeout | undefined;

  const control = (message: ToWorker<In>) => {
    if (worker === undefined) return;
    worker.postMessage(message);
    write(wakeFd, one, 8);
  };

  /** Resolves when the thread is ready; rejects if it ends before that. `restart` handles later ends. */
  function start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const data: WorkerData<Init> = {
      init: options.init(),
      wakeFd,
      ledger: ledger.buffer,
      heartbeat: beats.buffer as SharedArrayBuffer,
    };
    const startedAt = performance.now();
    let ready = false;
    const onReady = () => {
      ready = true;
      starting = false;
      resolve();
    };
    const thread = openThread(options, log, data, onReady, (failure) => {
      if (worker === thread) worker = undefined;
      const leaked = ledger.closeAll();
      options.onEnd?.();
      if (stopping) return resolve();
      if (!ready) return reject(failure);
      log.error({ err: failure, leaked }, `${options.name}: worker died, starting it again`);
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) restartDelayMs = FIRST_RESTART_DELAY_MS;
      restart();
    });
    worker = thread;
    starting = true;
    return promise;
  }

  function restart(): void {
    restarts++;
    restartTimer = setTimeout(() => {
      start().then(
        () => log.info({ restarts }, `${options.name}: worker serves again`),
        (error: unknown) => {
          if (stopping) return;
          log.error({ err: error }, `${options.name}: worker failed to start`);
          restart();
        },
      );
    }, restartDelayMs);
    restartDelayMs = Math.min(restartDelayMs * 4, LONGEST_RESTART_DELAY_MS);
  }

  const isStuck = createStillness(performance.now());
  const watchdog = eachSecond((now) => {
    const turns = worker === undefined || starting ? undefined : beats[0];
    if (!isStuck(turns, now)) return;
    log.error({}, `${options.name}: worker loop stands still, ending it`);
    void worker?.terminate();
  });

  async function stop(): Promise<void> {
    stopping = true;
    watchdog[Symbol.dispose]();
    clearTimeout(restartTimer);
    const thread = worker;
    if (thread !== undefined) {
      const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
      control({ kind: 'stop' });
      const deadline = setTimeout(() => void thread.terminate(), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(deadline);
    }
    close(wakeFd);
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get restarts() {
      return restarts;
    },
    get alive() {
      return worker !== undefined;
    },
    send: (message) => control({ kind: 'message', message }),
    fail: () => control({ kind: 'fail' }),
    [Symbol.asyncDispose]: stop,
  };
}

/** A thread that may not get ready for ever. `onExit` hears what ended it. */
function openThread<Init, Out>(
  options: WorkerOptions<Init, Out>,
  log: Logger,
  workerData: WorkerData<Init>,
  onReady: () => void,
  onExit: (failure: unknown) => void,
): Worker {
  const { name, entry } = options;
  const thread = new Worker(entry, {
    workerData,
    name,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
  });
  let failure: unknown;
  const deadline = setTimeout(() => {
    failure = new Error(`${name}: worker not ready after ${READY_TIMEOUT_MS} ms`);
    void thread.terminate();
  }, READY_TIMEOUT_MS);
  thread.on('message', (message: FromWorker<Out>) => {
    if (message.kind === 'log') log[message.level](message.fields, message.message);
    else if (message.kind === 'message') options.onMessage?.(message.message);
    else {
      clearTimeout(deadline);
      onReady();
    }
  });
  thread.on('error', (error) => (failure ??= error));
  thread.on('exit', () => {
    clearTimeout(deadline);
    onExit(failure ?? new Error(`${name}: worker ended without an error`));
  });
  return thread;
}
