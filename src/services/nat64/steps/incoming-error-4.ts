/** The tuple of an ICMPv4 error. */
import { foldSum, sumOfBytes } from '../../../wire/checksum.ts';
import {
  ICMP,
  ICMP4,
  ICMP6,
  ICMP6_ERRONEOUS_HEADER,
  ICMP6_TOO_BIG,
  ICMP6_UNKNOWN_NEXT_HEADER,
  ICMP_HEADER_BYTES,
  errorType4to6,
  plateauBelow,
  pointer4to6,
} from '../../../wire/icmp.ts';
import {
  FRAGMENT_OFFSET,
  IPV4,
  IPV4_HEADER_BYTES,
  IP_PROTOCOL,
  IS_FRAGMENT,
  ipv4HeaderBytes,
} from '../../../wire/ipv4.ts';
import { IPV6, IPV6_MINIMUM_MTU_BYTES } from '../../../wire/ipv6.ts';
import { CONTINUE, COUNTER, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { findEam4 } from '../settings/eam.ts';
import type { Settings } from '../settings/settings.ts';
import {
  QUOTED_TRANSPORT_BYTES,
  destinationPort,
  noteProtocol,
  passWithoutPorts,
  protocolNumber6,
  readQuoteEnd,
  sourcePort,
} from '../packet/transport.ts';
import { goesByEam } from '../settings/stateless.ts';

/**
 * The tuple of an ICMPv4 error is that of the packet it quotes, which we once sent from the pool4 address (RFC 6146
 * section 3.4). Errors without a tuple are silently dropped (N3).
 */
export function determineError4(settings: Settings, packet: Packet, source: number): Verdict {
  const { view, start, transport } = packet;
  const quoted = transport + ICMP_HEADER_BYTES;
  if (foldSum(sumOfBytes(view, transport, packet.end)) !== 0xffff) return COUNTER['drop-bad-checksum'];
  const isDescribed = describeError4(settings, packet, quoted);
  // In IPv6, Packet Too Big and Parameter Problem have no length attribute, so their extensions are left out.
  const newType = packet.errorType >> 8;
  const carriesExtensions = newType === ICMP6.UNREACHABLE || newType === ICMP6.TIME_EXCEEDED;
  readQuoteEnd(packet, quoted, view.getUint8(transport + ICMP.LENGTH4) << 2, carriesExtensions);
  const { quotedEnd } = packet;
  const headerBytes = ipv4HeaderBytes(view, quoted, quotedEnd);
  const quotedTransport = quoted + headerBytes;
  if (headerBytes === 0) return COUNTER['drop-icmp-quote'];
  if (!isDescribed) return COUNTER['drop-icmp-type'];
  const fragment = view.getUint16(quoted + IPV4.FRAGMENT);
  packet.quotedFragment = fragment & IS_FRAGMENT;
  packet.quotedIdentification = view.getUint16(quoted + IPV4.IDENTIFICATION);
  const isLater = (fragment & FRAGMENT_OFFSET) !== 0;
  // We never send options. Only first fragments show ports; a host with an IPv4 address of its own needs none.
  if (headerBytes !== IPV4_HEADER_BYTES || (isLater && !packet.isStateless))
    return COUNTER['drop-icmp-quote'];
  if (!isLater && quotedEnd - quotedTransport < QUOTED_TRANSPORT_BYTES) return COUNTER['drop-icmp-quote'];
  if (view.getInt32(quoted + IPV4.SOURCE) !== packet.mappedAddress) return COUNTER['drop-icmp-quote'];

  const protocol = view.getUint8(quoted + IPV4.PROTOCOL);
  if (noteProtocol(packet, protocol, IP_PROTOCOL.ICMP, packet.isStateless) !== CONTINUE)
    return COUNTER['drop-icmp-quote'];
  if (isLater) passWithoutPorts(packet, protocolNumber6(packet));
  else if (packet.protocol === TRANSPORT.ICMP) {
    const quotedType = view.getUint8(quotedTransport + ICMP.TYPE);
    if (quotedType !== ICMP4.ECHO_REQUEST && quotedType !== ICMP4.ECHO_REPLY)
      return COUNTER['drop-icmp-quote'];
  }

  if (view.getUint8(start + IPV4.TTL) <= 1) return COUNTER['drop-hop-limit'];
  packet.isError = true;
  packet.quoted = quoted;
  packet.quotedTransport = quotedTransport;
  packet.errorPeer = source;
  packet.remoteAddress = view.getInt32(quoted + IPV4.DESTINATION);
  readEams(settings, packet);
  packet.mappedPort = sourcePort(view, quotedTransport, packet.protocol);
  packet.remotePort =
    packet.protocol === TRANSPORT.ICMP ? 0 : destinationPort(view, quotedTransport, packet.protocol);
  return CONTINUE;
}

/**
 * How the two addresses of the IPv4 side are represented in IPv6. The destination of the quoted packet is represented as in any
 * packet. The sender of the error is represented by its address mapping, unless it is the same host (RFC 7757 sections 4.2.1 and
 * 4.2.2).
 */
function readEams(settings: Settings, packet: Packet): void {
  const { eam } = settings;
  const { remoteAddress, errorPeer } = packet;
  const goes = goesByEam(settings, packet);
  packet.remoteHasEam = goes && findEam4(eam, remoteAddress) !== undefined;
  packet.peerHasEam =
    packet.isStateless && (goes || errorPeer !== remoteAddress) && findEam4(eam, errorPeer) !== undefined;
}

/** Finds the ICMPv6 type, code and value of an error; false if IPv6 has none for it. */
function describeError4(settings: Settings, packet: Packet, quoted: number): boolean {
  const { view, transport } = packet;
  const type = view.getUint8(transport + ICMP.TYPE);
  packet.errorType = errorType4to6(type, view.getUint8(transport + ICMP.CODE));
  packet.errorValue = 0;
  if (packet.errorType === -1) return false;
  if (packet.errorType === ICMP6_TOO_BIG) {
    // N24: if the router does not report its MTU, the next lower plateau is assumed.
    const reportedBytes = view.getUint16(transport + ICMP.MTU4);
    const isWhole = packet.end - quoted >= IPV4_HEADER_BYTES;
    const sentBytes = isWhole ? view.getUint16(quoted + IPV4.TOTAL_LENGTH) : 0;
    const mtuBytes = reportedBytes === 0 ? plateauBelow(sentBytes) : reportedBytes;
    const limitBytes = Math.min(mtuBytes + 20, settings.mtu6Bytes, settings.mtu4Bytes + 20);
    packet.errorValue = Math.max(limitBytes, IPV6_MINIMUM_MTU_BYTES);
  } else if (packet.errorType === ICMP6_ERRONEOUS_HEADER) {
    packet.errorValue = pointer4to6(view.getUint8(transport + ICMP.POINTER));
    return packet.errorValue !== -1;
  } else if (packet.errorType === ICMP6_UNKNOWN_NEXT_HEADER) {
    packet.errorValue = IPV6.NEXT_HEADER;
  }
  return true;
}
