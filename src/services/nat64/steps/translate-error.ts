/**
 * Translates ICMP errors about sessions, with the packet that they quote (RFC 7915 sections 4.2, 4.3, 5.2 and 5.3,
 * RFC 6146 section 3.6). The quoted packet gets the addresses, ports and checksum it had when it was sent (N18); its hop limit
 * stays (N26). Errors are rare, so clarity comes before speed here.
 */
import {
  adjustChecksum,
  checksumOf,
  complement,
  sumOfBytes,
  sumOfIpv6Address,
  sumOfWord,
} from '../../../wire/checksum.ts';
import { ICMP, ICMP4, ICMP6, ICMP_HEADER_BYTES } from '../../../wire/icmp.ts';
import { isNeverRouted, isNonGlobal } from '../../../wire/ipv4-scope.ts';
import { IPV4, IPV4_HEADER_BYTES, IP_PROTOCOL } from '../../../wire/ipv4.ts';
import {
  FRAGMENT_HEADER_BYTES,
  IPV6,
  IPV6_HEADER_BYTES,
  IPV6_MINIMUM_MTU_BYTES,
  writeWords,
  sumOfIpv6Payload,
} from '../../../wire/ipv6.ts';
import { TCP } from '../../../wire/tcp-udp.ts';
import { writeHeader4, writeHeader6 } from './headers.ts';
import { LONGEST_PACKET_BYTES, type Packet, TRANSPORT } from '../packet/packet.ts';
import { checksumOffsetOf, protocolNumber6, protocolNumber4 } from '../packet/transport.ts';
import type { Translator } from './translator.ts';
import { writeRemote } from '../settings/stateless.ts';

/** Units of the length attribute (RFC 4884 section 4). */
const LENGTH_UNIT4_BYTES = 4;
const LENGTH_UNIT6_BYTES = 8;
/** With extensions, the quoted packet takes at least this much room, padded with zeros. */
const LEAST_QUOTE_BYTES = 128;
const LARGEST_LENGTH = 255;

/**
 * Sets the end of a translated error, which must not exceed `limit`, and moves its extensions to the end of the quoted packet,
 * which has become longer or shorter (N25). The extensions stay unchanged. If there is too little room, the quoted packet is
 * shortened first. Returns the length attribute, 0 without extensions.
 */
function endError(packet: Packet, newQuoted: number, limit: number, unitBytes: number): number {
  const { bytes, extensionStart, quotedEnd } = packet;
  const extensionBytes = packet.end - extensionStart;
  if (extensionBytes === 0) {
    packet.end = Math.min(quotedEnd, limit);
    return 0;
  }
  const room = Math.max(limit - newQuoted - extensionBytes, LEAST_QUOTE_BYTES);
  const wanted = Math.max(quotedEnd - newQuoted, LEAST_QUOTE_BYTES);
  const length = Math.min(Math.ceil(wanted / unitBytes), Math.floor(room / unitBytes), LARGEST_LENGTH);
  const newExtensionStart = newQuoted + length * unitBytes;
  bytes.copyWithin(newExtensionStart, extensionStart, packet.end);
  if (quotedEnd < newExtensionStart) bytes.fill(0, quotedEnd, newExtensionStart);
  packet.end = Math.min(newExtensionStart + extensionBytes, limit);
  return length;
}

/** From the IPv6 side: the quoted packet went from the remote to the host. */
export function translateError6to4(translator: Translator): void {
  const { packet } = translator;
  const { view, start, quoted, quotedTransport, protocol } = packet;
  // The payload without the IPv6 extension headers, which IPv4 does not have.
  const quotedPayloadBytes = Math.max(
    view.getUint16(quoted + IPV6.PAYLOAD_LENGTH) - (quotedTransport - quoted - IPV6_HEADER_BYTES),
    0,
  );
  const addresses6 =
    sumOfIpv6Address(view, quoted + IPV6.SOURCE) + sumOfIpv6Address(view, quoted + IPV6.DESTINATION);

  if (protocol === TRANSPORT.ICMP) {
    requoteEcho6to4(packet, quotedPayloadBytes, addresses6);
  } else if (protocol !== TRANSPORT.OTHER) {
    const delta =
      complement(addresses6) +
      sumOfWord(packet.remoteAddress) +
      sumOfWord(packet.mappedAddress) +
      (~packet.hostPort & 0xffff) +
      packet.mappedPort;
    requotePorts(packet, TCP.DESTINATION_PORT, packet.mappedPort, delta);
  }

  const newQuoted = quotedTransport - IPV4_HEADER_BYTES;
  const newTransport = newQuoted - ICMP_HEADER_BYTES;
  const newStart = newTransport - IPV4_HEADER_BYTES;
  // The quoted header is translated first, because the new outer header will overwrite it.
  writeHeader4(
    translator,
    quoted,
    newQuoted,
    Math.min(quotedPayloadBytes + IPV4_HEADER_BYTES, 0xffff),
    0,
    protocolNumber4(packet),
    packet.remoteAddress,
    packet.mappedAddress,
    packet.quotedIdentification,
    packet.quotedFragment,
  );
  const type = packet.errorType >> 8;
  const value = type === ICMP4.PARAMETER_PROBLEM ? packet.errorValue << 24 : packet.errorValue;
  const limit = newStart + Math.min(translator.settings.mtu4Bytes, LONGEST_PACKET_BYTES);
  const length = endError(packet, newQuoted, limit, LENGTH_UNIT4_BYTES);
  const { end } = packet;
  writeHeader4(
    translator,
    start,
    newStart,
    end - newStart,
    1,
    IP_PROTOCOL.ICMP,
    packet.errorSource === 0 ? packet.mappedAddress : packet.errorSource,
    packet.errorPeer,
    packet.identification,
    0,
  );
  view.setInt32(newTransport, packet.errorType << 16);
  view.setInt32(newTransport + 4, value);
  if (length !== 0) view.setUint8(newTransport + ICMP.LENGTH4, length);
  view.setUint16(newTransport + ICMP.CHECKSUM, checksumOf(sumOfBytes(view, newTransport, end)));
  packet.start = newStart;
}

/** From the IPv4 side: the quoted packet went from the host to the remote. */
export function translateError4to6(translator: Translator): void {
  const { packet, settings } = translator;
  const { view, start, quoted, quotedTransport, protocol, quotedFragment } = packet;
  const quotedPayloadBytes = Math.max(view.getUint16(quoted + IPV4.TOTAL_LENGTH) - IPV4_HEADER_BYTES, 0);
  const fragmentHeaderBytes = quotedFragment === 0 ? 0 : FRAGMENT_HEADER_BYTES;
  const newQuoted = quotedTransport - fragmentHeaderBytes - IPV6_HEADER_BYTES;
  const newTransport = newQuoted - ICMP_HEADER_BYTES;
  const newStart = newTransport - IPV6_HEADER_BYTES;
  // RFC 4443 section 3: an error must fit into the minimum MTU.
  const length = endError(packet, newQuoted, newStart + IPV6_MINIMUM_MTU_BYTES, LENGTH_UNIT6_BYTES);
  const { end } = packet;
  // The outer header is translated first, because the new quoted header will overwrite it.
  writeHeader6(translator, start, newStart, end - newTransport, 1, IP_PROTOCOL.ICMPV6, -1, 0);
  writeHeader6(
    translator,
    quoted,
    newQuoted,
    quotedPayloadBytes,
    0,
    protocolNumber6(packet),
    packet.quotedIdentification,
    quotedFragment,
  );
  writeWords(view, newQuoted + IPV6.SOURCE, packet.host);
  const { prefixIndex, errorPeer, peerHasEam } = packet;
  writeRemote(settings, packet, newQuoted + IPV6.DESTINATION, packet.remoteAddress, packet.remoteHasEam);
  const addresses6 =
    sumOfIpv6Address(view, newQuoted + IPV6.SOURCE) + sumOfIpv6Address(view, newQuoted + IPV6.DESTINATION);
  if (protocol === TRANSPORT.ICMP) {
    requoteEcho4to6(packet, quotedPayloadBytes, addresses6);
  } else if (protocol !== TRANSPORT.OTHER) {
    const delta =
      complement(sumOfWord(packet.remoteAddress) + sumOfWord(packet.mappedAddress)) +
      addresses6 +
      (~packet.mappedPort & 0xffff) +
      packet.hostPort;
    requotePorts(packet, TCP.SOURCE_PORT, packet.hostPort, delta);
  }

  const isNoneOfPrefix = isNonGlobal(errorPeer) || isNeverRouted(errorPeer);
  if (!peerHasEam && settings.prefixes[prefixIndex].refusesPrivate && isNoneOfPrefix) {
    // Routers on the path often have private or link-local addresses, which the well-known prefix must not represent (N34). The
    // error itself matters (path MTU, RFC 7915 section 4.1), so it is sent from our address.
    writeWords(view, newStart + IPV6.SOURCE, settings.ownIpv6);
  } else {
    writeRemote(settings, packet, newStart + IPV6.SOURCE, errorPeer, peerHasEam);
  }
  writeWords(view, newStart + IPV6.DESTINATION, packet.host);
  view.setInt32(newTransport, packet.errorType << 16);
  view.setInt32(newTransport + 4, packet.errorValue);
  if (length !== 0) view.setUint8(newTransport + ICMP.LENGTH6, length);
  const sum = sumOfIpv6Payload(view, newStart, newTransport, end, IP_PROTOCOL.ICMPV6);
  view.setUint16(newTransport + ICMP.CHECKSUM, checksumOf(sum));
  packet.start = newStart;
}

/** Sets a port in the quoted TCP or UDP header, and adjusts its checksum by `delta` if the checksum is quoted. */
function requotePorts(packet: Packet, portOffset: number, port: number, delta: number): void {
  const { view, quotedTransport } = packet;
  view.setUint16(quotedTransport + portOffset, port);
  const checksumAt = quotedTransport + checksumOffsetOf(packet.protocol);
  if (checksumAt + 2 > packet.quotedEnd) return;
  const checksum = view.getUint16(checksumAt);
  const isUdp = packet.protocol === TRANSPORT.UDP;
  if (isUdp && checksum === 0) return;
  const adjusted = adjustChecksum(checksum, delta);
  view.setUint16(checksumAt, adjusted === 0 && isUdp ? 0xffff : adjusted);
}

function requoteEcho6to4(packet: Packet, payloadBytes: number, addresses6: number): void {
  const { view, quotedTransport } = packet;
  const oldWord = view.getUint16(quotedTransport);
  const type = oldWord >> 8 === ICMP6.ECHO_REQUEST ? ICMP4.ECHO_REQUEST : ICMP4.ECHO_REPLY;
  const removed = addresses6 + payloadBytes + IP_PROTOCOL.ICMPV6 + oldWord + packet.hostPort;
  requoteEcho(packet, (type << 8) | (oldWord & 0xff), packet.mappedPort, complement(removed));
}

function requoteEcho4to6(packet: Packet, payloadBytes: number, addresses6: number): void {
  const { view, quotedTransport } = packet;
  const oldWord = view.getUint16(quotedTransport);
  const type = oldWord >> 8 === ICMP4.ECHO_REQUEST ? ICMP6.ECHO_REQUEST : ICMP6.ECHO_REPLY;
  const pseudoHeader = addresses6 + payloadBytes + IP_PROTOCOL.ICMPV6;
  const delta = complement(oldWord + packet.mappedPort) + pseudoHeader;
  requoteEcho(packet, (type << 8) | (oldWord & 0xff), packet.hostPort, delta);
}

/** Sets type (`word`) and identifier of the quoted echo message; `delta` is the rest of the change of its checksum. */
function requoteEcho(packet: Packet, word: number, identifier: number, delta: number): void {
  const { view, quotedTransport } = packet;
  view.setUint16(quotedTransport, word);
  view.setUint16(quotedTransport + ICMP.IDENTIFIER, identifier);
  const checksum = view.getUint16(quotedTransport + ICMP.CHECKSUM);
  view.setUint16(quotedTransport + ICMP.CHECKSUM, adjustChecksum(checksum, delta + word + identifier));
}
