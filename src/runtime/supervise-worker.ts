/**
 * Starts a worker thread and keeps it running: one that dies, or whose loop stands still, is started again with the
 * latest `init()`, after what it left open has been closed. Other threads never notice.
 */
import { Worker } from 'node:worker_threads';
import { FdLedger } from '../os/fd-ledger.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, check, close, eventfd, pinned, write } from '../os/libc.ts';
import type { Logger } from './log.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-thread.ts';

/**
 * A thread that has not started after this long never will. Generous, because ending one while it loads koffi aborts the
 * whole process (an addon that throws into a thread that is ending), and a busy or emulated machine takes 20 s.
 */
const READY_TIMEOUT_MS = 60_000;
/** A loop that has not turned for this long is stuck: ten times what it may block. */
const STUCK_AFTER_MS = 10_000;
const FIRST_RESTART_DELAY_MS = 10;
const LONGEST_RESTART_DELAY_MS = 5000;
/** A thread that served this long before it died starts again without the delay that earlier deaths had built up. */
const HEALTHY_AFTER_MS = 10_000;
/**
 * A thread that needs more has a leak: it dies alone and is started again. Many times what 30,000 connections take, and
 * with a limit V8 reserves less from the start (5 MB in four threads).
 */
const HEAP_LIMIT_MB = 256;
/** A loop that does not heed `stop` for this long is terminated. */
const STOP_TIMEOUT_MS = 3000;

export interface WorkerOptions<Init, Out> {
  /** For the log and the thread's name, e.g. "nat64". */
  readonly name: string;
  /** The module that the thread runs. */
  readonly entry: URL;
  /** What the thread is given, structured-cloneable; asked for anew at each start, so it must be the current state. */
  readonly init: () => Init;
  readonly onMessage?: (message: Out) => void;
  readonly log: Logger;
}

export interface SupervisedWorker<In> extends AsyncDisposable {
  /** How often the thread died and was started again. */
  readonly restarts: number;
  /** False while a dead thread is being replaced. */
  readonly alive: boolean;
  /** Queues a message and wakes the loop. A message to a dead thread is dropped: `init()` carries the current state. */
  send(message: In): void;
  /** Test hook: makes the thread throw. */
  fail(): void;
}

const tasks = new Set<(nowMs: number) => void>();
let seconds: NodeJS.Timeout | undefined;

/** Calls a task each second until disposed: one timer, and so one wake-up of the main thread, for all threads. */
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
  /** Its loop does not turn yet. */
  let starting = false;
  let stopping = false;
  let restarts = 0;
  let restartDelayMs = FIRST_RESTART_DELAY_MS;
  let restartTimer: NodeJS.Timeout | undefined;

  const control = (message: ToWorker<In>) => {
    worker?.postMessage(message);
    write(wakeFd, one, 8);
  };

  /** Resolves when the thread is ready; rejects when it ends before. Later ends are handled by `restart`. */
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

  const watchdog = watchBeats(
    beats,
    () => worker !== undefined && !starting,
    () => {
      log.error({}, `${options.name}: worker loop stands still, ending it`);
      void worker?.terminate();
    },
  );

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

/** Looks whether the loop still turns, while it should. */
function watchBeats(beats: Int32Array, isWatched: () => boolean, onStuck: () => void): Disposable {
  let lastBeat = beats[0];
  let lastBeatAt = performance.now();
  return eachSecond((now) => {
    if (beats[0] !== lastBeat || !isWatched()) {
      lastBeat = beats[0];
      lastBeatAt = now;
    } else if (now - lastBeatAt > STUCK_AFTER_MS) {
      lastBeatAt = now;
      onStuck();
    }
  });
}
