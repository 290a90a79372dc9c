/**
 * The addresses of a server that has several: which one is dialled next. An address that did not answer is put aside for some
 * seconds, so that the next clients do not wait for it. Plain data, shared by the connections of one thread.
 */

/** How long an address is put aside. */
export const ASIDE_MS = 10_000;

export interface ServerAddresses {
  /** A sockaddr each; at most 31, because a number has a bit for each. */
  readonly all: readonly Uint8Array[];
  /** Begin with another one each time; otherwise with the first one that answers. */
  readonly isRoundRobin: boolean;
  /** Where the next connection begins, if they take turns. */
  next: number;
  /** By position: since when it is put aside, in milliseconds of the loop's clock; null while it is not. */
  readonly aside: (number | null)[];
}

export const createServerAddresses = (
  all: readonly Uint8Array[],
  isRoundRobin: boolean,
): ServerAddresses => ({ all, isRoundRobin, next: 0, aside: all.map(() => null) });

/**
 * The position of the address to dial, or -1 if all have been tried. `tried`: a bit for each. Addresses that are put aside come
 * last, because they may be well again.
 */
export function pickAddress(addresses: ServerAddresses, tried: number, nowMs: number): number {
  const { all, isRoundRobin, aside } = addresses;
  const start = isRoundRobin ? addresses.next : 0;
  if (isRoundRobin && tried === 0) addresses.next = (start + 1) % all.length;
  let last = -1;
  for (let i = 0; i < all.length; i++) {
    const at = (start + i) % all.length;
    if ((tried & (1 << at)) !== 0) continue;
    const since = aside[at];
    if (since === null) return at;
    if (((nowMs - since) | 0) >= ASIDE_MS) {
      aside[at] = nowMs; // this connection finds out for all others
      return at;
    }
    if (last === -1) last = at;
  }
  return last;
}

/** The address did not answer. */
export function putAside({ aside }: ServerAddresses, at: number, nowMs: number): void {
  aside[at] = nowMs;
}

/** It has answered. */
export function putBack({ aside }: ServerAddresses, at: number): void {
  aside[at] = null;
}
