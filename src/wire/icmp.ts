/**
 * ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443), and the translation of types, codes and fields in both directions (RFC 7915
 * sections 4.2 and 5.2). Type and code are kept together as one number, type * 256 + code.
 */

/** Size of the header of echo messages and of errors. */
export const ICMP_HEADER_BYTES = 8;

/** Offsets in bytes. */
export const ICMP = {
  TYPE: 0,
  CODE: 1,
  CHECKSUM: 2,
  IDENTIFIER: 4,
  /** Pointer of an ICMPv4 parameter problem. */
  POINTER: 4,
  /** Length of the quoted datagram in 32-bit words (RFC 4884), ICMPv4. */
  LENGTH4: 5,
  /** MTU of the next hop in an ICMPv4 "fragmentation needed". */
  MTU4: 6,
  /** Length of the quoted datagram in 64-bit words (RFC 4884), ICMPv6. */
  LENGTH6: 4,
  /** MTU or pointer of ICMPv6, 32 bits. */
  MTU6: 4,
} as const;

export const ICMP4 = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  ECHO_REQUEST: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;

export const ICMP6 = {
  UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
} as const;

const typeAndCode = (type: number, code: number) => (type << 8) | code;

export const ICMP4_FRAGMENTATION_NEEDED = typeAndCode(ICMP4.UNREACHABLE, 4);
export const ICMP4_PROHIBITED = typeAndCode(ICMP4.UNREACHABLE, 13);
export const ICMP4_PORT_UNREACHABLE = typeAndCode(ICMP4.UNREACHABLE, 3);
export const ICMP4_SOURCE_ROUTE_FAILED = typeAndCode(ICMP4.UNREACHABLE, 5);
export const ICMP4_PROTOCOL_UNREACHABLE = typeAndCode(ICMP4.UNREACHABLE, 2);
export const ICMP4_TTL_EXCEEDED = typeAndCode(ICMP4.TIME_EXCEEDED, 0);
export const ICMP6_NO_ROUTE = typeAndCode(ICMP6.UNREACHABLE, 0);
export const ICMP6_PROHIBITED = typeAndCode(ICMP6.UNREACHABLE, 1);
export const ICMP6_ADDRESS_UNREACHABLE = typeAndCode(ICMP6.UNREACHABLE, 3);
export const ICMP6_PORT_UNREACHABLE = typeAndCode(ICMP6.UNREACHABLE, 4);
export const ICMP6_TOO_BIG = typeAndCode(ICMP6.PACKET_TOO_BIG, 0);
export const ICMP6_HOP_LIMIT_EXCEEDED = typeAndCode(ICMP6.TIME_EXCEEDED, 0);
export const ICMP6_ERRONEOUS_HEADER = typeAndCode(ICMP6.PARAMETER_PROBLEM, 0);
export const ICMP6_UNKNOWN_NEXT_HEADER = typeAndCode(ICMP6.PARAMETER_PROBLEM, 1);

/** Whether this ICMPv4 type reports an error about a quoted packet. Includes source quench (4) and redirect (5). */
export const isIcmp4Error = (type: number): boolean =>
  type === ICMP4.UNREACHABLE ||
  type === 4 ||
  type === 5 ||
  type === ICMP4.TIME_EXCEEDED ||
  type === ICMP4.PARAMETER_PROBLEM;

/** RFC 4443 section 2.1: errors have the highest bit of the type clear. */
export const isIcmp6Error = (type: number): boolean => type < 128;

/** RFC 7915 section 4.2, "Destination Unreachable": the ICMPv6 type and code by ICMPv4 code; -1: silently dropped. */
const UNREACHABLE_4TO6: readonly number[] = [
  0x100,
  0x100,
  ICMP6_UNKNOWN_NEXT_HEADER,
  ICMP6_PORT_UNREACHABLE,
  ICMP6_TOO_BIG,
  0x100,
  0x100,
  0x100,
  0x100,
  ICMP6_PROHIBITED,
  ICMP6_PROHIBITED,
  0x100,
  0x100,
  ICMP6_PROHIBITED,
  -1,
  ICMP6_PROHIBITED,
];

/** RFC 7915 section 5.2, "Destination Unreachable": by ICMPv6 code. */
const UNREACHABLE_6TO4: readonly number[] = [0x301, 0x30a, 0x301, 0x301, 0x303];

/** RFC 7915 figure 3: the pointer into the IPv6 header, by pointer into the IPv4 header. */
const POINTER_4TO6: readonly number[] = [
  0, 1, 4, 4, -1, -1, -1, -1, 7, 6, -1, -1, 8, 8, 8, 8, 24, 24, 24, 24,
];

/** RFC 7915 figure 6, for pointers below 8; the addresses follow. */
const POINTER_6TO4: readonly number[] = [0, 1, -1, -1, 2, 2, 9, 8];

/** The ICMPv6 type and code of an ICMPv4 error, or -1 when there is none and the error is silently dropped. */
export function errorType4to6(type: number, code: number): number {
  if (type === ICMP4.UNREACHABLE) return code < UNREACHABLE_4TO6.length ? UNREACHABLE_4TO6[code] : -1;
  if (type === ICMP4.TIME_EXCEEDED) return typeAndCode(ICMP6.TIME_EXCEEDED, code);
  if (type === ICMP4.PARAMETER_PROBLEM && (code === 0 || code === 2)) return ICMP6_ERRONEOUS_HEADER;
  return -1;
}

/** The ICMPv4 type and code of an ICMPv6 error, or -1 when there is none and the error is silently dropped. */
export function errorType6to4(type: number, code: number): number {
  if (type === ICMP6.UNREACHABLE) return code < UNREACHABLE_6TO4.length ? UNREACHABLE_6TO4[code] : -1;
  if (type === ICMP6.PACKET_TOO_BIG) return ICMP4_FRAGMENTATION_NEEDED;
  if (type === ICMP6.TIME_EXCEEDED) return typeAndCode(ICMP4.TIME_EXCEEDED, code);
  if (type !== ICMP6.PARAMETER_PROBLEM) return -1;
  if (code === 0) return typeAndCode(ICMP4.PARAMETER_PROBLEM, 0);
  return code === 1 ? ICMP4_PROTOCOL_UNREACHABLE : -1;
}

/** The pointer of a parameter problem, or -1 when the field does not exist in IPv6. */
export const pointer4to6 = (pointer: number): number =>
  pointer < POINTER_4TO6.length ? POINTER_4TO6[pointer] : -1;

/** The pointer of a parameter problem (unsigned), or -1 when the field does not exist in IPv4. */
export function pointer6to4(pointer: number): number {
  if (pointer < POINTER_6TO4.length) return POINTER_6TO4[pointer];
  if (pointer < 24) return 12;
  return pointer < 40 ? 16 : -1;
}

/** RFC 1191 section 7.1: common MTUs of links. */
const PLATEAUS_BYTES: readonly number[] = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/** The largest plausible MTU below a packet of this size, for routers that do not report theirs (RFC 1191). */
export function plateauBelow(packetBytes: number): number {
  for (let i = 0; i < PLATEAUS_BYTES.length; i++)
    if (PLATEAUS_BYTES[i] < packetBytes) return PLATEAUS_BYTES[i];
  return 68;
}
