/**
 * Where the log goes: a file descriptor that another program reads, or does not read. A full pipe, a stopped journal or a
 * halted terminal (Ctrl-S) would block the writing thread, and a full disk would make the log pile up in memory. So a write
 * never blocks, and the queue is limited.
 */
import { writeSync } from 'node:fs';
import { POLLOUT, pinned, poll } from '../os/libc.ts';

/** The most bytes that may wait. Above it, the newest lines are dropped and counted. */
export const MOST_WAITING_BYTES = 256 << 10;
/** Above it, lines that can wait elsewhere should: the rest is for the lines of the process itself. */
const BUSY_BYTES = 64 << 10;
/** Bytes that a pipe takes without blocking when poll(2) says that it takes any (pipe(7), PIPE_BUF). */
const PIECE_BYTES = 4096;
/** How soon a full pipe is tried again: at first, and at most, after twice as long each time. */
const RETRY_MS = 5;
const MAX_RETRY_MS = 100;
const EVENTS_AT = 4;
const POLLFD_BYTES = 8;

export interface LineOutput {
  /** Writes lines with their line ends. Never throws, never waits. `lines`: how many they are, if more than one. */
  write(text: string, lines?: number): void;
  /** Its reader is slow: what can wait elsewhere should not be written now. */
  readonly isBusy: boolean;
}

interface Waiting {
  bytes: Buffer;
  readonly lines: number;
}

/** Writes to `fd`, blocking or not. Its mode is not changed, because other processes share the descriptor. */
export function openLogOutput(
  fd: number,
  writeNow: (fd: number, bytes: Uint8Array) => number = writeSync,
): LineOutput {
  const pollfd = pinned(POLLFD_BYTES);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(EVENTS_AT, POLLOUT, true);
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let leftOut = 0;
  let timer: NodeJS.Timeout | undefined;
  let retryMs = RETRY_MS;

  /** Also true for a closed descriptor: the write then returns the error. */
  const takesMore = (): boolean => poll(pollfd, 1, 0) > 0;

  function flush(): void {
    timer = undefined;
    while (waiting.length > 0) {
      if (!takesMore()) return retry();
      const [first] = waiting;
      const piece = first.bytes.subarray(0, PIECE_BYTES);
      let written: number;
      try {
        written = writeNow(fd, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return retry();
        // The disk is full, or the reader is gone: drop what waits, newer lines are worth more.
        for (const { lines } of waiting) leftOut += lines;
        waiting = [];
        waitingBytes = 0;
        return;
      }
      waitingBytes -= written;
      retryMs = RETRY_MS;
      if (written === first.bytes.length) waiting.shift();
      else first.bytes = first.bytes.subarray(written);
    }
    if (leftOut === 0) return;
    const line = noteOf(leftOut);
    leftOut = 0;
    add(Buffer.from(line), 1);
    flush();
  }

  function retry(): void {
    timer ??= setTimeout(flush, retryMs).unref();
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }

  function add(bytes: Buffer, lines: number): void {
    waiting.push({ bytes, lines });
    waitingBytes += bytes.length;
  }

  return {
    write(text, lines = 1) {
      const bytes = Buffer.from(text);
      if (waitingBytes + bytes.length > MOST_WAITING_BYTES) leftOut += lines;
      else add(bytes, lines);
      if (timer === undefined) flush();
    },
    get isBusy() {
      return waitingBytes > BUSY_BYTES;
    },
  };
}

/** The format in which pino writes a warning. */
const noteOf = (count: number): string =>
  `${JSON.stringify({ level: 40, time: Date.now(), lines: count, msg: 'log: lines were left out, because nobody read them' })}\n`;
