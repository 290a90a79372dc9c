/** The first bytes of a connection, joined as they come. Most clients send them in one piece: then nothing is copied. */

export interface OpeningBytes {
  buffer: Uint8Array | undefined;
  filled: number;
}

export const createOpeningBytes = (): OpeningBytes => ({ buffer: undefined, filled: 0 });

/**
 * All bytes so far, including `chunk`. Valid until the next call, and no longer than `chunk` itself; call `keepOpening()` if more
 * bytes are needed.
 */
export function appendOpening(opening: OpeningBytes, chunk: Uint8Array): Uint8Array {
  const { buffer, filled } = opening;
  if (buffer === undefined) return chunk;
  const needed = filled + chunk.length;
  let room = buffer;
  if (needed > buffer.length) {
    room = new Uint8Array(Math.max(needed, 2 * buffer.length));
    room.set(buffer.subarray(0, filled));
    opening.buffer = room;
  }
  room.set(chunk, filled);
  opening.filled = needed;
  return room.subarray(0, needed);
}

/** Keeps what `appendOpening` returned, so that it outlives its chunk. */
export function keepOpening(opening: OpeningBytes, bytes: Uint8Array): void {
  if (opening.buffer !== undefined) return;
  opening.buffer = bytes.slice();
  opening.filled = bytes.length;
}
