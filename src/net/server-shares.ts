/**
 * The share of each server in the connections of a TCP service. A server that is dead or slow holds many connections that it has
 * not accepted yet; these must not take the connections of the other servers. Connections to a server cannot be taken away for
 * another server, so the rule is that of `isWithinShare`, with the free connections as what is left:
 *
 * - a server that holds no more than its part (connections / servers) may always have one more;
 * - else it may while it has less than 4 times what is left in attempts, and less than 16 times in all.
 *
 * So one dead server takes at most 4/5 of the connections, and a service with one server has no such limit. The numbers are
 * those of host-slots.ts.
 */
import type { Connection } from './connection.ts';
import { HOST } from './host-slots.ts';
import type { Loop } from './loop.ts';
import { isWithinShare } from './shares.ts';

const DIALLING_SHARE = 4;
const CONNECTIONS_SHARE = 16;

/** Whether the server of this connection, which counts already, may have it: call before the server is dialled. */
export function isWithinServerShare(
  { hosts: { values, servers }, admission: { all }, maxConnections, limits: { connectionsPerServer } }: Loop,
  { hostAt }: Connection,
): boolean {
  const others = values[hostAt + HOST.OPEN] - 1;
  if (connectionsPerServer !== undefined && others >= connectionsPerServer) return false;
  if (others * servers < maxConnections) return true;
  const left = maxConnections - all.usedSlots;
  return (
    isWithinShare(values[hostAt + HOST.DIALLING], left, DIALLING_SHARE) &&
    isWithinShare(others, left, CONNECTIONS_SHARE)
  );
}

/**
 * Whether this connection, whose server has its share, may take the place of another one, whose client has more: one that holds
 * nothing of a server, or of a server that has at least as much. At a configured limit only one of the same server helps.
 */
export function mayTakePlaceOf(
  { hosts: { values }, limits: { connectionsPerServer } }: Loop,
  { hostAt }: Connection,
  other: Connection,
): boolean {
  if (other.hostAt === hostAt) return true;
  const open = values[hostAt + HOST.OPEN];
  if (connectionsPerServer !== undefined && open > connectionsPerServer) return false;
  return other.hostAt < 0 || values[other.hostAt + HOST.OPEN] >= open;
}

/** An attempt to reach the server begins. */
export function beginDialling({ hosts: { values } }: Loop, connection: Connection): void {
  if (connection.isDialling) return;
  connection.isDialling = true;
  values[connection.hostAt + HOST.DIALLING]++;
}

/** The server has accepted, or the attempt is over. */
export function endDialling({ hosts: { values } }: Loop, connection: Connection): void {
  if (!connection.isDialling) return;
  connection.isDialling = false;
  values[connection.hostAt + HOST.DIALLING]--;
}
