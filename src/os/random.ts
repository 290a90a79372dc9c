/**
 * Random bits from the kernel's generator, for seeds and ports in worker threads. node:crypto provides them too, but loading it
 * costs each thread 5 ms and 1.1 MB.
 */
import { check, getrandom, pinned } from './libc.ts';

/** getrandom(2) never returns fewer bytes than this when this many are requested. */
const AT_ONCE_BYTES = 256;

/** Fills `into` with unpredictable bits. */
export function fillRandom(into: Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): void {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < bytes.length; at += AT_ONCE_BYTES) {
    const piece = bytes.subarray(at, at + AT_ONCE_BYTES);
    check(getrandom(piece, piece.length, 0), 'getrandom');
  }
}

/** An unsigned number of 32 bits. */
export function randomWord(): number {
  const bytes = pinned(4);
  fillRandom(bytes);
  return new DataView(bytes.buffer).getUint32(0);
}
