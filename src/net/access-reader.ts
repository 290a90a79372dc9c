/**
 * The main thread's side of the access log: reads the records of a service's workers, and writes a line for each. While the reader
 * of the lines is slow, the records stay in the rings. So the only place where lines are lost is a full ring, and its worker
 * counts them.
 */
import { type ByteRing, createByteRing } from '../runtime/byte-ring.ts';
import type { LineOutput } from '../runtime/log-output.ts';
import { accessLine, lostLine } from './access-line.ts';

/** Of one worker: 4000 lines or more. */
export const RING_BYTES = 1 << 20;
/** The longest time that a record waits, if the lines are read. */
const READ_MS = 100;
/** The next turn when there is more than one turn may read, or than the output takes: others of the main thread get theirs. */
const AGAIN_MS = 5;
const BUSY_MS = 25;
const RECORDS_A_TURN = 1024;
/** Records whose lines are written at once. */
const RECORDS_A_WRITE = 64;
/** How often lost lines are reported. */
const TELL_MS = 1000;

export interface AccessLog extends Disposable {
  /** The memory for the records of one more worker. It outlives the worker, and serves the next one that takes its place. */
  addRing(): SharedArrayBuffer;
  /** Whether anything is to be written from now on. */
  want(isWanted: boolean): void;
}

/** `counters`: names in the order of the service's table. Without an output, nothing is recorded. */
export function createAccessLog(
  service: string,
  counters: readonly string[],
  output: LineOutput | undefined,
): AccessLog {
  const rings: ByteRing[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isWanted = false;
  let told = 0;
  let toldMs = 0;

  /** Writes lines as long as the output takes some. Returns when to read again. */
  function read(output: LineOutput): number {
    let left = RECORDS_A_TURN;
    for (const ring of rings) {
      for (let taken = RECORDS_A_WRITE; taken === RECORDS_A_WRITE && left > 0 && !output.isBusy; ) {
        let text = '';
        taken = ring.drain((at) => void (text += accessLine(service, counters, ring, at)), RECORDS_A_WRITE);
        left -= taken;
        if (taken > 0) output.write(text, taken);
      }
    }
    tellLost(output);
    if (output.isBusy) return BUSY_MS;
    return left <= 0 ? AGAIN_MS : READ_MS;
  }

  function tellLost(output: LineOutput): void {
    const lost = rings.reduce((sum, ring) => sum + ring.lost(), 0);
    const nowMs = Date.now();
    if (lost === told || output.isBusy || Math.abs(nowMs - toldMs) < TELL_MS) return;
    output.write(lostLine(service, lost - told, nowMs), 1);
    told = lost;
    toldMs = nowMs;
  }

  function readLater(output: LineOutput, milliseconds: number): void {
    timer = setTimeout(() => readLater(output, read(output)), milliseconds).unref();
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
    if (output !== undefined) read(output);
  }

  return {
    addRing() {
      const ring = createByteRing(RING_BYTES);
      ring.want(isWanted);
      rings.push(ring);
      return ring.buffer;
    },
    want(wanted) {
      isWanted = wanted && output !== undefined;
      for (const ring of rings) ring.want(isWanted);
      if (!isWanted) stop();
      else if (timer === undefined) readLater(output!, READ_MS);
    },
    [Symbol.dispose]: stop,
  };
}
