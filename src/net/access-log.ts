/** The worker's side of the access log: the record that is written at the end of a request or connection. */
import {
  AccessFlag,
  AccessLevel,
  MAX_NAME_BYTES,
  MAX_RECORD_BYTES,
  Place,
  putLabel,
  putLatin1,
} from './access-record.ts';
import type { ByteWriter } from '../runtime/byte-ring.ts';
import type { Connection } from './connection.ts';
import type { TcpCounters } from './counters.ts';
import type { TcpEvents } from './events.ts';
import { type Exchange, giveBackExchange } from './exchange.ts';

/** Writes the records of one thread. */
export interface AccessWriter {
  /** The exchange of the connection is over. `reason`: position of the counter that counted its end, -1 for none. */
  endExchange(connection: Connection, exchange: Exchange, reason: number, nowMs: number): void;
  /** The end of a connection that carries no requests, and of one with a request under way. Reported once. */
  endConnection(connection: Connection, nowMs: number): void;
}

/** Where nothing is written: for programs that use the engine without a log. */
export const NO_ACCESS_LOG: AccessWriter = { endExchange() {}, endConnection() {} };

export function createAccessWriter(
  ring: ByteWriter,
  { values, index }: TcpCounters,
  events: Pick<TcpEvents, 'copyPeer' | 'listenerOf'>,
): AccessWriter {
  const { bytes, words, doubles } = ring;

  /** The offset of a record whose common part is written; negative if there is none. */
  function begin(connection: Connection, server: string | null, reason: number): number {
    const at = ring.begin(MAX_RECORD_BYTES);
    if (at < 0) {
      if (at === -2) values[index['access-log-lost']]++;
      return at;
    }
    doubles[(at + Place.time) >> 3] = Date.now();
    words[(at + Place.number) >> 2] = connection.number;
    words[(at + Place.reason) >> 2] = reason;
    events.copyPeer(connection.up.from, bytes, at + Place.peer);
    const listener = putLabel(bytes, at + Place.texts, events.listenerOf(connection.gate));
    bytes[at + Place.lengths] = listener;
    bytes[at + Place.lengths + 1] = putLabel(bytes, at + Place.texts + listener, server ?? '');
    return at;
  }

  const textsAt = (at: number): number =>
    at + Place.texts + bytes[at + Place.lengths] + bytes[at + Place.lengths + 1];

  /** HTTP: an answer of our own that refuses, 5xx of the server, or an end before the answer was whole. */
  function isFailed({ flags, status, isWhole }: Exchange, reason: number): boolean {
    if ((flags & AccessFlag.own) !== 0) return status >= 400 || !isWhole;
    return status >= 500 || !isWhole || (reason >= 0 && reason !== index.closed);
  }

  function endExchange(connection: Connection, exchange: Exchange, reason: number, nowMs: number): void {
    connection.exchange = null;
    if (exchange.level === AccessLevel.all || isFailed(exchange, reason))
      writeExchange(connection, exchange, reason, nowMs);
    giveBackExchange(exchange);
  }

  function writeExchange(connection: Connection, exchange: Exchange, reason: number, nowMs: number): void {
    const at = begin(connection, exchange.server, reason);
    if (at < 0) return;
    const { texts, methodBytes, nameBytes, pathBytes } = exchange;
    doubles[(at + Place.bytesUp) >> 3] = exchange.bytesUp;
    doubles[(at + Place.bytesDown) >> 3] = exchange.bytesDown;
    words[(at + Place.durationMs) >> 2] = (nowMs - exchange.beganMs) | 0;
    words[(at + Place.connectMs) >> 2] = exchange.connectMs;
    words[(at + Place.firstByteMs) >> 2] = exchange.firstByteMs;
    words[(at + Place.status) >> 2] = exchange.status;
    words[(at + Place.flags) >> 2] = exchange.flags;
    bytes[at + Place.lengths + 2] = methodBytes;
    words[(at + Place.longLengths) >> 2] = nameBytes | (pathBytes << 16);
    const to = textsAt(at);
    const length = methodBytes + nameBytes + pathBytes;
    for (let i = 0; i < length; i++) bytes[to + i] = texts[i];
    ring.commit(to + length - at);
  }

  /** Who connects and says nothing has probably only looked whether the port is open. */
  function isConnectionFailed({ reason, opened, openingBytes }: Connection): boolean {
    if (reason === index.closed) return false;
    const isSilent = reason === index['closed-early'] || reason === index['refused-timeout'];
    return opened || openingBytes > 0 || !isSilent;
  }

  function writeConnection(connection: Connection, nowMs: number): void {
    const { up, down, server, name, reason } = connection;
    const at = begin(connection, server, reason);
    if (at < 0) return;
    doubles[(at + Place.bytesUp) >> 3] = up.totalBytes;
    doubles[(at + Place.bytesDown) >> 3] = down.totalBytes;
    words[(at + Place.durationMs) >> 2] = (nowMs - connection.acceptedMs) | 0;
    words[(at + Place.connectMs) >> 2] = connection.connectMs;
    words[(at + Place.firstByteMs) >> 2] = -1;
    words[(at + Place.status) >> 2] = 0;
    words[(at + Place.flags) >> 2] = 0;
    bytes[at + Place.lengths + 2] = 0;
    const to = textsAt(at);
    const nameBytes = putLatin1(bytes, to, name ?? '', MAX_NAME_BYTES);
    words[(at + Place.longLengths) >> 2] = nameBytes;
    ring.commit(to + nameBytes - at);
  }

  return {
    endExchange,
    endConnection(connection, nowMs) {
      const { exchange, up, down } = connection;
      if (exchange === null) {
        if (connection.accessLog === AccessLevel.all || isConnectionFailed(connection))
          writeConnection(connection, nowMs);
        return;
      }
      if ((exchange.flags & AccessFlag.upgraded) !== 0) {
        exchange.bytesUp = up.totalBytes - exchange.upBefore;
        exchange.bytesDown = down.totalBytes - exchange.downBefore;
      }
      const reason = exchange.reason >= 0 ? exchange.reason : connection.reason;
      endExchange(connection, exchange, reason, nowMs);
    },
  };
}
