/**
 * The addresses of a server that has several: which one is dialled next. An address that did not answer is put aside for some
 * seconds, so that the next clients do not wait for it. An address that fails its health checks is dialled only if there is no
 * other. Plain data, shared by the connections of one thread.
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
  /** One number: a bit for each address that fails its health checks. Another thread writes it (`FailingAddresses`). */
  readonly failing: Int32Array;
}

/** The memory behind `ServerAddresses.failing`. The main thread writes it, and sends it to the threads that read it. */
export type FailingAddresses = SharedArrayBuffer;

export const createFailingAddresses = (): FailingAddresses =>
  new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

const NEVER_FAILING = new Int32Array(1);

export const createServerAddresses = (
  all: readonly Uint8Array[],
  isRoundRobin: boolean,
  failing?: FailingAddresses,
): ServerAddresses => ({
  all,
  isRoundRobin,
  next: 0,
  aside: all.map(() => null),
  failing: failing === undefined ? NEVER_FAILING : new Int32Array(failing),
});

/**
 * The position of the address to dial, or -1 if all have been tried. `tried`: a bit for each. Addresses that are put aside come
 * last, because they may be well again; after them those that fail their health checks, because a check may be wrong.
 */
export function pickAddress(addresses: ServerAddresses, tried: number, nowMs: number): number {
  const { all, isRoundRobin } = addresses;
  const at = pickFrom(addresses, isRoundRobin ? addresses.next : 0, tried, nowMs);
  // After the chosen one, so that the neighbour of one that is left out does not get the connections of both.
  if (isRoundRobin && tried === 0) addresses.next = (at + 1) % all.length;
  return at;
}

function pickFrom(
  { all, aside, failing: bits }: ServerAddresses,
  start: number,
  tried: number,
  nowMs: number,
): number {
  const leftOut = areAll(bits[0], all.length) ? 0 : bits[0];
  let last = -1;
  let failingOne = -1;
  for (let i = 0; i < all.length; i++) {
    const at = (start + i) % all.length;
    const bit = 1 << at;
    if ((tried & bit) !== 0) continue;
    if ((leftOut & bit) !== 0) {
      if (failingOne === -1) failingOne = at;
      continue;
    }
    const since = aside[at];
    if (since === null) return at;
    if (((nowMs - since) | 0) >= ASIDE_MS) {
      aside[at] = nowMs; // this connection finds out for all others
      return at;
    }
    if (last === -1) last = at;
  }
  return last === -1 ? failingOne : last;
}

/**
 * Whether a connection that waits for an address should try another one: there is one that was not tried, and it does not fail
 * its health checks where this one passes them. (A slow address is better than a dead one.)
 */
export function hasAnother({ all, failing }: ServerAddresses, tried: number): boolean {
  const left = ((1 << all.length) - 1) & ~tried;
  return (areAll(failing[0], all.length) ? left : left & ~failing[0]) !== 0;
}

/** All addresses fail: then the checks do not count, because no client would be served. */
const areAll = (failing: number, count: number): boolean => failing === (1 << count) - 1;

/** The address did not answer. */
export function putAside({ aside }: ServerAddresses, at: number, nowMs: number): void {
  aside[at] = nowMs;
}

/** It has answered. */
export function putBack({ aside }: ServerAddresses, at: number): void {
  aside[at] = null;
}
