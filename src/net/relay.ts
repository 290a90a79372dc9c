/**
 * Moves bytes from one socket of a connection to the other. At first bytes are copied (read, write). A direction that has
 * moved SPLICE_AFTER_BYTES continues through a pipe (splice), so that its bytes never enter this process.
 *
 * Nothing is read unless `to` has room, so a stalled reader holds at most one chunk or one pipe, and the TCP window slows its
 * peer down. A FIN is passed on after everything before it. A reset is passed on as a reset, after the data that arrived before
 * it.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import {
  E,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  SHUT_WR,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  errno,
  recvAt,
  shutdown,
  splice,
  write,
  sendAt,
} from '../os/libc.ts';
import { type Half, oppositeOf } from './connection.ts';
import { finished } from './ending.ts';
import { hold, release, takePipe, unhold } from './holding.ts';
import { HOST } from './host-slots.ts';
import { CHUNK_BYTES, EDGES, type Loop, queue } from './loop.ts';
import { PIPE_BYTES } from './pipe-pool.ts';

/** From about this amount on, the cost of a pipe pays off. */
const SPLICE_AFTER_BYTES = 128 * 1024;
/** If all stalled readers together hold more than this, chunks become small. */
export const HELD_LIMIT_BYTES = 32 * 1024 * 1024;
export const SMALL_CHUNK_BYTES = 4096;
const SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

/**
 * Moves as much as possible. True if the half has used up its share of the turn and has more to move.
 * The connection may be closed when it returns.
 */
export function pump(loop: Loop, half: Half): boolean {
  let budget = loop.shareBytes;
  for (;;) {
    if (half.finished) return false;
    if (half.held !== null) {
      if (!sendHeld(loop, half)) return false;
      continue;
    }
    if (half.pipedBytes > 0) {
      if (!spliceOut(loop, half)) return false;
      continue;
    }
    if (half.ended) {
      release(loop, half);
      finish(loop, half);
      return false;
    }
    if (!half.readable || !half.writable || budget <= 0) {
      release(loop, half); // the empty pipe can serve other connections
      return half.readable && half.writable;
    }
    budget -= half.movedBytes >= SPLICE_AFTER_BYTES ? spliceIn(loop, half) : copy(loop, half);
  }
}

/** `half.to` accepts no more data: drops what was meant for it. The other direction may finish before the connection ends. */
export function abandon(loop: Loop, half: Half): void {
  release(loop, half);
  half.connection.failed = true;
  half.ended = half.finished = true;
  if (oppositeOf(half).finished) finished(loop, half.connection);
}

function count({ values, index, hosts }: Loop, half: Half, bytes: number): void {
  const { connection } = half;
  const isUp = half === connection.up;
  values[isUp ? index['bytes-up'] : index['bytes-down']] += bytes;
  hosts.values[connection.hostAt + (isUp ? HOST.UP : HOST.DOWN)] += bytes;
  half.totalBytes += bytes;
  if (half.movedBytes < SPLICE_AFTER_BYTES) half.movedBytes += bytes;
}

function finish(loop: Loop, half: Half): void {
  const { connection } = half;
  half.finished = true;
  if (oppositeOf(half).finished) return finished(loop, connection);
  connection.sinceMs = loop.nowMs; // the time of a half-closed connection begins
  shutdown(half.to, SHUT_WR);
}

/** Sends held bytes; false if `half.to` takes no more at present. */
function sendHeld(loop: Loop, half: Half): boolean {
  if (!half.writable) return false;
  const held = half.held!;
  const written = write(half.to, held, held.length);
  if (written < 0) {
    notWritten(loop, half);
    return false;
  }
  half.connection.sinceMs = loop.nowMs;
  unhold(loop, half, written);
  return true;
}

/** The same for the bytes in the pipe. */
function spliceOut(loop: Loop, half: Half): boolean {
  if (!half.writable) return false;
  const moved = splice(half.pipe!.readFd, null, half.to, null, half.pipedBytes, SPLICE_FLAGS);
  if (moved <= 0) {
    notWritten(loop, half);
    return false;
  }
  half.pipedBytes -= moved;
  half.connection.sinceMs = loop.nowMs;
  return true;
}

/** Handles a write to `half.to` that wrote nothing. */
function notWritten(loop: Loop, half: Half): void {
  if (errno() === E.EAGAIN) blocked(loop, half);
  else writeFailed(loop, half);
}

/** `half.to` takes no more at present; its next event says when it does. */
export function blocked(loop: Loop, half: Half): void {
  half.writable = false;
  if (half.isWatched) return;
  half.isWatched = true;
  loop.epoll.change(half.to, EDGES);
}

/** A write to `half.to` failed. What `half.to` has sent before still passes in the other direction. */
function writeFailed(loop: Loop, half: Half): void {
  const opposite = oppositeOf(half);
  const code = errno();
  if (code === E.EPIPE || code === E.ECONNRESET) opposite.dead = true;
  abandon(loop, half);
  if (opposite.finished) return;
  opposite.readable = opposite.exhaustive = true;
  queue(loop, opposite);
}

/** Handles a read that returned no bytes. */
function nothingRead(loop: Loop, half: Half, result: number): void {
  if (result === 0) half.ended = true;
  else if (errno() === E.EAGAIN) half.readable = false;
  else readFailed(loop, half);
}

/** A read from `half.from` failed: everything that it sent has been read before. */
function readFailed(loop: Loop, half: Half): void {
  half.ended = half.dead = true;
  half.connection.failed = true;
  const opposite = oppositeOf(half);
  release(loop, opposite);
  opposite.ended = opposite.finished = true;
}

/** Notes a read of `taken` bytes. If it is short, the queue is empty, so the next byte to arrive causes a new edge. */
function noteTaken(half: Half, taken: number, wanted: number): void {
  if (taken === wanted || half.exhaustive) return;
  half.readable = false;
  half.ended = half.ending;
}

function copy(loop: Loop, half: Half): number {
  const { scratchAt } = loop;
  const wanted = loop.heldBytes > HELD_LIMIT_BYTES / loop.workers ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
  const taken = recvAt(half.from, scratchAt, wanted, MSG_DONTWAIT);
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  noteTaken(half, taken, wanted);
  const { connection } = half;
  connection.sinceMs = loop.nowMs;
  count(loop, half, taken);
  // The FIN that follows travels with the last bytes.
  const flags = half.ended && !connection.failed ? SEND_FLAGS | MSG_MORE : SEND_FLAGS;
  const written = sendAt(half.to, scratchAt, taken, flags);
  if (written === taken) return taken;
  if (written >= 0 || errno() === E.EAGAIN) {
    blocked(loop, half);
    hold(loop, half, Buffer.from(loop.scratch.subarray(Math.max(written, 0), taken)));
  } else {
    writeFailed(loop, half);
  }
  return taken;
}

function spliceIn(loop: Loop, half: Half): number {
  half.pipe ??= takePipe(loop, half);
  if (half.pipe === null) {
    half.movedBytes = 1; // no pipe available: copy for a while, then try again
    return 0;
  }
  // The pipe is empty here, so EAGAIN refers to the socket.
  const taken = splice(
    half.from,
    null,
    half.pipe.writeFd,
    null,
    Math.min(PIPE_BYTES, loop.shareBytes),
    SPLICE_FLAGS,
  );
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  half.pipedBytes = taken;
  count(loop, half, taken);
  return taken;
}
