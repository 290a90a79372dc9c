/** Which address and port of pool4 a new BIB entry gets (RFC 6146 section 3.5.1.1, RFC 4787, RFC 6056, RFC 6888). */
import { clientAddressSlot } from './clients.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { type Tables, portIndex, type Clients } from './tables.ts';
import { type PortPool, MAX_ADDRESSES } from '../settings/pool.ts';

/** Ports below this form their own class. A mapping stays in the class of the host's port if the pool allows it. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** The request for a port. */
export interface PortRequest {
  readonly pools: readonly PortPool[];
  /** The client's own port block, if clients have blocks: it gets no other ports. */
  readonly block: PortPool | undefined;
  readonly protocol: number;
  /** The record of the client; 0 if it has none yet. */
  readonly client: number;
  /** A hash of the client's address. */
  readonly clientHash: number;
  readonly hostPort: number;
  readonly nowSeconds: number;
  /** Ports that were freed less than this many seconds ago are not allocated. */
  readonly restSeconds: number;
  readonly keepsParity: boolean;
  readonly keepsClass: boolean;
  /** Unsigned 32-bit random numbers. */
  readonly random: () => number;
}

/**
 * A free port (or ICMP identifier) as slot << 16 | port, or -1 if the pools have none left. All mappings of a client use one
 * address as long as that has ports (paired pooling, N42), and the same address the next time. No port is ever shared (N35).
 */
export function allocatePort(tables: Tables, clients: Clients, request: PortRequest): number {
  const { pools, block } = request;
  if (block !== undefined) {
    const port = portOfPool(tables, request, block);
    return port === -1 ? -1 : (block.slot << 16) | port;
  }
  if (pools.length === 0) return -1;
  let slot = request.client === 0 ? -1 : clientAddressSlot(clients, request.client);
  if (slot === -1) slot = pools[(request.clientHash >>> 0) % pools.length].slot;
  const port = portOfSlot(tables, request, slot);
  if (port !== -1) return port;
  let tried = 1 << slot;
  for (let i = 0; i < pools.length; i++) {
    const other = pools[i].slot;
    if ((tried & (1 << other)) !== 0) continue;
    tried |= 1 << other;
    const otherPort = portOfSlot(tables, request, other);
    if (otherPort !== -1) return otherPort;
  }
  return -1;
}

/** A port of one address, from any of its ranges; the search begins at a random range. */
function portOfSlot(tables: Tables, request: PortRequest, slot: number): number {
  const { pools, protocol, nowSeconds } = request;
  // A search that finds nothing tests every port, so it is done only once per second.
  const exhausted = protocol * MAX_ADDRESSES + slot;
  if (tables.exhaustedAt[exhausted] === nowSeconds) return -1;
  const first = request.random() % pools.length;
  for (let i = 0; i < pools.length; i++) {
    const pool = pools[(first + i) % pools.length];
    if (pool.slot !== slot || (pool.protocols & (1 << protocol)) === 0) continue;
    const port = portOfPool(tables, request, pool);
    if (port !== -1) return (slot << 16) | port;
  }
  tables.exhaustedAt[exhausted] = nowSeconds;
  return -1;
}

/**
 * A random port (RFC 6056 algorithm 1). It has the same class as the host's port (0-1023 or above), and for UDP the same parity,
 * if the request asks for it and such a port is free.
 */
function portOfPool(tables: Tables, request: PortRequest, { slot, firstPort, lastPort }: PortPool): number {
  if (!request.keepsClass) return portBetween(tables, request, slot, firstPort, lastPort);
  const isPrivileged = request.hostPort < FIRST_UNPRIVILEGED_PORT && request.protocol !== TRANSPORT.ICMP;
  const classFirst = isPrivileged ? firstPort : Math.max(firstPort, FIRST_UNPRIVILEGED_PORT);
  const classLast = isPrivileged ? Math.min(lastPort, FIRST_UNPRIVILEGED_PORT - 1) : lastPort;
  const port = portBetween(tables, request, slot, classFirst, classLast);
  return port === -1 ? portBetween(tables, request, slot, firstPort, lastPort) : port;
}

/** A free port of the range, or -1. For UDP, one with the parity of the host's port is preferred. */
function portBetween(
  tables: Tables,
  request: PortRequest,
  slot: number,
  first: number,
  last: number,
): number {
  if (request.protocol === TRANSPORT.UDP && request.keepsParity) {
    const port = freePort(tables, request, slot, first + ((first ^ request.hostPort) & 1), last, 2);
    if (port !== -1) return port;
  }
  return freePort(tables, request, slot, first, last, 1);
}

/** The first free port among first, first + step, ... up to last, starting at a random place; or -1. */
function freePort(
  tables: Tables,
  request: PortRequest,
  slot: number,
  first: number,
  last: number,
  step: number,
): number {
  if (first > last) return -1;
  const base = portIndex(slot, request.protocol, 0);
  const count = Math.floor((last - first) / step) + 1;
  const start = request.random() % count;
  for (let i = 0; i < count; i++) {
    const at = start + i;
    const port = first + (at < count ? at : at - count) * step;
    if (isFree(tables.bibByMappedPort[base + port], request)) return port;
  }
  return -1;
}

/** An entry is a BIB record, 0, or the complement of the second at which the port was freed. */
const isFree = (entry: number, { nowSeconds, restSeconds }: PortRequest): boolean =>
  entry === 0 || (entry < 0 && nowSeconds - ~entry >= restSeconds);
