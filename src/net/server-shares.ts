/**
 * The share of each server in the connections of a TCP service. A server that is dead or slow holds many connections that it has
 * not accepted yet; these must not take the connections of the other servers. Connections to a server cannot be taken away for
 * another server, so the rule is that of `isWithinShare`, with the free connections as what is left:
 *
 * - a server that holds no more than its part (connections / servers) may always have one more;
 * - else it may while it has less than 4 times what is left in attempts, and less than 16 times in all;
 * - one that has reached the server before (a kept HTTP connection) takes nothing that is left. It may reach it again, while less
 *   than 4/5 of all connections are attempts to reach this server.
 *
 * So one dead server takes at most 4/5 of the connections, and a service with one server has no such limit. Each worker counts in
 * its own part of the shared memory (admission-memory.ts), and the sums count.
 */
import { type Admission, holdsSlot } from './admission.ts';
import { SERVER } from './admission-memory.ts';
import type { Connection } from './connection.ts';
import { HOST } from './host-slots.ts';
import type { Loop } from './loop.ts';
import { placeOf, serverSum } from './server-counts.ts';
import { isWithinShare } from './shares.ts';

const DIALLING_SHARE = 4;
const CONNECTIONS_SHARE = 16;

/** The connection counts for its server from now on. */
export function enterServer(admission: Admission, connection: Connection): void {
  const { memory, worker } = admission;
  memory.servers[placeOf(worker, connection.hostAt) + SERVER.OPEN]++;
  if (holdsSlot(admission, connection)) memory.serverOf[connection.slot] = connection.hostAt + 1;
}

export function exitServer(admission: Admission, connection: Connection): void {
  const { memory, worker } = admission;
  memory.servers[placeOf(worker, connection.hostAt) + SERVER.OPEN]--;
  if (holdsSlot(admission, connection)) memory.serverOf[connection.slot] = 0;
}

/** Whether the server of this connection, which counts already, may have it: call before the server is dialled. */
export function isWithinServerShare(
  { hosts: { servers }, admission, limits: { connectionsPerServer } }: Loop,
  { hostAt, opened }: Connection,
): boolean {
  const { memory, maxConnections } = admission;
  const others = serverSum(admission, hostAt, SERVER.OPEN) - 1;
  if (connectionsPerServer !== undefined && others >= connectionsPerServer) return false;
  // With one server there is nobody to take from. Connections that lost their slot count until their worker has closed them.
  if (servers <= 1 || others * servers < maxConnections) return true;
  const dialling = serverSum(admission, hostAt, SERVER.DIALLING);
  if (opened) return isWithinShare(dialling, maxConnections - dialling, DIALLING_SHARE);
  const left = maxConnections - memory.all.usedSlots;
  return isWithinShare(dialling, left, DIALLING_SHARE) && isWithinShare(others, left, CONNECTIONS_SHARE);
}

/** An attempt to reach the server begins. */
export function beginDialling({ hosts: { values }, admission }: Loop, connection: Connection): void {
  if (connection.isDialling) return;
  connection.isDialling = true;
  count(admission, values, connection.hostAt, 1);
}

/** The server has accepted, or the attempt is over. */
export function endDialling({ hosts: { values }, admission }: Loop, connection: Connection): void {
  if (!connection.isDialling) return;
  connection.isDialling = false;
  count(admission, values, connection.hostAt, -1);
}

function count({ memory, worker }: Admission, values: Float64Array, hostAt: number, change: number): void {
  values[hostAt + HOST.DIALLING] += change;
  memory.servers[placeOf(worker, hostAt) + SERVER.DIALLING] += change;
}
