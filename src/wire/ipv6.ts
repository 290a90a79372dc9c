/** IPv6 headers (RFC 8200): the offsets of the fields, and the extension headers. */
import { sumOfBytes, sumOfIpv6Address } from './checksum.ts';

/** Size of the fixed header. */
export const IPV6_HEADER_BYTES = 40;

/** Offsets of the fields in bytes. */
export const IPV6 = {
  PAYLOAD_LENGTH: 4,
  NEXT_HEADER: 6,
  HOP_LIMIT: 7,
  SOURCE: 8,
  DESTINATION: 24,
} as const;

/** The smallest MTU an IPv6 link may have, and the longest ICMPv6 error. */
export const IPV6_MINIMUM_MTU_BYTES = 1280;

export const EXTENSION = { HOP_BY_HOP: 0, ROUTING: 43, FRAGMENT: 44, DESTINATION_OPTIONS: 60 } as const;

/** Size of a fragment header; its identification is at 4. */
export const FRAGMENT_HEADER_BYTES = 8;
/** Offset of the word with the offset of the data and the M flag. */
export const FRAGMENT_OFFSET_AND_MORE = 2;
/** In that field: the two bits between the offset and the M flag. */
export const FRAGMENT_RESERVED_BITS = 6;
export const FRAGMENT_IDENTIFICATION = 4;

/** Offset of "segments left" in a routing header. */
export const ROUTING_SEGMENTS_LEFT = 3;

/** Whether this next-header value is an extension header that a translator skips (RFC 7915 section 5.1). */
export const isSkippedExtension = (nextHeader: number): boolean =>
  nextHeader === EXTENSION.HOP_BY_HOP ||
  nextHeader === EXTENSION.ROUTING ||
  nextHeader === EXTENSION.DESTINATION_OPTIONS;

/** IANA's extension headers (RFC 7045), without the experimental ones and without ESP, after which nothing can be read. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135, 139, 140]);
export const isExtension = (nextHeader: number): boolean => EXTENSIONS.has(nextHeader);

/** The traffic class of the header at `at`. */
export const trafficClass = (view: DataView, at: number): number => (view.getUint16(at) >> 4) & 255;

/** Writes a fixed header without the addresses; the flow label is 0. */
export function writeIpv6Start(
  view: DataView,
  at: number,
  trafficClassValue: number,
  payloadBytes: number,
  nextHeader: number,
  hopLimit: number,
): void {
  view.setInt32(at, 0x6000_0000 | (trafficClassValue << 20));
  view.setInt32(at + IPV6.PAYLOAD_LENGTH, (payloadBytes << 16) | (nextHeader << 8) | hopLimit);
}

/** Writes a fragment header. `offsetAndMore` holds the offset in bytes, and the M flag in its last bit. */
export function writeFragmentHeader(
  view: DataView,
  at: number,
  nextHeader: number,
  offsetAndMore: number,
  identification: number,
): void {
  view.setInt32(at, (nextHeader << 24) | offsetAndMore);
  view.setInt32(at + FRAGMENT_IDENTIFICATION, identification);
}

/** Writes the address of four words that begins at `from` of `words`. */
export function writeWords(view: DataView, at: number, words: Int32Array, from = 0): void {
  view.setInt32(at, words[from]);
  view.setInt32(at + 4, words[from + 1]);
  view.setInt32(at + 8, words[from + 2]);
  view.setInt32(at + 12, words[from + 3]);
}

/** Reads an address as four words. */
export function readWords(view: DataView, at: number, into: Int32Array): void {
  into[0] = view.getInt32(at);
  into[1] = view.getInt32(at + 4);
  into[2] = view.getInt32(at + 8);
  into[3] = view.getInt32(at + 12);
}

/** The 32 bits of an address, as four words, from bit `from` on; what lies behind its end is 0. */
export function bitsFrom(words: Int32Array, from: number): number {
  const word = from >> 5;
  const shift = from & 31;
  const high = word < 4 ? words[word] : 0;
  const low = word < 3 ? words[word + 1] : 0;
  return shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
}

/**
 * The sum that the checksum of ICMPv6, TCP or UDP covers: the pseudo-header of the packet at `start`, and the bytes from
 * `transport` to `end` (RFC 8200 section 8.1).
 */
export const sumOfIpv6Payload = (
  view: DataView,
  start: number,
  transport: number,
  end: number,
  protocol: number,
): number =>
  sumOfIpv6Address(view, start + IPV6.SOURCE) +
  sumOfIpv6Address(view, start + IPV6.DESTINATION) +
  (end - transport) +
  protocol +
  sumOfBytes(view, transport, end);
