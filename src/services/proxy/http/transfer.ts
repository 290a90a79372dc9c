/**
 * Moves the bytes of messages. Small bodies are copied through the buffer; long ones whose end is known by counting go through a
 * pipe (splice). Nothing is read while its recipient takes nothing, so TCP slows the sender down.
 */
import {
  E,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  errno,
  recvAt,
  sendAt,
  splice,
  write,
} from '../../../os/libc.ts';
import type { Half } from '../../../net/connection.ts';
import { givePipe, hold, takePipe, unhold } from '../../../net/holding.ts';
import { HOST } from '../../../net/host-slots.ts';
import type { Loop } from '../../../net/loop.ts';
import { PIPE_BYTES } from '../../../net/pipe-pool.ts';
import { HELD_LIMIT_BYTES, SMALL_CHUNK_BYTES, blocked } from '../../../net/relay.ts';
import { type Body, takeBody } from './body.ts';
import { INPUT, INPUT_END, bufferAddress, copyOf } from './buffer.ts';
import { countBody } from './exchanges.ts';

/** From about this amount on, the cost of a pipe pays off. */
const SPLICE_FROM_BYTES = 128 * 1024;
const SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

/** Results of `receive` and `moveBody`, beside a number of bytes. */
export const NOTHING = 0;
export const ENDED = -1;
export const FAILED = -2;
export const MALFORMED = -3;

/** How far the next read may go: if all stalled recipients together hold a lot, pieces become small. */
export const readLimit = ({ heldBytes, workers }: Loop, at: number): number =>
  heldBytes > HELD_LIMIT_BYTES / workers ? Math.min(at + SMALL_CHUNK_BYTES, INPUT_END) : INPUT_END;

/** Reads to an offset of the buffer. More than 0: bytes; NOTHING: no more at present; ENDED: a FIN; FAILED: a reset or an error. */
export function receive(half: Half, at: number, limit: number): number {
  const room = limit - at;
  const taken = recvAt(half.from, bufferAddress + at, room, MSG_DONTWAIT);
  if (taken > 0) {
    // The queue is empty: the next byte to arrive causes an edge.
    if (taken < room && !half.exhaustive) half.readable = false;
    return taken;
  }
  return nothingRead(half, taken);
}

/** What a read that returned no bytes means; `errno()` is that of the read. */
function nothingRead(half: Half, result: number): number {
  half.readable = false;
  if (result !== 0 && errno() === E.EAGAIN) return NOTHING;
  half.ended = true;
  return result === 0 ? ENDED : FAILED;
}

/** Counts bytes that pass to the server or to the client. */
export function countBytes({ values, index, hosts }: Loop, half: Half, bytes: number): void {
  const { connection } = half;
  const isUp = half === connection.up;
  values[isUp ? index['bytes-up'] : index['bytes-down']] += bytes;
  hosts.values[connection.hostAt + (isUp ? HOST.UP : HOST.DOWN)] += bytes;
  half.totalBytes += bytes;
}

/** Sends a part of the buffer, or holds what is not taken now. False if the recipient is gone (`half.finished`). */
export function send(loop: Loop, half: Half, at: number, bytes: number): boolean {
  if (bytes === 0) return true;
  countBytes(loop, half, bytes);
  let sent = 0;
  if (half.held === null && half.writable) {
    sent = sendAt(half.to, bufferAddress + at, bytes, SEND_FLAGS);
    if (sent === bytes) return true;
    if (sent < 0 && errno() !== E.EAGAIN) {
      half.finished = true;
      return false;
    }
    blocked(loop, half);
    sent = Math.max(sent, 0);
  }
  hold(loop, half, copyOf(at + sent, at + bytes));
  return true;
}

/** Sends what is held or in the pipe. True if nothing is left; false: the recipient takes no more now, or is gone (`half.finished`). */
export function flush(loop: Loop, half: Half): boolean {
  while (half.held !== null || half.pipedBytes > 0) {
    if (!half.writable || half.finished) return false;
    const sent =
      half.held !== null
        ? write(half.to, half.held, half.held.length)
        : splice(half.pipe!.readFd, null, half.to, null, half.pipedBytes, SPLICE_FLAGS);
    if (sent <= 0) {
      if (errno() === E.EAGAIN) blocked(loop, half);
      else half.finished = true;
      return false;
    }
    half.connection.sinceMs = loop.nowMs;
    if (half.held !== null) unhold(loop, half, sent);
    else half.pipedBytes -= sent;
  }
  if (half.pipe !== null) {
    givePipe(loop, half);
  }
  return true;
}

/**
 * Moves one piece of a body; the recipient must have taken everything before it. More than 0: bytes read; or NOTHING, ENDED,
 * FAILED (of the sender), MALFORMED. `rest` then says what follows the body.
 */
export function moveBody(loop: Loop, half: Half, body: Body): number {
  rest.from = rest.to = 0;
  if (!half.readable) return NOTHING;
  if (!body.isChunked && (body.remaining > SPLICE_FROM_BYTES || isLongUntilClose(half, body))) {
    const moved = spliceBody(loop, half, body);
    if (moved !== COPY) return moved;
  }
  const taken = receive(half, INPUT, readLimit(loop, INPUT));
  if (taken <= 0) return taken;
  const end = INPUT + taken;
  const belongs = takeBody(body, INPUT, end);
  if (belongs < 0) return MALFORMED;
  rest.from = INPUT + belongs;
  rest.to = end;
  half.connection.sinceMs = loop.nowMs;
  countBody(half, body.passing);
  send(loop, half, INPUT, body.passing);
  return taken;
}

/** Where the bytes of the buffer are that followed the body in the last call of moveBody; none if both are equal. */
export const rest = { from: 0, to: 0 };

const COPY = -4;

const isLongUntilClose = (half: Half, { remaining }: Body): boolean =>
  remaining < 0 && half.totalBytes >= SPLICE_FROM_BYTES;

function spliceBody(loop: Loop, half: Half, body: Body): number {
  half.pipe ??= takePipe(loop, half);
  if (half.pipe === null) return COPY;
  const wanted = Math.min(body.remaining > 0 ? body.remaining : PIPE_BYTES, PIPE_BYTES, loop.shareBytes);
  // The pipe is empty, so EAGAIN refers to the socket.
  const taken = splice(half.from, null, half.pipe.writeFd, null, wanted, SPLICE_FLAGS);
  if (taken > 0) {
    half.pipedBytes = taken;
    if (body.remaining > 0) body.remaining -= taken;
    countBytes(loop, half, taken);
    countBody(half, taken);
    half.connection.sinceMs = loop.nowMs;
    flush(loop, half);
    return taken;
  }
  return nothingRead(half, taken);
}
