/**
 * Packets that each open a NAT64 session, written to a raw socket at a steady rate. (With 100,000 sockets, the cost of the
 * sockets would be measured.) Orders: see `NewSessionsOrders`.
 */
import { AF_INET6, SOCK_CLOEXEC, check, close, connect, sendmmsg, socket } from '../../../src/os/libc.ts';
import { checksumOf, sumOfBytes } from '../../../src/wire/checksum.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { serveOrders } from './commands.ts';
import { createMessageBatch } from './message-batch.ts';
import { socketAddress } from './sockets.ts';

const SOCK_RAW = 3;
/** With this protocol the packet brings its IPv6 header (raw(7), ipv6(7)). */
const IPPROTO_RAW = 255;
const BATCH = 64;
const IPV6_HEADER_BYTES = 40;
const PAYLOAD_BYTES = 24;
const TRANSPORT_BYTES = 8 + PAYLOAD_BYTES;
const PACKET_BYTES = IPV6_HEADER_BYTES + TRANSPORT_BYTES;
/** Offset of the last four bytes of the destination. */
const LAST_WORD = 36;
const TRANSPORT = IPV6_HEADER_BYTES;
const FIRST_PORT = 10_000;
const SLEEP_MS = 0.5;

export interface NewSessionsOrder {
  /** UDP to `port`, or ICMPv6 echo requests. */
  readonly kind: 'udp' | 'icmp';
  readonly source: string;
  /** The first of consecutive addresses. */
  readonly destination: string;
  readonly port: number;
  /** Each source port, or identifier, sends one packet to each of this many addresses. */
  readonly destinations: number;
  /** Index of the first session in the sequence (all destinations of a source port, then those of the next). */
  readonly first: number;
  readonly sessions: number;
  readonly perSecond: number;
}

/** A packet without source port, destination and checksum; and the sum over its other fields. */
function template({ kind, source, destination, port }: NewSessionsOrder) {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  const protocol = kind === 'udp' ? 17 : 58;
  view.setUint32(0, 0x6000_0000);
  view.setUint16(4, TRANSPORT_BYTES);
  bytes[6] = protocol;
  bytes[7] = 64;
  for (const [text, at] of [
    [source, 8],
    [destination, 24],
  ] as const) {
    const address = parseIpAddress(text);
    if (address === undefined) throw new Error(`"${text}" is no IP address`);
    bytes.set(address, at);
  }
  const firstDestination = view.getUint32(LAST_WORD);
  view.setUint32(LAST_WORD, 0);
  if (kind === 'udp') {
    view.setUint16(TRANSPORT + 2, port);
    view.setUint16(TRANSPORT + 4, TRANSPORT_BYTES);
  } else bytes[TRANSPORT] = 128;
  return {
    bytes,
    firstDestination,
    sum: sumOfBytes(view, 8, PACKET_BYTES) + protocol + TRANSPORT_BYTES,
    // The source port of UDP; the identifier of an echo request is after the checksum.
    portAt: kind === 'udp' ? TRANSPORT : TRANSPORT + 4,
    checksumAt: kind === 'udp' ? TRANSPORT + 6 : TRANSPORT + 2,
  };
}

function open(order: NewSessionsOrder): { sent: number; seconds: number } {
  const { destination, destinations, first, sessions, perSecond } = order;
  const { bytes, firstDestination, sum, portAt, checksumAt } = template(order);
  const target = socketAddress(destination, 0);
  const fd = check(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), 'socket');
  check(connect(fd, target.bytes, target.bytes.length), `connect ${destination}`);
  const batch = createMessageBatch(BATCH, PACKET_BYTES, { names: false });
  for (const view of batch.buffers) new Uint8Array(view.buffer, view.byteOffset, PACKET_BYTES).set(bytes);

  function fill(view: DataView, session: number): void {
    const port = FIRST_PORT + Math.floor(session / destinations);
    const word = firstDestination + (session % destinations);
    view.setUint16(portAt, port);
    view.setUint32(LAST_WORD, word);
    // In UDP, 0 would mean that there is no checksum (RFC 768); for ICMPv6 the two are equivalent.
    view.setUint16(checksumAt, checksumOf(sum + port + (word >>> 16) + (word & 0xffff)) || 0xffff);
  }

  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const startedAt = performance.now();
  let sent = 0;
  while (sent < sessions) {
    const due = Math.min(sessions, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    while (sent < due) {
      const count = Math.min(BATCH, due - sent);
      for (let i = 0; i < count; i++) fill(batch.buffers[i], first + sent + i);
      // What the kernel did not accept is sent later.
      sent += Math.max(0, sendmmsg(fd, batch.headers, count, 0));
    }
    Atomics.wait(sleeper, 0, 0, SLEEP_MS);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  close(fd);
  return { sent, seconds };
}

const orders = { open };
export type NewSessionsOrders = typeof orders;

serveOrders(orders);
