/** DNS over TCP (RFC 7766): queries may be pipelined, replies go out as they come, in any order. */
import { randomInt } from 'node:crypto';
import type net from 'node:net';
import { clientAt } from '../../net/client.ts';
import { createSlotShares, releaseSlot, takeSlot, touchSlot, victimFor } from '../../net/shares.ts';
import type { Counters } from '../../runtime/counters.ts';
import { type IpPrefix, anyPrefixContains } from '../../wire/ip-prefix.ts';
import { uint16At, writeUint16 } from '../../wire/dns-message.ts';
import { formatIpAddress, parseIpAddress } from '../../wire/ip-address.ts';
import type { Dns64Counters } from './counters.ts';

/** RFC 7766 section 6.2.3: a few seconds; also for a client that sends a query too slowly, or does not read. */
const IDLE_MS = 10_000;
/** At the limit a new connection takes the place of the one that the greediest client has not used for longest. */
export const MAX_CONNECTIONS = 256;
/** Queries of one connection that are resolved at a time; further ones wait in the socket. */
const MAX_PIPELINED = 100;
/** Replies that the client has not read. */
const MAX_UNREAD_BYTES = 1 << 18;
const LENGTH_BYTES = 2;
/** How long a client may take to end its side after we ended ours, while the process waits. */
const LINGER_MS = 1000;

export interface StreamServerOptions {
  /** The reply to a message, undefined when there is none. Never rejects. */
  readonly answer: (message: Uint8Array, client: string) => Promise<Uint8Array | undefined>;
  readonly counters: Counters<Dns64Counters>;
  /** Who may connect, asked at each connection. */
  readonly allow: () => readonly IpPrefix[];
}

export interface StreamServer {
  readonly connections: number;
  accept(connection: net.Socket): void;
  /** Ends each connection when it has its answers; resolves when all have ended. */
  drain(): Promise<void>;
  /** Ends all connections. */
  close(): void;
}

export function createStreamServer({ answer, counters, allow }: StreamServerOptions): StreamServer {
  const { values, index } = counters;
  const shares = createSlotShares({ slots: MAX_CONNECTIONS, seed: randomInt(2 ** 32) });
  /** By slot; each with what ends it once it is idle. */
  const connections = new Map<number, { readonly socket: net.Socket; endWhenIdle: () => void }>();
  let isDraining = false;
  const drained = Promise.withResolvers<void>();

  function accept(connection: net.Socket): void {
    const client = connection.remoteAddress ?? '';
    const address = parseIpAddress(client.replace(/%.*$/, ''));
    connection.on('error', () => connection.destroy());
    if (address === undefined || !anyPrefixContains(allow(), address)) {
      values[index['tcp-refused']]++;
      connection.destroy();
      return;
    }
    values[index['tcp-connections']]++;
    const slot = slotFor(address);
    const entry = { socket: connection, endWhenIdle: () => {} };
    connections.set(slot, entry);
    connection.on('close', () => {
      // Not when it was taken away.
      if (connections.get(slot) === entry) leave(slot);
    });
    const who = formatIpAddress(address);
    entry.endWhenIdle = serve(connection, {
      answer: (message) => answer(message, who),
      counters,
      onQuery: () => touchSlot(shares, slot),
      isDraining: () => isDraining,
    });
  }

  function slotFor(address: Uint8Array): number {
    const { word0, word1, word2, word3 } = clientAt(address);
    if (connections.size === MAX_CONNECTIONS) {
      const victim = victimFor(shares, 1, word0, word1, word2, word3);
      values[index['tcp-displaced']]++;
      connections.get(victim)?.socket.destroy();
      leave(victim);
    }
    return takeSlot(shares, 1, word0, word1, word2, word3);
  }

  function leave(slot: number): void {
    connections.delete(slot);
    releaseSlot(shares, slot);
    if (isDraining && connections.size === 0) drained.resolve();
  }

  return {
    get connections() {
      return connections.size;
    },
    accept,
    drain() {
      isDraining = true;
      if (connections.size === 0) drained.resolve();
      for (const { endWhenIdle } of connections.values()) endWhenIdle();
      return drained.promise;
    },
    close() {
      for (const { socket } of connections.values()) socket.destroy();
    },
  };
}

interface Served {
  readonly answer: (message: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly counters: Counters<Dns64Counters>;
  readonly onQuery: () => void;
  /** Each connection is ended when it has its answers. */
  readonly isDraining: () => boolean;
}

/** Answers what comes on a connection; returns what ends it once it is idle. */
function serve(connection: net.Socket, { answer, counters, onQuery, isDraining }: Served): () => void {
  const { values, index } = counters;
  let pending = 0;
  let answered = 0;
  let ended = false;
  let buffered: Buffer = Buffer.alloc(0);
  // The timer is ours: a client that sends a byte now and then must not hold a connection.
  const timer = setTimeout(() => {
    if (pending > 0) {
      timer.refresh();
      return;
    }
    values[index['tcp-idle']]++;
    connection.destroy();
  }, IDLE_MS);
  connection.on('close', () => clearTimeout(timer));

  /** RFC 7766 section 6.2.3: a server may close an idle connection. One that has not asked yet is not idle. */
  const endWhenIdle = () => {
    if (pending > 0 || buffered.length > 0 || answered === 0 || connection.writableEnded) return;
    connection.end();
    setTimeout(() => connection.destroy(), LINGER_MS).unref();
  };

  const isBusy = () => pending >= MAX_PIPELINED || connection.writableLength > MAX_UNREAD_BYTES;

  /** Takes whole messages out of the buffer for as long as the client may have more under way. */
  const takeMessages = () => {
    let at = 0;
    while (!isBusy() && buffered.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + uint16At(buffered, at);
      if (end > buffered.length) break;
      void takeMessage(Uint8Array.from(buffered.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    buffered = buffered.subarray(at);
    if (isBusy()) connection.pause();
    else connection.resume();
  };

  const takeMessage = async (message: Uint8Array) => {
    timer.refresh();
    onQuery();
    pending++;
    values[index['queries-tcp']]++;
    const reply = await answer(message);
    pending--;
    if (connection.destroyed) return;
    if (reply === undefined) {
      // Nothing that could be a query: what follows in the stream cannot be trusted either.
      connection.destroy();
      return;
    }
    const framed = new Uint8Array(LENGTH_BYTES + reply.length);
    writeUint16(framed, 0, reply.length);
    framed.set(reply, LENGTH_BYTES);
    connection.write(framed);
    answered++;
    takeMessages();
    if (ended && pending === 0) connection.end();
    else if (isDraining()) endWhenIdle();
  };

  connection.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    takeMessages();
  });
  connection.on('drain', takeMessages);
  // The client has sent its last query; it still waits for the replies.
  connection.on('end', () => {
    ended = true;
    if (pending === 0) connection.end();
  });
  return endWhenIdle;
}
