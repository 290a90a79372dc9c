/** The addresses and ports of pool4, by slot and range. */

/** How many addresses pool4 may have. While an address is in the pool, it has a slot, which is a small number. */
export const MAX_ADDRESSES = 16;

/** A range of ports and ICMP identifiers of an address for new mappings, both ends included. */
export interface PortPool {
  readonly slot: number;
  readonly firstPort: number;
  readonly lastPort: number;
  /** Which protocols use it: a bit 1 << TRANSPORT for each. */
  readonly protocols: number;
}

/** The slot of a pool4 address, or -1. */
export function slotOf(poolAddresses: Int32Array, address: number): number {
  // 0 means that a slot has no address.
  if (address === 0) return -1;
  for (let slot = 0; slot < poolAddresses.length; slot++) if (poolAddresses[slot] === address) return slot;
  return -1;
}

/** Whether new mappings may get this port. */
export function isInPool(
  { pools }: { readonly pools: readonly PortPool[] },
  slot: number,
  protocol: number,
  port: number,
): boolean {
  for (let i = 0; i < pools.length; i++) {
    const pool = pools[i];
    if (
      pool.slot === slot &&
      port >= pool.firstPort &&
      port <= pool.lastPort &&
      (pool.protocols & (1 << protocol)) !== 0
    )
      return true;
  }
  return false;
}
