/** Memory with a byte view and a 32-bit word view: messages start at multiples of four and are copied by word. */
import { pinned } from '../../os/libc.ts';

export interface Memory {
  readonly bytes: Uint8Array;
  /** The same memory in machine words: for copying and comparing, never for the numeric value. */
  readonly words: Int32Array;
}

/** Zeroed memory; the size is rounded up to whole words. */
export function newMemory(bytes: number): Memory {
  const memory = pinned((bytes + 3) & ~3);
  return { bytes: memory, words: new Int32Array(memory.buffer) };
}
