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
import { answerEnded, answered } from './answer.ts';
import { type Half, oppositeOf } from './connection.ts';
import { abort, finished } from './ending.ts';
import { hold, release, unhold } from './holding.ts';
import { HOST } from './host-slots.ts';
import { CHUNK_BYTES, EDGES, type Loop, queue } from './loop.ts';
import { PIPE_BYTES } from './pipe-pool.ts';

/** From about this amount on, the cost of a pipe pays off. */
const SPLICE_AFTER_BYTES = 128 * 1024;
/** How much one direction may move in one turn of the loop. */
const TURN_BYTES = 1024 * 1024;
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
  let budget = TURN_BYTES;
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
    if (half.waiting) return false;
    if (half.remainingBytes === 0 && half === half.connection.down) {
      half.ended = true; // the answer is complete
      continue;
    }
    if (!half.readable || !half.writable || budget <= 0) {
      release(loop, half); // the empty pipe can serve other connections
      return half.readable && half.writable;
    }
    if (half.connection.answer !== null) budget -= examine(loop, half);
    else if (half.remainingBytes === 0) budget -= discard(loop, half);
    else if (half.movedBytes >= SPLICE_AFTER_BYTES && !isScanned(half)) budget -= spliceIn(loop, half);
    else budget -= copy(loop, half);
  }
}

/** `half.to` accepts no more data: drops what was meant for it. The other direction may finish before the connection ends. */
export function abandon(loop: Loop, half: Half): void {
  release(loop, half);
  half.connection.failed = true;
  half.ended = half.finished = true;
  if (oppositeOf(half).finished) finished(loop, half.connection);
}

const isScanned = (half: Half): boolean => half.connection.upload !== null && half === half.connection.up;

function count({ values, index, hosts }: Loop, half: Half, bytes: number): void {
  const { connection } = half;
  const isUp = half === connection.up;
  values[isUp ? index['bytes-up'] : index['bytes-down']] += bytes;
  hosts.values[connection.hostAt + (isUp ? HOST.UP : HOST.DOWN)] += bytes;
  half.totalBytes += bytes;
  if (half.movedBytes < SPLICE_AFTER_BYTES) half.movedBytes += bytes;
  if (half.remainingBytes > 0) half.remainingBytes -= bytes;
}

function finish(loop: Loop, half: Half): void {
  const { connection } = half;
  if (half === connection.down && connection.oneExchange && answerEnded(loop, connection)) return;
  half.finished = true;
  if (oppositeOf(half).finished) finished(loop, connection);
  else shutdown(half.to, SHUT_WR);
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
  let wanted = loop.heldBytes > HELD_LIMIT_BYTES ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
  if (half.remainingBytes > 0 && half.remainingBytes < wanted) wanted = half.remainingBytes;
  const taken = recvAt(half.from, scratchAt, wanted, MSG_DONTWAIT);
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  noteTaken(half, taken, wanted);
  const { connection } = half;
  connection.sinceMs = loop.nowMs;
  const passing = isScanned(half) ? scanUpload(loop, half, taken) : taken;
  if (passing <= 0) return taken;
  count(loop, half, passing);
  // The FIN that follows travels with the last bytes.
  const flags = half.ended && !connection.failed ? SEND_FLAGS | MSG_MORE : SEND_FLAGS;
  const written = sendAt(half.to, scratchAt, passing, flags);
  if (written === passing) return taken;
  if (written >= 0 || errno() === E.EAGAIN) {
    blocked(loop, half);
    hold(loop, half, Buffer.from(loop.scratch.subarray(Math.max(written, 0), passing)));
  } else {
    writeFailed(loop, half);
  }
  return taken;
}

/** How many of the bytes just read may pass; the rest, and all bytes after it, are discarded. */
function scanUpload(loop: Loop, half: Half, taken: number): number {
  const { connection } = half;
  const upload = connection.upload!;
  const passing = upload.push(loop.scratch.subarray(0, taken));
  // The server has received a part of the request, so only a reset shows it that the rest will not come.
  if (passing < 0) abort(loop, connection, upload.malformedCounter);
  else if (passing < taken) {
    half.remainingBytes = 0;
    loop.values[loop.index['bytes-discarded']] += taken - passing;
  }
  return passing;
}

/** Reads the server's first bytes, which are held back until the examiner has a verdict. */
function examine(loop: Loop, half: Half): number {
  const { connection } = half;
  const { scratch, scratchAt } = loop;
  const taken = recvAt(half.from, scratchAt, CHUNK_BYTES, MSG_DONTWAIT);
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  noteTaken(half, taken, CHUNK_BYTES);
  connection.sinceMs = loop.nowMs;
  const verdict = connection.answer!.push(scratch.subarray(0, taken));
  if (verdict.kind === 'more') return taken;
  if (verdict.kind === 'pass') count(loop, half, verdict.bytes.length);
  answered(loop, connection, verdict);
  return taken;
}

function spliceIn(loop: Loop, half: Half): number {
  half.pipe ??= loop.pipes.take();
  if (half.pipe === null) {
    half.movedBytes = 1; // no pipe available: copy for a while, then try again
    return 0;
  }
  const limit = half.remainingBytes;
  // The pipe is empty here, so EAGAIN refers to the socket.
  const wanted = limit > 0 && limit < PIPE_BYTES ? limit : PIPE_BYTES;
  const taken = splice(half.from, null, half.pipe.writeFd, null, wanted, SPLICE_FLAGS);
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  half.pipedBytes = taken;
  count(loop, half, taken);
  return taken;
}

function discard(loop: Loop, half: Half): number {
  const taken = recvAt(half.from, loop.scratchAt, CHUNK_BYTES, MSG_DONTWAIT);
  if (taken <= 0) {
    nothingRead(loop, half, taken);
    return 0;
  }
  loop.values[loop.index['bytes-discarded']] += taken;
  return taken;
}
