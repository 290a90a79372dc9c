/**
 * The worker's side of a supervised thread. A data plane thread runs one blocking loop. It waits in poll or epoll on its
 * sockets and on `wakeFd`, never longer than MAX_WAIT_MS, and calls `receive()` when `wakeFd` is readable.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { FdLedger } from '../os/fd-ledger.ts';
import { pinned, read } from '../os/libc.ts';
import { GARBAGE_AFTER_MS, collectStartupGarbage } from './startup-garbage.ts';
import type { LogLevel } from './log.ts';

/** The longest a loop may block: Node can only end a thread between two system calls. */
export const MAX_WAIT_MS = 1000;

/** The data that the supervisor passes to the thread. */
export interface WorkerData<Init> {
  readonly init: Init;
  readonly wakeFd: number;
  readonly ledger: SharedArrayBuffer;
  readonly heartbeat: SharedArrayBuffer;
}

/** The messages from the thread to its supervisor. */
export type FromWorker<Out> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }
  | { readonly kind: 'message'; readonly message: Out };

/** Control messages that every thread understands, in addition to its own. */
export type ToWorker<In> =
  | { readonly kind: 'message'; readonly message: In }
  | { readonly kind: 'stop' }
  | { readonly kind: 'fail' };

export interface WorkerThread<Init, In, Out> {
  readonly init: Init;
  /** An eventfd that becomes readable when a control message waits, and stays readable until `receive()` is called. */
  readonly wakeFd: number;
  /** Every descriptor that the thread opens is recorded here, and must be closed through it. */
  readonly ledger: FdLedger;
  /** Call once per turn of the loop: it shows the supervisor that the thread is alive. */
  beat(): void;
  /** Calls `handle` for each waiting message; returns false when the thread should stop. */
  receive(handle: (message: In) => void): boolean;
  /** Reports to the supervisor that the thread serves. Call once, before the loop. */
  ready(): void;
  post(message: Out): void;
  log(level: LogLevel, fields: object, message: string): void;
}

/** The thread context of the calling worker. Throws outside a worker started by `superviseWorker`. */
export function workerThread<Init, In, Out = never>(): WorkerThread<Init, In, Out> {
  const port = parentPort;
  if (port === null) throw new Error('workerThread: not in a worker thread');
  const { init, wakeFd, ledger, heartbeat } = workerData as WorkerData<Init>;
  const beats = new Int32Array(heartbeat);
  const wakeCount = pinned(8);
  /** When the garbage of the start is collected; Infinity before the thread serves, and when that is done. */
  let collectAtMs = Number.POSITIVE_INFINITY;
  const send = (message: FromWorker<Out>) => port.postMessage(message);
  return {
    init,
    wakeFd,
    ledger: new FdLedger(ledger),
    beat() {
      beats[0]++;
      if (collectAtMs === Number.POSITIVE_INFINITY || performance.now() < collectAtMs) return;
      collectAtMs = Number.POSITIVE_INFINITY;
      collectStartupGarbage();
    },
    receive(handle) {
      read(wakeFd, wakeCount, 8);
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: ToWorker<In> } | undefined;
        if (received === undefined) return true;
        const control = received.message;
        if (control.kind === 'stop') return false;
        if (control.kind === 'fail') throw new Error('worker failed by a test hook');
        handle(control.message);
      }
    },
    ready() {
      send({ kind: 'ready' });
      collectAtMs = performance.now() + GARBAGE_AFTER_MS;
    },
    post: (message) => send({ kind: 'message', message }),
    log: (level, fields, message) => send({ kind: 'log', level, fields, message }),
  };
}
