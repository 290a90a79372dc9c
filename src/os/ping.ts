/** ICMP echo over a raw socket (CAP_NET_RAW), or over the kernel's ping socket where that is allowed. */
import { setTimeout as delay } from 'node:timers/promises';
import { checksumOf, sumOfBytes } from '../wire/checksum.ts';
import { ICMP, ICMP4, ICMP6, ICMP_HEADER_BYTES } from '../wire/icmp.ts';
import { formatIpAddress, mappedIpv4 } from '../wire/ip-address.ts';
import {
  AF_INET,
  AF_INET6,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SystemCallError,
  bind,
  check,
  close,
  errno,
  pinned,
  recvfrom,
  sendto,
  socket,
} from './libc.ts';
import { SOCKADDR_BYTES, decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SIN6_SCOPE_ID = 24;
const POLL_INTERVAL_MS = 5;
const LONGEST_POLL_INTERVAL_MS = 50;
const PACKET_BYTES = 1500;
/** Below the ports of a NAT64 pool, which uses ICMP identifiers too. */
const IDENTIFIERS = 16_384;
let lastIdentifier = process.pid % IDENTIFIERS;

export interface EchoReply {
  readonly address: string;
  readonly afterMs: number;
}

export interface PingOptions {
  /** 16 bytes, IPv4 in its mapped form. */
  readonly target: Uint8Array;
  /** Index of the interface, for link-local and multicast targets. */
  readonly scopeId?: number;
  /** Own address to send from, 16 bytes. */
  readonly source?: Uint8Array;
  readonly timeoutMs: number;
  /** Waits for the answers of several hosts, until the time is over. */
  readonly isMulticast?: boolean;
}

/** The hosts that answered, with the time. Throws SystemCallError when the packet cannot be sent: EPERM, ENETUNREACH, ... */
export async function ping(options: PingOptions): Promise<EchoReply[]> {
  const isIpv4 = mappedIpv4(options.target) !== undefined;
  const what = `ping ${formatIpAddress(options.target)}`;
  const identifier = (lastIdentifier = (lastIdentifier + 1) % IDENTIFIERS);
  const family = isIpv4 ? AF_INET : AF_INET6;
  const protocol = isIpv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  const fd = openEchoSocket(family, protocol, what);
  try {
    if (options.source !== undefined) {
      const source = encodeSocketAddress({ address: options.source, port: 0 });
      check(bind(fd, source, source.length), `${what} from ${formatIpAddress(options.source)}`);
    }
    const target = encodeSocketAddress({ address: options.target, port: 0 });
    if (!isIpv4) new DataView(target.buffer).setUint32(SIN6_SCOPE_ID, options.scopeId ?? 0, true);
    const request = echoRequest(isIpv4, identifier);
    const sentMs = performance.now();
    check(sendto(fd, request, request.length, 0, target, target.length), what);
    return await collect(fd, isIpv4, request, sentMs, options);
  } finally {
    close(fd);
  }
}

function openEchoSocket(family: number, protocol: number, what: string): number {
  const raw = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (raw >= 0) return raw;
  const refused = errno();
  const datagram = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
  if (datagram < 0) throw new SystemCallError(what, refused);
  return datagram;
}

/** Adds a payload by which the answer is recognised: a ping socket chooses its own identifier. */
function echoRequest(isIpv4: boolean, identifier: number): Uint8Array {
  const packet = pinned(ICMP_HEADER_BYTES + 16);
  const view = new DataView(packet.buffer);
  packet[ICMP.TYPE] = isIpv4 ? ICMP4.ECHO_REQUEST : ICMP6.ECHO_REQUEST;
  view.setUint16(ICMP.IDENTIFIER, identifier);
  crypto.getRandomValues(packet.subarray(ICMP_HEADER_BYTES));
  // The kernel computes the checksum of ICMPv6, because it chooses the source address, which the checksum covers.
  if (isIpv4) view.setUint16(ICMP.CHECKSUM, checksumOf(sumOfBytes(view, 0, packet.length)));
  return packet;
}

async function collect(
  fd: number,
  isIpv4: boolean,
  request: Uint8Array,
  sentMs: number,
  { timeoutMs, isMulticast = false }: PingOptions,
): Promise<EchoReply[]> {
  const payload = request.subarray(ICMP_HEADER_BYTES);
  const packet = pinned(PACKET_BYTES);
  const from = pinned(SOCKADDR_BYTES);
  const length = pinned(4);
  const replies = new Map<string, EchoReply>();
  for (
    let intervalMs = POLL_INTERVAL_MS;
    ;
    intervalMs = Math.min(intervalMs * 1.5, LONGEST_POLL_INTERVAL_MS)
  ) {
    length[0] = SOCKADDR_BYTES;
    const bytes = recvfrom(fd, packet, packet.length, MSG_DONTWAIT, from, length);
    const afterMs = performance.now() - sentMs;
    if (bytes > 0 && isReply(packet.subarray(0, bytes), isIpv4, payload)) {
      const address = formatIpAddress(decodeSocketAddress(from).address);
      if (!replies.has(address)) replies.set(address, { address, afterMs });
      if (!isMulticast) break;
    }
    if (afterMs >= timeoutMs) break;
    if (bytes < 0) await delay(intervalMs);
  }
  return [...replies.values()];
}

/** A raw IPv4 socket delivers the IP header too. */
function isReply(packet: Uint8Array, isIpv4: boolean, payload: Uint8Array): boolean {
  const start = isIpv4 && packet[0] >>> 4 === 4 ? (packet[0] & 15) * 4 : 0;
  const type = isIpv4 ? ICMP4.ECHO_REPLY : ICMP6.ECHO_REPLY;
  const from = start + ICMP_HEADER_BYTES;
  return packet[start] === type && payload.every((byte, i) => packet[from + i] === byte);
}
