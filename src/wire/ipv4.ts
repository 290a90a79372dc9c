/** IPv4 headers (RFC 791): the offsets of the fields, and the checks of a header. */
import { checksumOf, foldSum, sumOfBytes } from './checksum.ts';

/** Size of a header without options. */
export const IPV4_HEADER_BYTES = 20;

/** Offsets of the fields in bytes. */
export const IPV4 = {
  TOS: 1,
  TOTAL_LENGTH: 2,
  IDENTIFICATION: 4,
  FRAGMENT: 6,
  TTL: 8,
  PROTOCOL: 9,
  CHECKSUM: 10,
  SOURCE: 12,
  DESTINATION: 16,
} as const;

/** In the FRAGMENT field. */
export const DONT_FRAGMENT = 0x4000;
export const MORE_FRAGMENTS = 0x2000;
/** MF or an offset: the packet is one of several fragments. */
export const IS_FRAGMENT = 0x3fff;
export const FRAGMENT_OFFSET = 0x1fff;
/** Offsets of fragments count units of 8 bytes. */
export const FRAGMENT_UNIT_SHIFT = 3;

export const IP_PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_LOOSE_SOURCE_ROUTE = 131;
const OPTION_STRICT_SOURCE_ROUTE = 137;

/**
 * The length of the header at `at` in bytes, options included, or 0 when the bytes up to `end` do not begin with a complete
 * IPv4 header. The total length field is ignored: packets quoted in ICMP errors are truncated.
 */
export function ipv4HeaderBytes(view: DataView, at: number, end: number): number {
  if (end - at < IPV4_HEADER_BYTES) return 0;
  const versionAndLength = view.getUint8(at);
  const headerBytes = (versionAndLength & 15) << 2;
  if (versionAndLength >> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES || headerBytes > end - at) return 0;
  return headerBytes;
}

/** Whether the checksum of a header of `headerBytes` bytes is correct. */
export const ipv4ChecksumIsRight = (view: DataView, at: number, headerBytes: number): boolean =>
  foldSum(sumOfBytes(view, at, at + headerBytes)) === 0xffff;

/**
 * Finds a source route in the options that still has hops to visit. Returns the offset of its pointer byte from the start of
 * the header, 0 when there is none, -1 when the options are malformed.
 */
export function unexpiredSourceRoute(view: DataView, at: number, headerBytes: number): number {
  const end = at + headerBytes;
  let option = at + IPV4_HEADER_BYTES;
  while (option < end) {
    const type = view.getUint8(option);
    if (type === OPTION_END) return 0;
    if (type === OPTION_NOP) {
      option++;
      continue;
    }
    const optionBytes = option + 1 < end ? view.getUint8(option + 1) : 0;
    if (optionBytes < 2 || option + optionBytes > end) return -1;
    if (type === OPTION_LOOSE_SOURCE_ROUTE || type === OPTION_STRICT_SOURCE_ROUTE) {
      if (optionBytes < 3) return -1;
      // The pointer counts from 1. When it is past the option's last byte, the route is used up.
      if (view.getUint8(option + 2) <= optionBytes) return option + 2 - at;
    }
    option += optionBytes;
  }
  return 0;
}

/** Writes a header without options, checksum included. Addresses are 32-bit numbers of either sign. */
export function writeIpv4Header(
  view: DataView,
  at: number,
  tos: number,
  totalBytes: number,
  identification: number,
  fragment: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  view.setUint16(at, 0x4500 | tos);
  view.setUint16(at + IPV4.TOTAL_LENGTH, totalBytes);
  view.setUint16(at + IPV4.IDENTIFICATION, identification);
  view.setUint16(at + IPV4.FRAGMENT, fragment);
  view.setUint16(at + IPV4.TTL, (ttl << 8) | protocol);
  view.setInt32(at + IPV4.SOURCE, source);
  view.setInt32(at + IPV4.DESTINATION, destination);
  const sum =
    (0x4500 | tos) +
    totalBytes +
    identification +
    fragment +
    ((ttl << 8) | protocol) +
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff);
  view.setUint16(at + IPV4.CHECKSUM, checksumOf(sum));
}
