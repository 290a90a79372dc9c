/** The ICMP errors that the translator itself sends to the sender of a dropped packet (RFC 6146, RFC 7915, RFC 4443, RFC 1812). */
import { checksumOf, sumOfBytes } from '../../../wire/checksum.ts';
import {
  ICMP,
  ICMP4,
  ICMP4_FRAGMENTATION_NEEDED,
  ICMP4_PROHIBITED,
  ICMP4_PROTOCOL_UNREACHABLE,
  ICMP4_SOURCE_ROUTE_FAILED,
  ICMP4_TTL_EXCEEDED,
  ICMP6_ADDRESS_UNREACHABLE,
  ICMP6_ERRONEOUS_HEADER,
  ICMP6_HOP_LIMIT_EXCEEDED,
  ICMP6_NO_ROUTE,
  ICMP6_PORT_UNREACHABLE,
  ICMP6_PROHIBITED,
  ICMP6_TOO_BIG,
  ICMP_HEADER_BYTES,
  isIcmp4Error,
  isIcmp6Error,
} from '../../../wire/icmp.ts';
import { isNeverRouted, isGroup } from '../../../wire/ipv4-scope.ts';
import {
  DONT_FRAGMENT,
  FRAGMENT_OFFSET,
  FRAGMENT_UNIT_SHIFT,
  IPV4,
  IPV4_HEADER_BYTES,
  IP_PROTOCOL,
  IS_FRAGMENT,
  ipv4HeaderBytes,
  writeIpv4Header,
} from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_OFFSET_AND_MORE,
  IPV6,
  IPV6_HEADER_BYTES,
  IPV6_MINIMUM_MTU_BYTES,
  isSkippedExtension,
  readWords,
  writeIpv6Start,
  writeWords,
  sumOfIpv6Payload,
} from '../../../wire/ipv6.ts';
import { COUNTER, type Nat64Counter, type Reason } from '../counters.ts';
import { type Packet, clearOffload } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import type { Translator } from './translator.ts';
import { MAPPED_WORD2 } from '../../../net/client.ts';
import { takeOfRate } from '../../../net/rate-shares.ts';
import { slotOf } from '../settings/pool.ts';

/** RFC 1812 section 4.3.2.3: an ICMPv4 error does not exceed 576 bytes. */
const LONGEST_ICMP4_ERROR_BYTES = 576;
const HOP_LIMIT = 64;
const NO_ANSWER = -1;

/** By reason: the ICMPv6 error (type * 256 + code) for a sender on the IPv6 side. For any other reason, no error is sent. */
const ANSWERS6: Partial<Record<Nat64Counter, number>> = {
  'drop-hop-limit': ICMP6_HOP_LIMIT_EXCEEDED,
  'drop-too-big': ICMP6_TOO_BIG,
  'drop-not-allowed': ICMP6_PROHIBITED,
  // N32: errors that no other rule describes are 1/1 (RFC 7915 section 5.4).
  'drop-non-global': ICMP6_PROHIBITED,
  'drop-denied': ICMP6_PROHIBITED,
  'drop-own-address': ICMP6_PROHIBITED,
  'drop-fragment-extension': ICMP6_PROHIBITED,
  'drop-no-route': ICMP6_NO_ROUTE,
  'drop-no-port-block': ICMP6_PROHIBITED,
  'drop-udp-no-checksum': ICMP6_PROHIBITED,
  // N4
  'drop-protocol': ICMP6_PORT_UNREACHABLE,
  // N29
  'drop-source-route': ICMP6_ERRONEOUS_HEADER,
  // N9
  'drop-pool4-exhausted': ICMP6_ADDRESS_UNREACHABLE,
  'drop-untranslatable': ICMP6_PROHIBITED,
  'drop-client-limit': ICMP6_ADDRESS_UNREACHABLE,
  'drop-client-share': ICMP6_ADDRESS_UNREACHABLE,
  'drop-sessions-full': ICMP6_ADDRESS_UNREACHABLE,
  'drop-no-pool4': ICMP6_ADDRESS_UNREACHABLE,
};

/** By reason: the ICMPv4 error for a sender on the IPv4 side. */
const ANSWERS4: Partial<Record<Nat64Counter, number>> = {
  'drop-hop-limit': ICMP4_TTL_EXCEEDED,
  'drop-too-big': ICMP4_FRAGMENTATION_NEEDED,
  'drop-protocol': ICMP4_PROTOCOL_UNREACHABLE,
  // N23
  'drop-source-route': ICMP4_SOURCE_ROUTE_FAILED,
  // Only if the settings allow it: N7, N8, and the cases for which RFC 7915 section 4.4 has no specific code.
  'drop-no-bib-entry': ICMP4_PROHIBITED,
  'drop-filtered': ICMP4_PROHIBITED,
  'drop-udp-no-checksum': ICMP4_PROHIBITED,
  'drop-non-global': ICMP4_PROHIBITED,
  'drop-denied': ICMP4_PROHIBITED,
  'drop-sessions-full': ICMP4_PROHIBITED,
};

const byReason = (answers: Partial<Record<Nat64Counter, number>>) =>
  Int16Array.from(Object.keys(COUNTER), (name) => answers[name as Nat64Counter] ?? NO_ANSWER);

const answers6 = byReason(ANSWERS6);
const answers4 = byReason(ANSWERS4);

/** Turns the dropped packet, whose bytes are unchanged, into the ICMP error for its sender; false if no error is sent. */
export function answer(translator: Translator, reason: Reason, version: number): boolean {
  const typeAndCode = version === 6 ? answers6[reason] : version === 4 ? answers4[reason] : NO_ANSWER;
  if (typeAndCode === NO_ANSWER || !isAnswered(translator.settings, typeAndCode, version)) return false;
  return answerWith(translator, typeAndCode, version);
}

/**
 * RFC 7915 sections 4.4 and 5.4: the settings decide whether the sender of a refused packet gets an error. The errors that every
 * router must send are always sent.
 */
function isAnswered(
  { answersRefused4, answersRefused6 }: Settings,
  typeAndCode: number,
  version: number,
): boolean {
  if (version === 4) return answersRefused4 || typeAndCode !== ICMP4_PROHIBITED;
  return answersRefused6 || typeAndCode === ICMP6_TOO_BIG || typeAndCode === ICMP6_HOP_LIMIT_EXCEEDED;
}

/** Turns the packet into this error about it, unless errors about such a packet are forbidden, or the rate limit is reached. */
export function answerWith(translator: Translator, typeAndCode: number, version: number): boolean {
  if (version === 6 ? !mayAnswer6(translator) : !mayAnswer4(translator)) return false;
  if (!withinRate(translator, typeAndCode, version)) {
    translator.counters[COUNTER['icmp-errors-withheld']]++;
    return false;
  }
  if (version === 6) answer6(translator, typeAndCode);
  else answer4(translator, typeAndCode);
  clearOffload(translator.packet);
  translator.counters[COUNTER['icmp-errors-sent']]++;
  return true;
}

/** RFC 4443 section 2.4 f, RFC 1812 section 4.3.2.8: the rate of errors must be limited. */
function withinRate(
  { packet, answerRates, nowSeconds }: Translator,
  typeAndCode: number,
  version: number,
): boolean {
  const { view, start } = packet;
  if (version !== 6) {
    const source = view.getInt32(start + IPV4.SOURCE);
    if (takeOfRate(answerRates.to4, nowSeconds, 0, 0, MAPPED_WORD2, source)) return true;
    if (typeAndCode !== ICMP4_FRAGMENTATION_NEEDED) return false;
    return takeOfRate(answerRates.mtuTo4, nowSeconds, 0, 0, MAPPED_WORD2, source);
  }
  const at = start + IPV6.SOURCE;
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const word2 = view.getInt32(at + 8);
  const word3 = view.getInt32(at + 12);
  if (takeOfRate(answerRates.to6, nowSeconds, word0, word1, word2, word3)) return true;
  return (
    typeAndCode === ICMP6_TOO_BIG && takeOfRate(answerRates.mtuTo6, nowSeconds, word0, word1, word2, word3)
  );
}

/** RFC 4443 section 2.4 e: no error about an error, about a packet to a group, or to a source that is not a single host. */
function mayAnswer6({ packet }: Translator): boolean {
  const { view, start } = packet;
  const source0 = view.getInt32(start + IPV6.SOURCE);
  if (source0 >>> 24 === 0xff || source0 === 0) return false;
  if (view.getUint8(start + IPV6.DESTINATION) === 0xff) return false;
  return !mayBeIcmp6Error(packet);
}

/** Whether an ICMPv6 error follows the extension headers, or an ICMPv6 fragment whose type is not visible. */
function mayBeIcmp6Error({ view, start, end }: Packet): boolean {
  let nextHeader = view.getUint8(start + IPV6.NEXT_HEADER);
  let at = start + IPV6_HEADER_BYTES;
  while (isSkippedExtension(nextHeader) || nextHeader === EXTENSION.FRAGMENT) {
    if (end - at < FRAGMENT_HEADER_BYTES) return false;
    const isFragment = nextHeader === EXTENSION.FRAGMENT;
    nextHeader = view.getUint8(at);
    if (isFragment && view.getUint16(at + FRAGMENT_OFFSET_AND_MORE) >> FRAGMENT_UNIT_SHIFT !== 0)
      return nextHeader === IP_PROTOCOL.ICMPV6;
    at += isFragment ? FRAGMENT_HEADER_BYTES : (view.getUint8(at + 1) + 1) << 3;
  }
  return nextHeader === IP_PROTOCOL.ICMPV6 && (at >= end || isIcmp6Error(view.getUint8(at)));
}

/** RFC 1122 section 3.2.2: no error about an error, or about a packet whose source or destination is not a single host. */
function mayAnswer4({ packet }: Translator): boolean {
  const { view, start, end } = packet;
  if (isNeverRouted(view.getInt32(start + IPV4.SOURCE))) return false;
  if (isGroup(view.getInt32(start + IPV4.DESTINATION))) return false;
  const fragment = view.getUint16(start + IPV4.FRAGMENT);
  // Only the first fragment shows the transport header.
  if ((fragment & FRAGMENT_OFFSET) !== 0) return false;
  if (view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.ICMP) return true;
  const at = start + ipv4HeaderBytes(view, start, end);
  return at < end && !isIcmp4Error(view.getUint8(at));
}

const sender = new Int32Array(4);

function answer6(translator: Translator, typeAndCode: number): void {
  const { packet, settings } = translator;
  const { view } = packet;
  const { ownIpv6 } = settings;
  const quoted = packet.start;
  const icmp = quoted - ICMP_HEADER_BYTES;
  const start = icmp - IPV6_HEADER_BYTES;
  const end = Math.min(packet.end, start + IPV6_MINIMUM_MTU_BYTES);
  let value = 0;
  if (typeAndCode === ICMP6_TOO_BIG) value = Math.max(settings.mtu4Bytes + 20, IPV6_MINIMUM_MTU_BYTES);
  else if (typeAndCode === ICMP6_ERRONEOUS_HEADER) value = packet.problemPointer;

  writeIpv6Start(view, start, 0, end - icmp, IP_PROTOCOL.ICMPV6, HOP_LIMIT);
  writeWords(view, start + IPV6.SOURCE, ownIpv6);
  readWords(view, quoted + IPV6.SOURCE, sender);
  writeWords(view, start + IPV6.DESTINATION, sender);
  view.setInt32(icmp, typeAndCode << 16);
  view.setInt32(icmp + ICMP.MTU6, value);
  const sum = sumOfIpv6Payload(view, start, icmp, end, IP_PROTOCOL.ICMPV6);
  view.setUint16(icmp + ICMP.CHECKSUM, checksumOf(sum));
  packet.start = start;
  packet.end = end;
}

/**
 * The source address of an error. A packet to pool4 is answered from that address. One to the address of a single host is
 * answered from the first address of `icmpSources4` (RFC 6791), or, if there is none, from the destination address.
 */
const errorSource = ({ poolAddresses, icmpSources4 }: Settings, destination: number): number =>
  icmpSources4.length > 0 && slotOf(poolAddresses, destination) === -1 ? icmpSources4[0] : destination;

function answer4(translator: Translator, typeAndCode: number): void {
  const { packet, settings } = translator;
  const { view } = packet;
  const quoted = packet.start;
  const icmp = quoted - ICMP_HEADER_BYTES;
  const start = icmp - IPV4_HEADER_BYTES;
  const end = Math.min(packet.end, start + LONGEST_ICMP4_ERROR_BYTES);
  let value = 0;
  if (typeAndCode === ICMP4_FRAGMENTATION_NEEDED) {
    const headerBytes = ipv4HeaderBytes(view, quoted, packet.end);
    const isFragment = (view.getUint16(quoted + IPV4.FRAGMENT) & IS_FRAGMENT) !== 0;
    value = settings.mtu6Bytes - IPV6_HEADER_BYTES - (isFragment ? FRAGMENT_HEADER_BYTES : 0) + headerBytes;
  } else if (typeAndCode >> 8 === ICMP4.PARAMETER_PROBLEM) value = packet.problemPointer << 24;

  view.setInt32(icmp, typeAndCode << 16);
  view.setInt32(icmp + 4, value);
  view.setUint16(icmp + ICMP.CHECKSUM, checksumOf(sumOfBytes(view, icmp, end)));
  writeIpv4Header(
    view,
    start,
    // RFC 1812 section 4.3.2.5: precedence 6, "internetwork control".
    0xc0,
    end - start,
    0,
    DONT_FRAGMENT,
    HOP_LIMIT,
    IP_PROTOCOL.ICMP,
    errorSource(settings, view.getInt32(quoted + IPV4.DESTINATION)),
    view.getInt32(quoted + IPV4.SOURCE),
  );
  packet.start = start;
  packet.end = end;
}
