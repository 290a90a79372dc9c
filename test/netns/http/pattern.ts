/** Bytes that tell their own position, so that loss and reordering show. */

const BLOCK_BYTES = 65_536;

/** Every four bytes are another word: a product of their position, mixed with the seed. */
export function fillPattern(bytes: Buffer, position: number, seed = 0): void {
  for (let i = 0; i < bytes.length; i++) {
    const at = position + i;
    bytes[i] = Math.imul((at >>> 2) ^ seed, 0x9e3779b1) >>> ((at & 3) * 8);
  }
}

export function patternBytes(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  fillPattern(bytes, 0, seed);
  return bytes;
}

/** The pattern in blocks, without holding all of it. */
export function* patternBlocks(length: number, seed = 0): Generator<Buffer> {
  for (let position = 0; position < length; position += BLOCK_BYTES) {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, length - position));
    fillPattern(block, position, seed);
    yield block;
  }
}

/** Compares what arrives piece by piece with the pattern. */
export function createPatternCheck(seed = 0) {
  let position = 0;
  return {
    get position() {
      return position;
    },
    /** Throws at the first byte that differs. */
    take(chunk: Buffer): void {
      const wanted = Buffer.allocUnsafe(chunk.length);
      fillPattern(wanted, position, seed);
      if (!wanted.equals(chunk)) {
        const at = chunk.findIndex((byte, i) => byte !== wanted[i]);
        throw new Error(`the byte at ${position + at} differs`);
      }
      position += chunk.length;
    },
  };
}
