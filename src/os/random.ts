/**
 * Random bits from the kernel's generator, for seeds and ports in worker threads. node:crypto has the same, but loading it
 * costs each thread 5 ms and 1.1 MB.
 */
import { check, getrandom, pinned } from './libc.ts';

/** getrandom(2) gives as many at once, whatever happens. */
const AT_ONCE_BYTES = 256;

/** Fills `into` with bits that nobody can foretell. */
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
