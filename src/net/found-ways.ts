/** Servers without a way back (way-back.ts) that were found before their first client came (try-ways.ts). */

/** Part of a worker's configuration. The main thread writes the memory, one number for each server: 1 if the way is missing. */
export interface FoundWays {
  readonly servers: readonly TriedServer[];
  readonly memory: SharedArrayBuffer;
}

export interface TriedServer {
  /** 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

export const createFoundWays = (servers: readonly TriedServer[]): FoundWays => ({
  servers,
  memory: new SharedArrayBuffer(Math.max(servers.length, 1) * Int32Array.BYTES_PER_ELEMENT),
});

/** The number of each server, by its key. */
export type KnownWays = ReadonlyMap<string, Int32Array>;

/** All ports of a server have the same way back. */
export const wayKey = (address: Uint8Array): string => Buffer.from(address).toString('latin1');

export function readFoundWays({ servers, memory }: FoundWays): KnownWays {
  const numbers = new Int32Array(memory);
  return new Map(servers.map(({ address }, at) => [wayKey(address), numbers.subarray(at, at + 1)]));
}
