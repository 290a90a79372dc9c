/** Which port of the pool4 address a new BIB entry gets (RFC 6146 section 3.5.1.1, RFC 4787, RFC 6056). */
import { TRANSPORT } from './packet.ts';
import type { Tables } from './tables.ts';

/** Ports below this are their own class: a mapping stays in the class of the host's port where the pool allows. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/**
 * A free port (or ICMP identifier) for a host's port, or -1 when the pool has none left. Random (RFC 6056 algorithm
 * 1); of the same class, 0-1023 or above, and for UDP of the same parity, as long as such a port is free.
 * `random` gives an unsigned 32-bit number. No port is ever shared (N35).
 */
export function allocatePort(
  tables: Tables,
  protocol: number,
  hostPort: number,
  firstPort: number,
  lastPort: number,
  random: () => number,
): number {
  if (tables.mappedPortsInUse[protocol] > lastPort - firstPort) return -1;
  const isPrivileged = hostPort < FIRST_UNPRIVILEGED_PORT && protocol !== TRANSPORT.ICMP;
  const classFirst = isPrivileged ? firstPort : Math.max(firstPort, FIRST_UNPRIVILEGED_PORT);
  const classLast = isPrivileged ? Math.min(lastPort, FIRST_UNPRIVILEGED_PORT - 1) : lastPort;
  const port = portBetween(tables, protocol, hostPort, classFirst, classLast, random);
  return port === -1 ? portBetween(tables, protocol, hostPort, firstPort, lastPort, random) : port;
}

/** A free port of the range, for UDP of the host port's parity if there is one; or -1. */
function portBetween(
  tables: Tables,
  protocol: number,
  hostPort: number,
  first: number,
  last: number,
  random: () => number,
): number {
  if (protocol === TRANSPORT.UDP) {
    const port = freePort(tables, protocol, first + ((first ^ hostPort) & 1), last, 2, random);
    if (port !== -1) return port;
  }
  return freePort(tables, protocol, first, last, 1, random);
}

/** From a random place on, the first free port of first, first + step, ... up to last; or -1. */
function freePort(
  tables: Tables,
  protocol: number,
  first: number,
  last: number,
  step: number,
  random: () => number,
): number {
  if (first > last) return -1;
  const { bibByMappedPort } = tables;
  const base = protocol << 16;
  const count = Math.floor((last - first) / step) + 1;
  const start = random() % count;
  for (let i = start; i < count; i++) {
    const port = first + i * step;
    if (bibByMappedPort[base | port] === 0) return port;
  }
  for (let i = 0; i < start; i++) {
    const port = first + i * step;
    if (bibByMappedPort[base | port] === 0) return port;
  }
  return -1;
}
