/** The limits of one client's connections: those of the configuration, and its share of the accept queue. */
import { waitingClients } from './accept-queue.ts';
import { connectionsOf } from './admission.ts';
import type { Client } from './client.ts';
import type { Loop } from './loop.ts';
import { countNew } from './new-connections.ts';

/**
 * Counts a new connection of the client. The position of the counter of the limit at which it is refused; -1 for none. `listener`:
 * the descriptor on which it was accepted; `own`: how many of the client's connections are this one.
 */
export function limitFor(loop: Loop, client: Client, listener: number, own: 0 | 1): number {
  const { index, limits, admission, nowMs } = loop;
  const { connectionsPerClient, newConnectionsPerSecondPerClient } = limits;
  const { arrivals } = admission.memory;
  if (!countNew(arrivals, nowMs, client, newConnectionsPerSecondPerClient, listener, waitingClients))
    return index['refused-rate'];
  if (connectionsPerClient !== undefined && connectionsOf(admission, client) - own >= connectionsPerClient)
    return index['refused-client-limit'];
  return -1;
}
