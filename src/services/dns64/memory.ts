/** Memory that is looked at by the byte and by the 32-bit word: messages start at multiples of four and are copied by the word. */
import { pinned } from '../../os/libc.ts';

export interface Memory {
  readonly bytes: Uint8Array;
  /** The same memory in machine words: for copying and comparing, never for their value. */
  readonly words: Int32Array;
}

/** Zeroed memory; the size is rounded up to whole words. */
export function newMemory(bytes: number): Memory {
  const memory = pinned((bytes + 3) & ~3);
  return { bytes: memory, words: new Int32Array(memory.buffer) };
}
