/**
 * Sends IP packets that no kernel would send, from a packet socket, run inside a namespace; the same packets for the same seed:
 *
 *   node lying-packets.ts SEED DEVICE GATEWAY-MAC SOURCE DESTINATION
 *
 * TCP, UDP, ICMP and other protocols, first with correct checksums, then with wrong lengths, truncated, or with flipped bytes.
 */
import { readFileSync } from 'node:fs';
import { check, close, sendto, socket } from '../../../src/os/libc.ts';
import { parseIpv4, parseIpv6, writeIpv4 } from '../../../src/wire/ip-address.ts';
import { randomFrom } from './random.ts';

const PACKETS = 3000;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCKADDR_LL_BYTES = 20;
const ETHERNET_BYTES = 14;
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
/** In addition to the translated protocols: hop-by-hop options, routing, fragment, no next header, SCTP, reserved. */
const PROTOCOLS = [TCP, UDP, ICMP, ICMPV6, TCP, UDP, ICMP, ICMPV6, 0, 43, 44, 59, 132, 255];
/** Where the checksum is in the header of each protocol. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6, [ICMP]: 2, [ICMPV6]: 2 };

const [seed, device = '', gatewayMac = '', source = '', destination = ''] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const isIpv6 = source.includes(':');

const fd = check(socket(AF_PACKET, SOCK_RAW, 0), 'packet socket');
const link = Buffer.alloc(SOCKADDR_LL_BYTES);
link.writeUInt16LE(AF_PACKET, 0);
link.writeInt32LE(Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), 4);
let sent = 0;
for (let made = 0; made < PACKETS; made++) {
  const frame = Buffer.concat([ethernet(), disturb(packet())]);
  if (sendto(fd, frame, frame.length, 0, link, link.length) > 0) sent++;
}
close(fd);
console.log(`sent ${sent}`);

function ethernet(): Buffer {
  const head = Buffer.alloc(ETHERNET_BYTES);
  const own = readFileSync(`/sys/class/net/${device}/address`, 'latin1').trim();
  head.write(gatewayMac.replaceAll(':', ''), 0, 'hex');
  head.write(own.replaceAll(':', ''), 6, 'hex');
  head.writeUInt16BE(isIpv6 ? 0x86dd : 0x0800, 12);
  return head;
}

/** A correct packet, with a header of random bytes after the ports. */
function packet(): Buffer {
  const protocol = PROTOCOLS[random(PROTOCOLS.length)];
  const payload = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
  if (protocol === TCP && payload.length >= 20) payload[12] = random(2) === 0 ? 0x50 : payload[12];
  if (protocol === UDP && payload.length >= 8) payload.writeUInt16BE(payload.length, 4);
  const icmpTypes = isIpv6 ? [1, 2, 3, 4, 128, 129] : [0, 3, 8, 11, 12];
  if ((protocol === ICMP || protocol === ICMPV6) && payload.length >= 8) {
    payload[0] = icmpTypes[random(icmpTypes.length)];
    payload[1] = random(2) === 0 ? 0 : payload[1];
  }
  const head = isIpv6 ? ipv6Head(protocol, payload.length) : ipv4Head(protocol, payload.length);
  const at = CHECKSUM_AT[protocol];
  if (at !== undefined && payload.length >= at + 2) {
    payload.writeUInt16BE(0, at);
    const addresses = isIpv6 ? head.subarray(8, 40) : head.subarray(12, 20);
    const pseudo = protocol === ICMP ? 0 : sum(addresses) + protocol + payload.length;
    payload.writeUInt16BE(fold(pseudo + sum(payload)), at);
  }
  return Buffer.concat([head, payload]);
}

function ipv6Head(nextHeader: number, payloadBytes: number): Buffer {
  const head = Buffer.alloc(40);
  head[0] = 0x60;
  head.writeUInt16BE(payloadBytes, 4);
  head[6] = nextHeader;
  head[7] = [64, 64, 64, 1, 0][random(5)];
  head.set(parseIpv6(source) ?? [], 8);
  head.set(parseIpv6(destination) ?? [], 24);
  return head;
}

function ipv4Head(protocol: number, payloadBytes: number): Buffer {
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payloadBytes, 2);
  head.writeUInt16BE([0, 0, 0x4000, 0x2000, 0x0005][random(5)], 6);
  head[8] = [64, 64, 64, 1, 2][random(5)];
  head[9] = protocol;
  writeIpv4(head, 12, parseIpv4(source) ?? 0);
  writeIpv4(head, 16, parseIpv4(destination) ?? 0);
  head.writeUInt16BE(fold(sum(head)), 10);
  return head;
}

/** Leaves one packet in four unchanged. */
function disturb(bytes: Buffer): Buffer {
  const lengthAt = isIpv6 ? 4 : 2;
  switch (random(4)) {
    case 0:
      bytes.writeUInt16BE(random(65536), lengthAt);
      return bytes;
    case 1:
      return bytes.subarray(0, random(bytes.length));
    case 2:
      for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      return bytes;
    default:
      return bytes;
  }
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte, at) => total + (at % 2 === 0 ? byte << 8 : byte), 0);
}

/** The ones' complement of the ones' complement sum (RFC 1071). */
function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
