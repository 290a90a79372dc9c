/**
 * The gate of an HTTP listener. It lives as long as the worker: connections that are kept open see each new configuration at
 * their next request.
 */
import { AccessLevel } from '../../../net/access-record.ts';
import { Phase } from '../../../net/connection.ts';
import type { Conversation } from '../../../net/conversation.ts';
import { close, countEnd } from '../../../net/ending.ts';
import type { Gate } from '../../../net/gate.ts';
import type { Loop } from '../../../net/loop.ts';
import type { SourceOf } from '../../../net/mapped-source.ts';
import type { TrustedProxies } from '../../../net/trusted-proxies.ts';
import { createClientFields } from '../../../wire/http1/client-fields.ts';
import type { ProxyCounterIndex } from '../counters.ts';
import type { Backend, HostTable } from '../host-table.ts';
import type { PeerOf } from '../preamble.ts';
import { State, clientOf, createHttpClient } from './client.ts';
import type { HttpContext } from './context.ts';
import { onHttpDeadline } from './deadlines.ts';
import { drive } from './drive.ts';
import { onHttpEvents } from './events.ts';
import { serverFailed } from './ends.ts';
import { dialAgain, hasNextAddress } from './servers.ts';
import { type ServerPool, closePool, createServerPool } from './server-connection.ts';

export interface HttpListener {
  readonly gate: Gate;
  /** A new configuration. */
  update(
    table: HostTable,
    responseTimeoutMs: number,
    sourceOf: SourceOf,
    trusted: TrustedProxies | undefined,
  ): void;
  /** This server is not used any more, although the configuration is the same. */
  forget(backend: Backend): void;
  /** The listener is not configured any more. */
  retire(): void;
}

const NO_HOSTS: HostTable = {
  exact: new Map(),
  wildcard: new Map(),
  deep: new Map(),
  fallback: undefined,
  fallbackAuthority: '',
  needsClient: false,
  accessLog: AccessLevel.off,
  names: null,
};

const NO_FIELDS = new Uint8Array(0);

function isSameAddress(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

export function createHttpListener(index: ProxyCounterIndex, peerOf: PeerOf): HttpListener {
  let pools = new Map<Backend, ServerPool>();
  /** Of earlier configurations: closed as soon as there is a loop to do it with. */
  let stale: ServerPool[] = [];
  /** A client seldom opens one connection: those that follow each other share their fields. */
  let last: Uint8Array | undefined;
  let lastFields: Uint8Array = NO_FIELDS;
  const context: { -readonly [Key in keyof HttpContext]: HttpContext[Key] } = {
    index,
    table: NO_HOSTS,
    responseTimeoutMs: 0,
    sourceOf: () => undefined,
    isRetired: false,
    poolOf(backend: Backend): ServerPool {
      let pool = pools.get(backend);
      if (pool !== undefined) return pool;
      pool = createServerPool();
      // A request may still be at a server that is not used any more.
      if (backend.origin?.isForgotten === true) pool.isStale = true;
      else pools.set(backend, pool);
      return pool;
    },
  };

  function closeStale(loop: Loop): void {
    if (stale.length === 0) return;
    for (const pool of stale) closePool(loop, pool);
    stale = [];
  }

  const conversation: Conversation = {
    begin(loop, connection) {
      closeStale(loop);
      const address = peerOf(connection.up.from);
      if (address === undefined) {
        countEnd(loop, connection, loop.index['closed-early']);
        return close(loop, connection);
      }
      if (last === undefined || !isSameAddress(last, address.address)) {
        last = address.address;
        lastFields = createClientFields(last, 'http');
      }
      connection.phase = Phase.conversing;
      connection.conversation = createHttpClient(connection, context, address, lastFields);
      connection.up.readable = true; // the first bytes are often there already
      drive(loop, connection);
    },
    onEvents: onHttpEvents,
    resume: drive,
    onDeadline(loop, connection, timeouts) {
      closeStale(loop);
      onHttpDeadline(loop, connection, timeouts);
    },
    onAnswered(loop, connection) {
      const client = clientOf(connection);
      if (client.state !== State.asking) return; // it was refused meanwhile
      client.state = State.reading;
      drive(loop, connection);
    },
    onSlowDial(loop, connection) {
      const client = clientOf(connection);
      if (!hasNextAddress(client)) return; // the last one may take as long as a server with one address
      const failure = dialAgain(loop, client, 'timeout');
      if (failure !== undefined) serverFailed(loop, client, failure);
    },
    onNoWayBack(loop, connection) {
      const client = clientOf(connection);
      if (client.server === null || client.server.isConnected) return;
      const failure = dialAgain(loop, client, 'timeout');
      if (failure !== undefined) serverFailed(loop, client, failure);
    },
    onDrain(loop, connection) {
      const { state, left } = clientOf(connection);
      if (state !== State.reading || left !== null) return;
      countEnd(loop, connection, loop.index.closed);
      close(loop, connection);
    },
  };

  function change(table: HostTable, isRetired: boolean): void {
    context.table = table;
    context.isRetired = isRetired;
    for (const pool of pools.values()) {
      pool.isStale = true;
      stale.push(pool);
    }
    pools = new Map();
  }

  const gate: { -readonly [Key in keyof Gate]: Gate[Key] } = {
    conversation,
    trusted: undefined,
    begin: null,
    route: null,
    serverFailed: () => {
      throw new Error('a conversation answers for its servers itself');
    },
  };
  return {
    gate,
    update(table, responseTimeoutMs, sourceOf, trusted) {
      gate.trusted = trusted;
      change(table, false);
      context.responseTimeoutMs = responseTimeoutMs;
      context.sourceOf = sourceOf;
    },
    forget(backend) {
      const pool = pools.get(backend);
      if (pool === undefined) return;
      pool.isStale = true;
      stale.push(pool);
      pools.delete(backend);
    },
    retire: () => change(NO_HOSTS, true),
  };
}
