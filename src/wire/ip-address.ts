/**
 * IP addresses as bytes: an IPv4 address is 4 bytes or an unsigned 32-bit number, an IPv6 address 16 bytes, both in network
 * order. Parses text as RFC 4291 section 2.2 defines it, and writes it as RFC 5952 does. Zone identifiers (%eth0) are not
 * accepted.
 */

const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;

/** The address as an unsigned 32-bit number, or undefined when the text is not dotted decimal. */
export function parseIpv4(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!DECIMAL_OCTET.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return value;
}

/** Dotted decimal of an unsigned 32-bit number. */
export const formatIpv4 = (address: number): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

/** The 16 bytes of an IPv6 address, or undefined when the text is not one. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const present = head.length + tail.length;
  if (halves.length === 1 ? present !== 8 : present > 7) return undefined;
  const bytes = new Uint8Array(16);
  for (const [i, group] of head.entries()) writeGroup(bytes, i, group);
  for (const [i, group] of tail.entries()) writeGroup(bytes, 8 - tail.length + i, group);
  return bytes;
}

/** The 16-bit groups on one side of "::"; the last part may be dotted decimal at the end of the address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (HEX_GROUP.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4 >>> 16, ipv4 & 0xffff);
  }
  return groups;
}

function writeGroup(bytes: Uint8Array, index: number, group: number): void {
  bytes[index * 2] = group >>> 8;
  bytes[index * 2 + 1] = group & 255;
}

/** RFC 5952 text: lower case, the longest run of zero groups shortened, IPv4-mapped addresses in dotted decimal. */
export function formatIpv6(bytes: Uint8Array): string {
  const ipv4 = mappedIpv4(bytes);
  if (ipv4 !== undefined) return `::ffff:${formatIpv4(ipv4)}`;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2] << 8) | bytes[i * 2 + 1]);
  let longestStart = -1;
  let longest = 1; // a single zero group is not shortened (section 4.2.2)
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > longest) [longestStart, longest] = [start, end - start];
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (longestStart === -1) return hex(0, 8);
  return `${hex(0, longestStart)}::${hex(longestStart + longest, 8)}`;
}

/** The IPv4 address inside an IPv4-mapped IPv6 address (::ffff:0:0/96), or undefined. */
export function mappedIpv4(bytes: Uint8Array): number | undefined {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return undefined;
  if (bytes[10] !== 255 || bytes[11] !== 255) return undefined;
  return ipv4At(bytes, 12);
}

/** The IPv4-mapped IPv6 address of an IPv4 address. */
export function mapIpv4(address: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 255;
  writeIpv4(bytes, 12, address);
  return bytes;
}

/** The unsigned 32-bit number at an offset of a packet. */
export const ipv4At = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;

/** Writes an unsigned 32-bit number in network order. */
export function writeIpv4(bytes: Uint8Array, offset: number, address: number): void {
  bytes[offset] = address >>> 24;
  bytes[offset + 1] = address >>> 16;
  bytes[offset + 2] = address >>> 8;
  bytes[offset + 3] = address;
}

/** Either family as 16 bytes, IPv4 in its mapped form; undefined when the text is not an address. */
export function parseIpAddress(text: string): Uint8Array<ArrayBuffer> | undefined {
  const ipv4 = parseIpv4(text);
  return ipv4 === undefined ? parseIpv6(text) : mapIpv4(ipv4);
}

/** Text of 16 bytes; an IPv4-mapped address as plain dotted decimal. */
export function formatIpAddress(bytes: Uint8Array): string {
  const ipv4 = mappedIpv4(bytes);
  return ipv4 === undefined ? formatIpv6(bytes) : formatIpv4(ipv4);
}

/** Whether two texts are the same address, in any notation. */
export function isSameAddress(a: string, b: string): boolean {
  const [left, right] = [parseIpAddress(a), parseIpAddress(b)];
  return left !== undefined && right !== undefined && left.every((byte, i) => byte === right[i]);
}

/** "192.0.2.1:80" or "[2001:db8::1]:80". `address`: 16 bytes, IPv4 in its mapped form. */
export function formatSocketAddress({
  address,
  port,
}: {
  readonly address: Uint8Array;
  readonly port: number;
}): string {
  const text = formatIpAddress(address);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
