/** The events of a TCP service: the records that its worker writes about connections, and how the main thread reads them. */
import { monotonicMs } from '../os/monotonic.ts';
import { decodeSocketAddress, SOCKADDR_BYTES, type SocketAddress } from '../os/socket-address.ts';
import {
  createEventRing,
  createEventWriter,
  type EventRecord,
  type EventRing,
} from '../runtime/event-ring.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { formatUniqueId } from '../wire/proxy-header.ts';
import type { ConnectionFound } from './connection-event.ts';
import type { Connection } from './connection.ts';
import type { Gate } from './gate.ts';
import { asIs } from '../texts/text.ts';

/** limited: refused at a limit when it was accepted, before it became a connection. */
export const TcpEvent = { opened: 0, closed: 1, refused: 2, limited: 3 } as const;
type TcpEventKind = (typeof TcpEvent)[keyof typeof TcpEvent];

const WHAT = ['opened', 'closed', 'refused', 'refused'] as const;
/** The limit for each kind: more events would be of no use to a person. */
const EVENTS_PER_SECOND = 200;
/** The same for refusals at a limit: the client that goes on for long must not fill the timeline. */
const LIMITED_PER_SECOND = 5;

// The record, after its head of 12 bytes. Offsets in bytes.
const NUMBER = 12;
const DURATION = 16;
const REASON = 20;
const BYTES_UP = 24;
const BYTES_DOWN = 32;
const PEER = 40;
/** Lengths of what follows: listener, server, unique id, name. */
const LENGTHS = PEER + SOCKADDR_BYTES;
const TEXTS = LENGTHS + 4;
const RECORD_BYTES = 384;
const RECORDS = 512;
/** A longer name is cut off: listener and server, with at most 63 characters each, and an id of at most 128 bytes always have room. */
const TEXT_BYTES = RECORD_BYTES - TEXTS;
const PEER_STRIDE = 32;
/** How exact the time of an event is. */
const TICK_MS = 10;

/** Makes the ring of a TCP service; all kinds are recorded. */
export function createTcpEventRing(): EventRing {
  const ring = createEventRing({ recordBytes: RECORD_BYTES, records: RECORDS });
  for (const kind of Object.values(TcpEvent)) ring.limit(kind, EVENTS_PER_SECOND);
  ring.limit(TcpEvent.limited, LIMITED_PER_SECOND);
  ring.want(0b1111);
  return ring;
}

/** The worker's side of the events. */
export interface TcpEvents {
  /** Keeps the sockaddr that accept4 wrote: the address of the client of a descriptor. */
  keepPeer(fd: number, sockaddr: Uint8Array): void;
  /** That address; undefined if accept4 wrote none. */
  peerOf(fd: number): SocketAddress | undefined;
  /** Writes it to `bytes` as accept4 did. */
  copyPeer(fd: number, bytes: Uint8Array, at: number): void;
  /** Sets the listener's name for a gate. */
  nameGate(gate: Gate, listener: string): void;
  listenerOf(gate: Gate): string;
  record(kind: TcpEventKind, connection: Connection, nowMs: number): void;
  /** A client was refused at a limit; `reason`: the position of the counter. */
  recordLimited(gate: Gate, fd: number, reason: number, nowMs: number): void;
}

export function createTcpEvents(buffer: SharedArrayBuffer): TcpEvents {
  const writer = createEventWriter(buffer);
  const { bytes, words, doubles } = writer;
  const listeners = new WeakMap<Gate, string>();
  /** The gate of the last record, and its listener. */
  let lastGate: Gate | undefined;
  let lastListener = '';
  /** By descriptor. */
  let peers = new Uint8Array(256 * PEER_STRIDE);
  let tickedMs = monotonicMs() - TICK_MS;

  function listenerOf(gate: Gate): string {
    if (gate !== lastGate) {
      lastGate = gate;
      lastListener = listeners.get(gate) ?? '';
    }
    return lastListener;
  }

  /** Writes as many characters of a text as fit between `at` and `end`; returns how many. Hostnames are ASCII. */
  function putText(text: string, at: number, end: number): number {
    const length = Math.min(text.length, end - at, 255);
    for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    return length;
  }

  function copyPeer(fd: number, to: Uint8Array, at: number): void {
    const peer = fd * PEER_STRIDE;
    for (let i = 0; i < SOCKADDR_BYTES; i++) to[at + i] = peers[peer + i];
  }

  function tick(nowMs: number): void {
    if (((nowMs - tickedMs) | 0) < TICK_MS) return;
    tickedMs = nowMs;
    writer.tick(Date.now());
  }

  return {
    keepPeer(fd, sockaddr) {
      const at = fd * PEER_STRIDE;
      if (at + PEER_STRIDE > peers.length) {
        const larger = new Uint8Array(Math.max(peers.length * 2, at + PEER_STRIDE));
        larger.set(peers);
        peers = larger;
      }
      for (let i = 0; i < SOCKADDR_BYTES; i++) peers[at + i] = sockaddr[i];
    },
    peerOf: (fd) => peerAt(peers, fd * PEER_STRIDE),
    copyPeer,
    nameGate(gate, listener) {
      listeners.set(gate, listener);
      lastGate = undefined;
    },
    listenerOf,
    record(kind, connection, nowMs) {
      tick(nowMs);
      const at = writer.begin(kind);
      if (at < 0) return;
      words[(at + NUMBER) >> 2] = connection.number;
      words[(at + DURATION) >> 2] = nowMs - connection.acceptedMs;
      words[(at + REASON) >> 2] = connection.reason;
      doubles[(at + BYTES_UP) >> 3] = connection.up.totalBytes;
      doubles[(at + BYTES_DOWN) >> 3] = connection.down.totalBytes;
      copyPeer(connection.up.from, bytes, at + PEER);
      const end = at + TEXTS + TEXT_BYTES;
      let text = at + TEXTS;
      text += bytes[at + LENGTHS] = putText(listenerOf(connection.gate), text, end);
      text += bytes[at + LENGTHS + 1] = putText(connection.server ?? '', text, end);
      const { uniqueId } = connection;
      const idBytes = uniqueId === null ? 0 : uniqueId.length;
      for (let i = 0; i < idBytes; i++) bytes[text + i] = uniqueId![i];
      text += bytes[at + LENGTHS + 2] = idBytes;
      bytes[at + LENGTHS + 3] = putText(connection.name ?? '', text, end);
      writer.commit();
    },
    recordLimited(gate, fd, reason, nowMs) {
      tick(nowMs);
      const at = writer.begin(TcpEvent.limited);
      if (at < 0) return;
      words[(at + NUMBER) >> 2] = words[(at + DURATION) >> 2] = 0;
      words[(at + REASON) >> 2] = reason;
      doubles[(at + BYTES_UP) >> 3] = doubles[(at + BYTES_DOWN) >> 3] = 0;
      copyPeer(fd, bytes, at + PEER);
      bytes[at + LENGTHS] = putText(listenerOf(gate), at + TEXTS, at + TEXTS + TEXT_BYTES);
      bytes[at + LENGTHS + 1] = bytes[at + LENGTHS + 2] = 0;
      writer.commit();
    },
  };
}

/** Decodes a record into an event. `counters`: names and explanations in the order of the service's table. */
export function readTcpEvent(
  service: string,
  counters: readonly (readonly [name: string, explanation: string])[],
  { kind, bytes, words, doubles, at }: EventRecord,
): ConnectionFound {
  let text = at + TEXTS;
  const next = (position: number): Uint8Array =>
    bytes.subarray(text, (text += bytes[at + LENGTHS + position]));
  const nextText = (position: number): string | null => String.fromCharCode(...next(position)) || null;
  const peer = peerAt(bytes, at + PEER);
  const [reason, explanation] = counters[words[(at + REASON) >> 2]] ?? [null, null];
  return {
    kind: 'connection',
    what: WHAT[kind],
    service,
    connection: words[(at + NUMBER) >> 2] >>> 0,
    listener: nextText(0) ?? '',
    server: nextText(1),
    uniqueId: formatUniqueId(next(2)) || null,
    name: nextText(3),
    client: peer === undefined ? 'unknown' : formatIpAddress(peer.address),
    clientPort: peer?.port ?? 0,
    bytesUp: doubles[(at + BYTES_UP) >> 3],
    bytesDown: doubles[(at + BYTES_DOWN) >> 3],
    durationMs: words[(at + DURATION) >> 2],
    reason,
    explanation: explanation === null ? null : asIs(explanation),
  };
}

function peerAt(bytes: Uint8Array, at: number): SocketAddress | undefined {
  try {
    return decodeSocketAddress(bytes, at);
  } catch {
    return undefined;
  }
}
