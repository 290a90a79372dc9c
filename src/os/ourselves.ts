/**
 * Our own addresses: every address by which a packet or a connection reaches this machine. This is the only definition; the
 * configuration check, the TCP engine, DNS64's upstreams, probes and NAT64 use it.
 *
 * Our addresses are: what the kernel delivers locally (addresses of every interface, broadcast, anycast), loopback, and the
 * unspecified addresses, which connect(2) takes for loopback. Each of their IPv4 addresses also counts in its other forms:
 * IPv4-mapped (::ffff:0:0/96), and inside every NAT64 prefix (RFC 6052), always including the well-known one.
 */
import {
  type IpPrefix,
  anyPrefixContains,
  formatIpPrefix,
  maskAddress,
  parseIpPrefix,
} from '../wire/ip-prefix.ts';
import { embedIpv4 } from '../wire/rfc6052.ts';
import { ipv4At, mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';

/** Plain data: it can be posted to a worker thread. */
export interface Ourselves {
  /** Own addresses as the kernel reports them, without other forms: 16 bytes, IPv4 mapped. */
  readonly own: readonly IpPrefix[];
  /** Own addresses in all forms: rows of eight words, the address and its mask. See `isOurselves`. */
  readonly rows: Int32Array;
}

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** Ours on every machine, whatever its interfaces: RFC 4291 sections 2.5.2 and 2.5.3, RFC 1122 section 3.2.1.3. */
const ALWAYS = ['::/128', '::1/128', '0.0.0.0/8', '127.0.0.0/8', '255.255.255.255/32'].map(parsed);
/** RFC 6052 section 2.1: other DNS64 and NAT64 devices use it too, even where ours has a different prefix. */
const WELL_KNOWN_PREFIX = parsed('64:ff9b::/96');

const WORDS = 4;
const ROW_WORDS = 2 * WORDS;
const IPV4_OFFSET = 12;
const IPV4_PREFIX_BITS = 96;
/** Bits 64 to 71 of an IPv4-embedded address, which a translator ignores (RFC 6052 section 2.2). */
const U_OCTET = 8;

/** Computes `Ourselves` from our addresses (`readOwn`) and the NAT64 prefixes that lead here (32 to 96 bits). */
export function compileOurselves(
  own: readonly IpPrefix[],
  embeddingPrefixes: readonly IpPrefix[],
): Ourselves {
  const all = distinct([...ALWAYS, ...own]);
  const prefixes = distinct([WELL_KNOWN_PREFIX, ...embeddingPrefixes]);
  const rows: number[] = [];
  for (const { address, prefixBits } of all) {
    addRow(rows, address, maskAddress(ONES, prefixBits));
    if (mappedIpv4(address) === undefined || prefixBits < IPV4_PREFIX_BITS) continue;
    for (const prefix of prefixes) addEmbedded(rows, prefix, address, prefixBits);
  }
  return { own: all, rows: Int32Array.from(rows) };
}

const ONES = new Uint8Array(16).fill(255);

/** Each prefix once. */
export function distinct(prefixes: readonly IpPrefix[]): IpPrefix[] {
  return [...new Map(prefixes.map((prefix) => [formatIpPrefix(prefix), prefix])).values()];
}

/** The IPv4 addresses of a prefix, as a NAT64 prefix embeds them. */
function addEmbedded(rows: number[], prefix: IpPrefix, address: Uint8Array, prefixBits: number): void {
  const ipv4Mask = ipv4At(maskAddress(ONES, prefixBits), IPV4_OFFSET);
  const mask = embedIpv4(
    { address: maskAddress(ONES, prefix.prefixBits), prefixBits: prefix.prefixBits },
    ipv4Mask,
  );
  if (prefix.prefixBits <= U_OCTET * 8) mask[U_OCTET] = 0;
  addRow(rows, embedIpv4(prefix, ipv4At(address, IPV4_OFFSET)), mask);
}

function addRow(rows: number[], address: Uint8Array, mask: Uint8Array): void {
  for (let word = 0; word < WORDS; word++) rows.push(wordAt(address, word * 4) & wordAt(mask, word * 4));
  for (let word = 0; word < WORDS; word++) rows.push(wordAt(mask, word * 4));
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];

/** Whether the 16 bytes at `offset` (IPv4 in its mapped form) lead to this machine. Allocates nothing. */
export function isOurselves({ rows }: Ourselves, bytes: Uint8Array, offset = 0): boolean {
  return matches(
    rows,
    wordAt(bytes, offset),
    wordAt(bytes, offset + 4),
    wordAt(bytes, offset + 8),
    wordAt(bytes, offset + 12),
  );
}

/** The same for an address of four big-endian words. */
export const isOwnHost = (
  { rows }: Ourselves,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean => matches(rows, word0, word1, word2, word3);

/** The same for a sockaddr_in or sockaddr_in6 (os/socket-address.ts). */
export const isOwnSocketAddress = ({ rows }: Ourselves, sockaddr: Uint8Array): boolean =>
  sockaddr.length === SOCKADDR_IN_BYTES
    ? matches(rows, 0, 0, 0xffff, wordAt(sockaddr, 4))
    : matches(rows, wordAt(sockaddr, 8), wordAt(sockaddr, 12), wordAt(sockaddr, 16), wordAt(sockaddr, 20));

const SOCKADDR_IN_BYTES = 16;

/** The same for text; false if it is not an address. */
export function isOwnAddress(ourselves: Ourselves, text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && isOurselves(ourselves, address);
}

/** Whether the kernel delivers packets for the address to this machine without any translation on the way. */
export function isDeliveredHere(own: readonly IpPrefix[], text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && anyPrefixContains(own, address);
}

/**
 * Whether packets from this machine to the address reach one of its own sockets that is bound to one of `listening`. An own
 * address behind NAT64 always counts as reaching it: no other service of ours is meant to be reached that way.
 */
export function leadsToListener(
  ourselves: Ourselves,
  address: Uint8Array,
  listening: readonly string[],
): boolean {
  if (!isOurselves(ourselves, address)) return false;
  if (!anyPrefixContains(ourselves.own, address)) return true;
  const isIpv4 = mappedIpv4(address) !== undefined;
  // connect(2) takes the unspecified address for loopback.
  const reached = !isUnspecified(address) ? address : isIpv4 ? LOOPBACK4 : LOOPBACK6;
  return listening.some((text) => {
    const bound = parseIpAddress(text);
    if (bound === undefined || (mappedIpv4(bound) !== undefined) !== isIpv4) return false;
    return isUnspecified(bound) || Buffer.compare(bound, reached) === 0;
  });
}

const LOOPBACK4 = parseIpAddress('127.0.0.1')!;
const LOOPBACK6 = parseIpAddress('::1')!;

const isUnspecified = (address: Uint8Array): boolean =>
  address.subarray(mappedIpv4(address) === undefined ? 0 : IPV4_OFFSET).every((byte) => byte === 0);

function matches(rows: Int32Array, word0: number, word1: number, word2: number, word3: number): boolean {
  for (let at = 0; at < rows.length; at += ROW_WORDS) {
    if (
      ((word3 ^ rows[at + 3]) & rows[at + 7]) === 0 &&
      ((word0 ^ rows[at]) & rows[at + 4]) === 0 &&
      ((word1 ^ rows[at + 1]) & rows[at + 5]) === 0 &&
      ((word2 ^ rows[at + 2]) & rows[at + 6]) === 0
    )
      return true;
  }
  return false;
}
