/** What a half holds between its two sockets: bytes that were read, or a pipe. */
import { Buffer } from 'node:buffer'; // the global is a getter
import type { Half } from './connection.ts';
import type { Loop } from './loop.ts';
import type { Pipe } from './pipe-pool.ts';
import { holderOf } from './share-records.ts';

/** Adds bytes to send before any that are read later, after those that wait already. */
export function hold(loop: Loop, half: Half, bytes: Uint8Array | null): void {
  if (bytes === null || bytes.length === 0) return;
  half.held = half.held === null ? bytes : Buffer.concat([half.held, bytes]);
  loop.heldBytes += bytes.length;
}

/** Removes the first `sent` bytes, which have been sent. */
export function unhold(loop: Loop, half: Half, sent: number): void {
  const held = half.held!;
  loop.heldBytes -= sent;
  half.held = sent < held.length ? held.subarray(sent) : null;
}

/** Releases what the half holds. */
export function release(loop: Loop, half: Half): void {
  if (half.held !== null) {
    loop.heldBytes -= half.held.length;
    half.held = null;
  }
  if (half.pipe !== null) givePipe(loop, half);
}

/** An empty pipe for this half; null if none is left, or none for its client. */
export const takePipe = ({ pipes, admission }: Loop, { connection }: Half): Pipe | null =>
  pipes.take(holderOf(admission.memory.all, connection.slot));

/** Gives the pipe of this half back. */
export function givePipe({ pipes }: Loop, half: Half): void {
  pipes.give(half.pipe!, half.pipedBytes === 0);
  half.pipe = null;
  half.pipedBytes = 0;
}
