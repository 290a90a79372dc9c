/** The tuple of an ICMPv6 error. */
import { foldSum } from '../../../wire/checksum.ts';
import { ICMP, ICMP4, ICMP6, ICMP_HEADER_BYTES, errorType6to4, pointer6to4 } from '../../../wire/icmp.ts';
import { isNeverRouted } from '../../../wire/ipv4-scope.ts';
import { FRAGMENT_UNIT_SHIFT, IP_PROTOCOL, MORE_FRAGMENTS } from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_IDENTIFICATION,
  FRAGMENT_OFFSET_AND_MORE,
  FRAGMENT_RESERVED_BITS,
  IPV6,
  IPV6_HEADER_BYTES,
  readWords,
  sumOfIpv6Payload,
} from '../../../wire/ipv6.ts';
import { extractIpv4 } from '../../../wire/nat64-prefix.ts';
import { CONTINUE, COUNTER, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { type Settings, prefixIndexOf } from '../settings/settings.ts';
import {
  QUOTED_TRANSPORT_BYTES,
  destinationPort,
  noteProtocol,
  passWithoutPorts,
  protocolNumber4,
  readQuoteEnd,
  sourcePort,
} from '../packet/transport.ts';
import { eamIpv4At, hasStateless, isEmbeddedHost, readHost, statelessIpv4 } from '../settings/stateless.ts';

/** The minimum MTU of an IPv4 link (RFC 791). */
const IPV4_MINIMUM_MTU_BYTES = 68;
/** By how many bytes an IPv4 packet grows when it is translated to IPv6. */
const GROWS_BYTES = 20;

/**
 * The tuple of an ICMPv6 error is that of the packet it quotes, which we once sent to the IPv6 host (RFC 6146 section
 * 3.4). Errors without a tuple are silently dropped (N3).
 */
export function determineError6(settings: Settings, packet: Packet, errorPeer: number): Verdict {
  const { view, start, transport } = packet;
  const { prefixes } = settings;
  const peerHasEam = packet.remoteHasEam;
  const type = view.getUint8(transport + ICMP.TYPE);
  if (!describeError6(packet, type)) return COUNTER['drop-icmp-type'];
  const quoted = transport + ICMP_HEADER_BYTES;
  if (!icmp6ChecksumIsRight(packet)) return COUNTER['drop-bad-checksum'];
  const hasLength = type === ICMP6.UNREACHABLE || type === ICMP6.TIME_EXCEEDED;
  const lengthBytes = hasLength ? view.getUint8(transport + ICMP.LENGTH6) << 3 : 0;
  readQuoteEnd(packet, quoted, lengthBytes, true);
  const { quotedEnd } = packet;
  let quotedTransport = quoted + IPV6_HEADER_BYTES;
  // The ports and the checksum, or a fragment header, must be there.
  if (quotedEnd - quotedTransport < QUOTED_TRANSPORT_BYTES) return COUNTER['drop-icmp-quote'];
  if (view.getUint8(quoted) >> 4 !== 6) return COUNTER['drop-icmp-quote'];
  const mapped = eamIpv4At(settings, view, quoted + IPV6.SOURCE);
  packet.remoteHasEam = mapped !== undefined;
  packet.prefixIndex = mapped === undefined ? prefixIndexOf(prefixes, view, quoted + IPV6.SOURCE) : 0;
  if (packet.prefixIndex === -1) return COUNTER['drop-icmp-quote'];

  let nextHeader = view.getUint8(quoted + IPV6.NEXT_HEADER);
  let offsetAndMore = 0;
  packet.quotedIdentification = -1;
  if (nextHeader === EXTENSION.FRAGMENT) {
    offsetAndMore = view.getUint16(quotedTransport + FRAGMENT_OFFSET_AND_MORE) & ~FRAGMENT_RESERVED_BITS;
    packet.quotedIdentification = view.getUint16(quotedTransport + FRAGMENT_IDENTIFICATION + 2);
    nextHeader = view.getUint8(quotedTransport);
    quotedTransport += FRAGMENT_HEADER_BYTES;
  }
  packet.quotedFragment = (offsetAndMore >> FRAGMENT_UNIT_SHIFT) | ((offsetAndMore & 1) * MORE_FRAGMENTS);
  const isLater = offsetAndMore >> FRAGMENT_UNIT_SHIFT !== 0;
  if (!isLater && quotedEnd - quotedTransport < QUOTED_TRANSPORT_BYTES) return COUNTER['drop-icmp-quote'];
  if (type === ICMP6.PACKET_TOO_BIG) {
    const mtuBytes = view.getUint32(transport + ICMP.MTU6);
    packet.errorValue = ipv4MtuOf(settings, mtuBytes, packet.quotedIdentification !== -1);
  }
  readHost(settings, packet, quoted + IPV6.DESTINATION);
  // Only first fragments show ports; a host with an IPv4 address of its own needs none.
  if (isLater && !packet.isStateless) return COUNTER['drop-icmp-quote'];
  if (noteProtocol(packet, nextHeader, IP_PROTOCOL.ICMPV6, hasStateless(settings)) !== CONTINUE)
    return COUNTER['drop-icmp-quote'];
  if (isLater) passWithoutPorts(packet, protocolNumber4(packet));
  else if (packet.protocol === TRANSPORT.ICMP) {
    const quotedType = view.getUint8(quotedTransport + ICMP.TYPE);
    if (quotedType !== ICMP6.ECHO_REQUEST && quotedType !== ICMP6.ECHO_REPLY)
      return COUNTER['drop-icmp-quote'];
  }

  if (view.getUint8(start + IPV6.HOP_LIMIT) <= 1) return COUNTER['drop-hop-limit'];
  if (isNeverRouted(errorPeer)) return COUNTER['drop-non-global'];
  if (!peerHasEam && isEmbeddedHost(settings, errorPeer)) return COUNTER['drop-no-route'];
  packet.isError = true;
  packet.quoted = quoted;
  packet.quotedTransport = quotedTransport;
  packet.errorPeer = errorPeer;
  packet.errorSource = 0;
  if (hasStateless(settings)) readErrorSource(settings, packet);
  packet.remoteAddress =
    mapped ?? extractIpv4(prefixes[packet.prefixIndex].prefixBits, view, quoted + IPV6.SOURCE);
  packet.hostPort = destinationPort(view, quotedTransport, packet.protocol);
  packet.remotePort =
    packet.protocol === TRANSPORT.ICMP ? 0 : sourcePort(view, quotedTransport, packet.protocol);
  return CONTINUE;
}

const errorSource = new Int32Array(4);

/** N44 (RFC 6791): the IPv4 source of an error: the address that its IPv6 source represents, or a configured one. */
function readErrorSource(settings: Settings, packet: Packet): void {
  const { view, start } = packet;
  const source = start + IPV6.SOURCE;
  readWords(view, source, errorSource);
  const own = statelessIpv4(settings, errorSource);
  const { icmpSources4 } = settings;
  if (own !== undefined) packet.errorSource = own;
  // The same router always gets the same address, so that a traceroute shows routers as different hops.
  else if (icmpSources4.length > 0) {
    const [word0, word1, word2, word3] = errorSource;
    packet.errorSource = icmpSources4[((word0 ^ word1 ^ word2 ^ word3) >>> 0) % icmpSources4.length];
  }
}

/** Finds the ICMPv4 type, code and pointer; false if IPv4 has none for it. The MTU depends on the quoted packet. */
function describeError6(packet: Packet, type: number): boolean {
  const { view, transport } = packet;
  packet.errorType = errorType6to4(type, view.getUint8(transport + ICMP.CODE));
  packet.errorValue = 0;
  if (packet.errorType === -1) return false;
  if (type === ICMP6.PARAMETER_PROBLEM && packet.errorType >> 8 === ICMP4.PARAMETER_PROBLEM)
    packet.errorValue = pointer6to4(view.getUint32(transport + ICMP.MTU6));
  return packet.errorValue !== -1;
}

/**
 * N31: the MTU that is reported to the IPv4 side. A quoted packet with a fragment header was already a fragment in IPv4. The next
 * fragment gets such a header too, so its sender must leave room for it.
 */
function ipv4MtuOf(settings: Settings, mtuBytes: number, isFragment: boolean): number {
  const growsBytes = GROWS_BYTES + (isFragment ? FRAGMENT_HEADER_BYTES : 0);
  const ipv4MtuBytes = Math.min(mtuBytes - growsBytes, settings.mtu4Bytes, settings.mtu6Bytes - growsBytes);
  return Math.max(ipv4MtuBytes, IPV4_MINIMUM_MTU_BYTES);
}

function icmp6ChecksumIsRight(packet: Packet): boolean {
  const { view, start, transport, end } = packet;
  return foldSum(sumOfIpv6Payload(view, start, transport, end, IP_PROTOCOL.ICMPV6)) === 0xffff;
}
