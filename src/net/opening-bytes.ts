/** The first bytes of a connection, joined as they come. Most clients send them at once: nothing is copied then. */

export class OpeningBytes {
  #buffer: Uint8Array | undefined;
  #filled = 0;

  /**
   * Everything so far, `chunk` included. Valid until the next call, and no longer than `chunk` itself; call `keep()`
   * when more has to come.
   */
  append(chunk: Uint8Array): Uint8Array {
    if (this.#buffer === undefined) return chunk;
    const needed = this.#filled + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#filled);
    this.#filled = needed;
    return this.#buffer.subarray(0, needed);
  }

  /** Keeps what `append` returned beyond the life of its chunk. */
  keep(bytes: Uint8Array): void {
    if (this.#buffer !== undefined) return;
    this.#buffer = bytes.slice();
    this.#filled = bytes.length;
  }
}
