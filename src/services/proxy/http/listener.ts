/**
 * An HTTP listener: the gate of its connections, and what they share. It lives as long as the worker: connections that are kept
 * open see each new configuration at their next request.
 */
import { Phase } from '../../../net/connection.ts';
import { countEnd, close } from '../../../net/ending.ts';
import type { Gate } from '../../../net/gate.ts';
import type { Loop } from '../../../net/loop.ts';
import { createClientFields } from '../../../wire/http1/client-fields.ts';
import type { ProxyCounterIndex } from '../counters.ts';
import type { Backend, HostTable } from '../host-table.ts';
import type { PeerOf } from '../preamble.ts';
import { createHttpClient, State, clientOf } from './client.ts';
import { onHttpDeadline } from './deadlines.ts';
import { drive } from './drive.ts';
import { onHttpEvents } from './events.ts';
import { type ServerPool, closePool, createServerPool } from './server-connection.ts';

export interface HttpListener extends Gate {
  readonly index: ProxyCounterIndex;
  readonly peerOf: PeerOf;
  readonly responseTimeoutMs: number;
  /** The servers, and the paths to them. */
  readonly table: HostTable;
  /** The listener is not configured any more: connections end after what they are doing. */
  readonly isRetired: boolean;
  /** The idle connections to a server. */
  poolOf(backend: Backend): ServerPool;
  /** A new configuration; without a table, the listener is gone. */
  update(table: HostTable | undefined, responseTimeoutMs: number): void;
}

const NO_HOSTS: HostTable = { exact: new Map(), wildcard: new Map() };

export function createHttpListener(index: ProxyCounterIndex, peerOf: PeerOf): HttpListener {
  let pools = new Map<Backend, ServerPool>();
  /** Of earlier configurations: closed with the next event, when there is a loop to do it. */
  let stale: ServerPool[] = [];
  let table = NO_HOSTS;
  let isRetired = false;
  let responseTimeoutMs = 0;

  const listener: HttpListener = {
    index,
    peerOf,
    get table() {
      return table;
    },
    get isRetired() {
      return isRetired;
    },
    get responseTimeoutMs() {
      return responseTimeoutMs;
    },
    begin: null,
    route: null,
    serverFailed: () => {
      throw new Error('a conversation handles its servers itself');
    },
    poolOf(backend) {
      let pool = pools.get(backend);
      if (pool === undefined) pools.set(backend, (pool = createServerPool()));
      return pool;
    },
    update(newTable, newTimeoutMs) {
      table = newTable ?? NO_HOSTS;
      isRetired = newTable === undefined;
      responseTimeoutMs = newTimeoutMs;
      stale.push(...pools.values());
      pools = new Map();
    },
    conversation: {
      begin(loop, connection) {
        closeStale(loop);
        const client = peerOf(connection.up.from);
        if (client === undefined) {
          countEnd(loop, connection, loop.index['closed-early']);
          return close(loop, connection);
        }
        connection.phase = Phase.conversing;
        connection.conversation = createHttpClient(connection, listener, createClientFields(client.address, 'http'));
        connection.up.readable = true; // the first bytes are often there already
        drive(loop, connection);
      },
      onEvents: onHttpEvents,
      resume: drive,
      onDeadline(loop, connection, timeouts) {
        closeStale(loop);
        onHttpDeadline(loop, connection, timeouts);
      },
      onDrain(loop, connection) {
        const client = clientOf(connection);
        if (client.state !== State.reading || client.left !== null) return;
        countEnd(loop, connection, loop.index.closed);
        close(loop, connection);
      },
    },
  };
  return listener;

  function closeStale(loop: Loop): void {
    if (stale.length === 0) return;
    for (const pool of stale) closePool(loop, pool);
    stale = [];
  }
}
