/**
 * Moves bytes from one socket of a connection to the other. Short connections are copied (read, write); a direction
 * that has moved SPLICE_AFTER_BYTES goes on through a pipe (splice), where bytes never enter this process.
 *
 * Nothing is read before `to` has room, so a stalled reader holds at most one chunk or one pipe, and TCP's window
 * slows its peer. A FIN is passed on when everything before it has been. A reset is passed on as a reset, after what
 * arrived before it.
 */
import {
  E,
  SHUT_WR,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  errno,
  read,
  shutdown,
  splice,
  write,
} from '../os/libc.ts';
import { type Connection, type Half, oppositeOf } from './connection.ts';
import type { TcpCounters } from './counters.ts';
import type { AnswerVerdict } from './gate.ts';
import { HOST, type HostCounters } from './host-slots.ts';
import { PIPE_BYTES, type PipePool } from './pipe-pool.ts';

/** What one read takes at most. */
export const CHUNK_BYTES = 64 * 1024;
/** Setting up a pipe pays from about here on. */
const SPLICE_AFTER_BYTES = 128 * 1024;
/** A direction's share of one turn of the loop. */
const TURN_BYTES = 1024 * 1024;
/** Above this, all stalled readers together, chunks become small. */
const HELD_LIMIT_BYTES = 32 * 1024 * 1024;
const SMALL_CHUNK_BYTES = 4096;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

export interface RelayOptions {
  readonly counters: TcpCounters;
  readonly hosts: HostCounters;
  readonly pipes: PipePool;
  /** CHUNK_BYTES of pinned memory, free between calls. */
  readonly scratch: Uint8Array;
  /** Both halves are finished: the connection is to be closed. */
  readonly onFinished: (connection: Connection) => void;
  /** What the client sends is not what it may send. */
  readonly onMalformedUpload: (connection: Connection) => void;
  /** The server's first bytes have been judged. */
  readonly onAnswer: (connection: Connection, verdict: Exclude<AnswerVerdict, { kind: 'more' }>) => void;
  /** The server has ended (or reset) its answer in a connection of one exchange. True: handled, leave it alone. */
  readonly onAnswerEnded: (connection: Connection) => boolean;
  /** The half has work: pump it soon. */
  readonly queue: (half: Half) => void;
}

export interface Relay {
  /** Bytes to send before any that are read, behind those that wait already. */
  hold(half: Half, bytes: Uint8Array | null): void;
  /**
   * Moves what can be moved. True when the half used up its share of the turn and wants to go on.
   * The connection may be closed when it returns.
   */
  pump(half: Half, nowMs: number): boolean;
  /** `half.to` takes no more: drops what was meant for it and lets the other direction drain before the end. */
  abandon(half: Half): void;
  /** Gives back what the half holds. */
  release(half: Half): void;
}

export function createRelay({
  counters,
  hosts: { values: hostValues },
  pipes,
  scratch,
  onFinished,
  onMalformedUpload,
  onAnswer,
  onAnswerEnded,
  queue,
}: RelayOptions): Relay {
  const { values, index } = counters;
  let heldBytes = 0;

  function hold(half: Half, bytes: Uint8Array | null): void {
    if (bytes === null || bytes.length === 0) return;
    half.held = half.held === null ? bytes : Buffer.concat([half.held, bytes]);
    heldBytes += bytes.length;
  }

  function release(half: Half): void {
    if (half.held !== null) {
      heldBytes -= half.held.length;
      half.held = null;
    }
    if (half.pipe !== null) {
      pipes.give(half.pipe, half.pipedBytes === 0);
      half.pipe = null;
      half.pipedBytes = 0;
    }
  }

  function count(half: Half, bytes: number): void {
    const { connection } = half;
    const isUp = half === connection.up;
    values[isUp ? index['bytes-up'] : index['bytes-down']] += bytes;
    hostValues[connection.hostAt + (isUp ? HOST.UP : HOST.DOWN)] += bytes;
    half.totalBytes += bytes;
    if (half.movedBytes < SPLICE_AFTER_BYTES) half.movedBytes += bytes;
    if (half.remainingBytes > 0) half.remainingBytes -= bytes;
  }

  function finish(half: Half): void {
    const { connection } = half;
    if (half === connection.down && connection.oneExchange && onAnswerEnded(connection)) return;
    half.finished = true;
    if (oppositeOf(half).finished) onFinished(connection);
    else shutdown(half.to, SHUT_WR);
  }

  function abandon(half: Half): void {
    release(half);
    half.connection.failed = true;
    half.ended = half.finished = true;
    if (oppositeOf(half).finished) onFinished(half.connection);
  }

  /** `half.to` failed under a write; what `half.to` had sent before still goes the other way. */
  function writeFailed(half: Half): void {
    abandon(half);
    const opposite = oppositeOf(half);
    if (opposite.finished) return;
    opposite.readable = opposite.exhaustive = true;
    queue(opposite);
  }

  /** `half.from` failed under a read: all that it sent has been taken. */
  function readFailed(half: Half): void {
    half.ended = true;
    half.connection.failed = true;
    const opposite = oppositeOf(half);
    release(opposite);
    opposite.ended = opposite.finished = true;
  }

  function pump(half: Half, nowMs: number): boolean {
    let budget = TURN_BYTES;
    for (;;) {
      if (half.finished) return false;
      if (half.held !== null) {
        if (!half.writable) return false;
        const written = write(half.to, half.held, half.held.length);
        if (written < 0) {
          if (errno() === E.EAGAIN) half.writable = false;
          else writeFailed(half);
          return false;
        }
        half.connection.sinceMs = nowMs;
        heldBytes -= written;
        half.held = written < half.held.length ? half.held.subarray(written) : null;
        continue;
      }
      if (half.pipedBytes > 0) {
        if (!half.writable) return false;
        const moved = splice(half.pipe!.readFd, null, half.to, null, half.pipedBytes, SPLICE_FLAGS);
        if (moved <= 0) {
          if (errno() === E.EAGAIN) half.writable = false;
          else writeFailed(half);
          return false;
        }
        half.pipedBytes -= moved;
        half.connection.sinceMs = nowMs;
        continue;
      }
      if (half.ended) {
        release(half);
        finish(half);
        return false;
      }
      if (half.waiting) return false;
      if (half.remainingBytes === 0 && half === half.connection.down) {
        half.ended = true; // the answer is complete
        continue;
      }
      if (!half.readable || !half.writable || budget <= 0) {
        release(half); // an empty pipe serves others
        return half.readable && half.writable;
      }
      if (half.connection.answer !== null) budget -= examine(half, nowMs);
      else if (half.remainingBytes === 0) budget -= discard(half);
      else if (half.movedBytes >= SPLICE_AFTER_BYTES && !isScanned(half)) budget -= spliceIn(half);
      else budget -= copy(half, nowMs);
    }
  }

  /** Notes why a read brought nothing. */
  function nothingRead(half: Half, result: number): void {
    if (result === 0) half.ended = true;
    else if (errno() === E.EAGAIN) half.readable = false;
    else readFailed(half);
  }

  function copy(half: Half, nowMs: number): number {
    let wanted = heldBytes > HELD_LIMIT_BYTES ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
    if (half.remainingBytes > 0 && half.remainingBytes < wanted) wanted = half.remainingBytes;
    const taken = read(half.from, scratch, wanted);
    if (taken <= 0) {
      nothingRead(half, taken);
      return 0;
    }
    // The next byte to arrive in an emptied queue makes a new edge.
    if (taken < wanted && !half.exhaustive) half.readable = false;
    half.connection.sinceMs = nowMs;
    const passing = isScanned(half) ? scan(half, taken) : taken;
    if (passing <= 0) return taken;
    count(half, passing);
    const written = write(half.to, scratch, passing);
    if (written === passing) return taken;
    if (written >= 0 || errno() === E.EAGAIN) {
      half.writable = false;
      hold(half, Buffer.from(scratch.subarray(Math.max(written, 0), passing)));
    } else {
      writeFailed(half);
    }
    return taken;
  }

  /** How many of the bytes just read may pass; the rest, and what comes behind it, is discarded. */
  function scan(half: Half, taken: number): number {
    const { connection } = half;
    const passing = connection.upload!.push(scratch.subarray(0, taken));
    if (passing < 0) onMalformedUpload(connection);
    else if (passing < taken) {
      half.remainingBytes = 0;
      values[index['bytes-discarded']] += taken - passing;
    }
    return passing;
  }

  /** What the server says first: held back until its judge knows what it is. */
  function examine(half: Half, nowMs: number): number {
    const { connection } = half;
    const taken = read(half.from, scratch, CHUNK_BYTES);
    if (taken <= 0) {
      nothingRead(half, taken);
      return 0;
    }
    if (taken < CHUNK_BYTES && !half.exhaustive) half.readable = false;
    connection.sinceMs = nowMs;
    const verdict = connection.answer!.push(scratch.subarray(0, taken));
    if (verdict.kind === 'more') return taken;
    if (verdict.kind === 'pass') count(half, verdict.bytes.length);
    onAnswer(connection, verdict);
    return taken;
  }

  function spliceIn(half: Half): number {
    half.pipe ??= pipes.take();
    if (half.pipe === null) {
      half.movedBytes = 1; // no pipe to be had: copy a while, then ask again
      return 0;
    }
    const limit = half.remainingBytes;
    // The pipe is empty here, so EAGAIN speaks of the socket.
    const wanted = limit > 0 && limit < PIPE_BYTES ? limit : PIPE_BYTES;
    const taken = splice(half.from, null, half.pipe.writeFd, null, wanted, SPLICE_FLAGS);
    if (taken <= 0) {
      nothingRead(half, taken);
      return 0;
    }
    half.pipedBytes = taken;
    count(half, taken);
    return taken;
  }

  function discard(half: Half): number {
    const taken = read(half.from, scratch, CHUNK_BYTES);
    if (taken <= 0) {
      nothingRead(half, taken);
      return 0;
    }
    values[index['bytes-discarded']] += taken;
    return taken;
  }

  return { hold, pump, abandon, release };
}

const isScanned = (half: Half): boolean => half.connection.upload !== null && half === half.connection.up;
