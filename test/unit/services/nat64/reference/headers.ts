/** Code shared by the steps of the reference translator: kinds of packets, checksums, addresses, transport headers. */
import { type Bytes, PROTOCOL, concat, onesSum, readU16, u16 } from '../packets.ts';

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
export const startsWith = (bytes: Uint8Array, start: Uint8Array) => hex(bytes).startsWith(hex(start));
export const KINDS: Readonly<Record<number, string>> = {
  [PROTOCOL.TCP]: 'tcp',
  [PROTOCOL.UDP]: 'udp',
  [PROTOCOL.ICMP]: 'icmp',
  [PROTOCOL.ICMPV6]: 'icmp',
};
export const PROTOCOL4: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1 };
export const PROTOCOL6: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 58 };
export const ECHO_6TO4: Readonly<Record<number, number>> = { 128: 8, 129: 0 };
export const ECHO_4TO6: Readonly<Record<number, number>> = { 8: 128, 0: 129 };

/** The new checksum after `before` became `after` in the covered data (RFC 1624). */
export function adjusted(old: number, before: Uint8Array, after: Uint8Array): number {
  const inverted = Uint8Array.from(before, (byte) => 255 - byte);
  return 0xffff - onesSum(Uint8Array.from(u16(0xffff - old)), inverted, after);
}

export function neverRouted(address: Uint8Array): boolean {
  return (
    address[0] === 0 || address[0] === 127 || address[0] >= 224 || (address[0] === 169 && address[1] === 254)
  );
}

/** Multicast, broadcast. */
export const isGroup = (address: Uint8Array): boolean =>
  (address[0] >= 224 && address[0] < 240) || address.every((byte) => byte === 255);

/** RFC 6052 section 3.1, RFC 5735 section 3, RFC 6890; without the ranges that laboratories use. */
export function isNonGlobal([a, b, c, d]: Uint8Array): boolean {
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 192 && b === 0 && c === 0 && d !== 9 && d !== 10) ||
    (a === 192 && b === 88 && c === 99) ||
    (a === 198 && (b === 18 || b === 19))
  );
}

/** Lowers the segment size in a SYN, and corrects the checksum by the change of the affected words. */
export function clamp(segment: Bytes, maxSegmentBytes: number): void {
  if ((segment[13] & 2) === 0) return;
  const headerBytes = (segment[12] >> 4) * 4;
  let at = 20;
  while (at < headerBytes && segment[at] !== 0) {
    const length = segment[at] === 1 ? 1 : (segment[at + 1] ?? 0);
    if (segment[at] !== 1 && (at + 1 >= headerBytes || length < 2 || at + length > headerBytes)) return;
    if (segment[at] === 2 && length === 4) {
      if (readU16(segment, at + 2) <= maxSegmentBytes) return;
      const before = segment.slice(20, headerBytes);
      segment.set(u16(maxSegmentBytes), at + 2);
      segment.set(u16(adjusted(readU16(segment, 16), before, segment.slice(20, headerBytes))), 16);
      return;
    }
    at += length;
  }
}

/** The bytes of the transport header that translation changes, except the checksum. */
export const header = (segment: Uint8Array, kind: string | undefined) =>
  kind === 'icmp' ? concat(segment.slice(0, 2), segment.slice(4, 6)) : segment.slice(0, 4);

/** Adjusts the checksum in `segment` (which still contains the old one), unless it is cut off. */
export function setChecksum(
  segment: Bytes,
  kind: string | undefined,
  before: Uint8Array,
  after: Uint8Array,
): void {
  // The checksums of other protocols do not cover addresses.
  if (kind === undefined) return;
  const at = kind === 'tcp' ? 16 : kind === 'udp' ? 6 : 2;
  if (segment.length < at + 2) return;
  const old = readU16(segment, at);
  if (kind === 'udp' && old === 0) return;
  const sum = adjusted(old, before, after);
  segment.set(u16(sum === 0 && kind === 'udp' ? 0xffff : sum), at);
}

/** Numbers of IPv6 extension headers, which are not transport protocols. */
const EXTENSIONS = [0, 43, 44, 60];

/** Whether a protocol passes unchanged for a host with its own IPv4 address (N27). */
export const isOther = (protocol: number): boolean =>
  KINDS[protocol] === undefined && !EXTENSIONS.includes(protocol);

/** Whether a protocol must not pass. */
export const protocolProblem = (protocol: number, icmpProtocol: number, passesOthers: boolean): boolean =>
  !(passesOthers && isOther(protocol)) &&
  protocol !== PROTOCOL.TCP &&
  protocol !== PROTOCOL.UDP &&
  protocol !== icmpProtocol;

/** `isFirst`: the segment is the first of several fragments. */
export function transportProblem(
  protocol: number,
  segment: Uint8Array,
  icmpProtocol: number,
  passesOthers: boolean,
  isFirst = false,
): string | undefined {
  if (passesOthers && isOther(protocol)) return undefined;
  if (protocol === PROTOCOL.TCP) {
    if (segment.length < 20) return 'drop-truncated';
    const headerBytes = (segment[12] >> 4) * 4;
    return headerBytes < 20 || headerBytes > segment.length ? 'drop-truncated' : undefined;
  }
  if (protocol === PROTOCOL.UDP) {
    if (segment.length < 8) return 'drop-truncated';
    const udpBytes = readU16(segment, 4);
    return udpBytes < 8 || (udpBytes > segment.length && !isFirst) ? 'drop-bad-length' : undefined;
  }
  if (protocol !== icmpProtocol) return 'drop-protocol';
  return segment.length < 8 ? 'drop-truncated' : undefined;
}

export function isUnicastHost(source: Uint8Array): boolean {
  const text = hex(source);
  const isLinkLocal = source[0] === 0xfe && (source[1] & 0xc0) === 0x80;
  return source[0] !== 0xff && !isLinkLocal && !/^0{16}(0{8}|0000ffff)/.test(text);
}

export function sourceRoute(options: Uint8Array): 'none' | 'unexpired' | 'malformed' {
  let rest = options;
  while (rest.length > 0 && rest[0] !== 0) {
    if (rest[0] === 1) {
      rest = rest.slice(1);
      continue;
    }
    const length = rest[1] ?? 0;
    if (length < 2 || length > rest.length) return 'malformed';
    if (rest[0] === 131 || rest[0] === 137) {
      if (length < 3) return 'malformed';
      if (rest[2] <= length) return 'unexpired';
    }
    rest = rest.slice(length);
  }
  return 'none';
}

/** Whether the prefix is 64:ff9b::/96 (RFC 6052 section 2.1). */
export const isWellKnown = ({ prefix }: { readonly prefix: Uint8Array }): boolean =>
  hex(prefix) === '0064ff9b0000000000000000';
