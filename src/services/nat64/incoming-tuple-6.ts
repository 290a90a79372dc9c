/** Determines the tuple of a packet from the IPv6 side (RFC 6146 section 3.4); refuses what is not to be translated. */
import { foldSum, sumOfBytes, sumOfIpv6Address } from '../../wire/checksum.ts';
import {
  ICMP,
  ICMP4,
  ICMP6,
  ICMP_HEADER_BYTES,
  errorType6to4,
  isIcmp6Error,
  pointer6to4,
} from '../../wire/icmp.ts';
import { isNeverRouted, isNonGlobal } from '../../wire/ipv4-scope.ts';
import { FRAGMENT_UNIT_SHIFT, IPV4_HEADER_BYTES, IP_PROTOCOL, MORE_FRAGMENTS } from '../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_IDENTIFICATION,
  FRAGMENT_OFFSET_AND_MORE,
  IPV6,
  IPV6_HEADER_BYTES,
  ROUTING_SEGMENTS_LEFT,
  isExtension,
  isSkippedExtension,
} from '../../wire/ipv6.ts';
import { extractIpv4 } from '../../wire/nat64-prefix.ts';
import { GSO } from '../../wire/virtio-net.ts';
import { COUNTER, CONTINUE, FRAGMENT, type Verdict } from './counters.ts';
import { type Packet, TRANSPORT, wireBytesOf } from './packet.ts';
import { eamIpv4At, hasStateless, statelessIpv4 } from './eam.ts';
import { protocolNumber4 } from './translate-6to4.ts';
import { type Settings, isAllowed, isInList4, isOurs4, prefixIndexOf } from './settings.ts';
import {
  QUOTED_TRANSPORT_BYTES,
  checkOffload,
  isUdpWithoutChecksum,
  destinationPort,
  noteProtocol,
  passWithoutPorts,
  readQuoteEnd,
  readTransport,
  sourcePort,
} from './transport.ts';

/** What a packet shrinks by on its way from IPv6 to IPv4, at least. */
const SHRINKS_BYTES = 20;
/** The two bits between offset and M flag of a fragment header. */
const RESERVED_BITS = 6;
/** The least MTU an IPv4 link has (RFC 791). */
const IPV4_MINIMUM_MTU_BYTES = 68;

/**
 * Fills the packet's tuple. FRAGMENT: it is one of several that may be translated, whose tuple the first alone shows
 * (fragments.ts). Anything else but CONTINUE drops it. Nothing is written to the packet's bytes.
 */
export function determineTuple6(settings: Settings, packet: Packet): Verdict {
  const { view, start } = packet;
  packet.isError = false;
  packet.isFragment = false;
  packet.identification = -1;
  packet.cutLimitBytes = 0;
  if (packet.end - start < IPV6_HEADER_BYTES) return COUNTER['drop-truncated'];
  const end = start + IPV6_HEADER_BYTES + view.getUint16(start + IPV6.PAYLOAD_LENGTH);
  if (end > packet.end) return COUNTER['drop-bad-length'];
  packet.end = end;

  // N5: process only destinations inside Pref64, or with an address mapping (RFC 7757 section 3.3.2); a source inside
  // Pref64 would loop.
  const { prefixes } = settings;
  const destination = start + IPV6.DESTINATION;
  const mapped = eamIpv4At(settings, view, destination);
  packet.remoteHasEam = mapped !== undefined;
  packet.prefixIndex = mapped === undefined ? prefixIndexOf(prefixes, view, destination) : 0;
  if (packet.prefixIndex === -1) return COUNTER['drop-destination'];
  const { prefixBits } = prefixes[packet.prefixIndex];
  const remoteAddress = mapped ?? extractIpv4(prefixBits, view, destination);
  packet.remoteAddress = remoteAddress;
  if (!settings.isStateless && prefixIndexOf(prefixes, view, start + IPV6.SOURCE) !== -1)
    return COUNTER['drop-source-in-prefix'];
  readHost(settings, packet, start + IPV6.SOURCE);
  // Only a session knows which prefix the answer must come from.
  if (packet.isStateless && packet.prefixIndex !== 0) return COUNTER['drop-destination'];

  const extensions = skipExtensions(packet);
  if (extensions !== CONTINUE) return extensions;
  if (packet.isFragment) {
    const mayPass = mayPass6(settings, packet);
    return mayPass === CONTINUE ? FRAGMENT : mayPass;
  }
  const transport = readTransport(packet);
  if (transport !== CONTINUE) return transport;
  const offload = checkOffload(packet, GSO.TCPV6);
  if (offload !== CONTINUE) return offload;
  if (packet.protocol === TRANSPORT.ICMP) {
    const type = view.getUint8(packet.transport + ICMP.TYPE);
    if (isIcmp6Error(type)) return determineError6(settings, packet, remoteAddress);
    if (type !== ICMP6.ECHO_REQUEST && type !== ICMP6.ECHO_REPLY) return COUNTER['drop-icmp-type'];
  }
  // RFC 8200 section 8.1 allows it to tunnels that know what they do (RFC 6935).
  if (settings.dropsZeroUdpChecksum6 && isUdpWithoutChecksum(packet)) return COUNTER['drop-udp-no-checksum'];
  const mayPass = mayPass6(settings, packet);
  if (mayPass !== CONTINUE) return mayPass;
  readPorts6(packet);
  return CONTINUE;
}

/** Fills in the ports, or the identifier, of the header at `transport`. */
export function readPorts6(packet: Packet): void {
  const { view, transport, protocol } = packet;
  packet.hostPort = sourcePort(view, transport, protocol);
  packet.remotePort = protocol === TRANSPORT.ICMP ? 0 : destinationPort(view, transport, protocol);
}

/** Whether a packet, or a fragment, that is no ICMP error may be translated: its host may send there, and it may go on. */
function mayPass6(settings: Settings, packet: Packet): Verdict {
  const { view, start, remoteAddress } = packet;
  if (!isHostAddress(packet.host0, packet.host1, packet.host2)) return COUNTER['drop-source-invalid'];
  if (!isAllowed(settings.allow, packet.host0, packet.host1, packet.host2, packet.host3))
    return COUNTER['drop-not-allowed'];
  // A host of ours whose IPv4 address is our own would speak for us.
  if (packet.isStateless && isOurs4(settings, packet.mappedAddress)) return COUNTER['drop-source-invalid'];
  const reach = checkReach(settings, packet, remoteAddress);
  if (reach !== CONTINUE) return reach;
  if (isInList4(settings.denied4, remoteAddress)) return COUNTER['drop-denied'];
  if (view.getUint8(start + IPV6.HOP_LIMIT) <= 1) return COUNTER['drop-hop-limit'];
  const newBytes = packet.isFragment
    ? packet.end - packet.transport + IPV4_HEADER_BYTES
    : wireBytesOf(packet) - SHRINKS_BYTES;
  if (newBytes > settings.mtu4Bytes) return COUNTER['drop-too-big'];
  return CONTINUE;
}

/** Whether an IPv4 address may be the destination. */
function checkReach(settings: Settings, { prefixIndex, remoteHasEam }: Packet, address: number): Verdict {
  if (isNeverRouted(address)) return COUNTER['drop-non-global'];
  if (remoteHasEam) return CONTINUE;
  // N34: the well-known prefix never stands for private addresses.
  if (settings.prefixes[prefixIndex].refusesPrivate && isNonGlobal(address))
    return COUNTER['drop-non-global'];
  return isEmbeddedHost(settings, address) ? COUNTER['drop-no-route'] : CONTINUE;
}

/**
 * Whether the address is that of a host which has it inside its IPv6 address. The route to it is longer than that to us:
 * without one, what goes to it would come back to us for ever.
 */
const isEmbeddedHost = ({ isStateless, embedded4 }: Settings, address: number): boolean =>
  isStateless && isInList4(embedded4, address);

/** Takes in the host's address, and the IPv4 address that it has for itself, if it has one. */
function readHost(settings: Settings, packet: Packet, at: number): void {
  const { view } = packet;
  packet.host0 = view.getInt32(at);
  packet.host1 = view.getInt32(at + 4);
  packet.host2 = view.getInt32(at + 8);
  packet.host3 = view.getInt32(at + 12);
  packet.isStateless = false;
  if (!hasStateless(settings)) return;
  const ipv4 = statelessIpv4(settings, packet.host0, packet.host1, packet.host2, packet.host3);
  if (ipv4 === undefined) return;
  packet.isStateless = true;
  packet.mappedAddress = ipv4;
}

/** Not multicast, link-local, unspecified, loopback, IPv4-compatible or IPv4-mapped. */
const isHostAddress = (word0: number, word1: number, word2: number): boolean =>
  word0 >>> 24 !== 0xff &&
  word0 >>> 22 !== 0x3fa &&
  (word0 !== 0 || word1 !== 0 || (word2 !== 0 && word2 !== 0xffff));

/** Steps over the extension headers that a translator ignores (N29), and notes what is behind them. */
function skipExtensions(packet: Packet): Verdict {
  const { view, start, end } = packet;
  let nextHeader = view.getUint8(start + IPV6.NEXT_HEADER);
  let at = start + IPV6_HEADER_BYTES;
  while (isSkippedExtension(nextHeader)) {
    if (end - at < 8) return COUNTER['drop-truncated'];
    if (nextHeader === EXTENSION.ROUTING && view.getUint8(at + ROUTING_SEGMENTS_LEFT) > 0) {
      packet.problemPointer = at + ROUTING_SEGMENTS_LEFT - start;
      return COUNTER['drop-source-route'];
    }
    nextHeader = view.getUint8(at);
    at += (view.getUint8(at + 1) + 1) << 3;
    if (at > end) return COUNTER['drop-bad-length'];
  }
  if (nextHeader === EXTENSION.FRAGMENT) {
    if (end - at < FRAGMENT_HEADER_BYTES) return COUNTER['drop-truncated'];
    nextHeader = view.getUint8(at);
    const offsetAndMore = view.getUint16(at + FRAGMENT_OFFSET_AND_MORE);
    packet.fragmentId = view.getInt32(at + FRAGMENT_IDENTIFICATION);
    // N30: the low-order 16 bits are what IPv4 has room for.
    packet.identification = packet.fragmentId & 0xffff;
    at += FRAGMENT_HEADER_BYTES;
    // RFC 6946: a fragment that is all of its datagram stands for itself.
    packet.isFragment = (offsetAndMore & ~RESERVED_BITS) !== 0;
    packet.fragmentOffset = offsetAndMore & ~7;
    packet.hasMoreFragments = (offsetAndMore & 1) !== 0;
    packet.fragmentProtocol = nextHeader;
    // RFC 7915 section 5.1.1: SHOULD be dropped.
    if (isExtension(nextHeader)) return COUNTER['drop-fragment-extension'];
  }
  packet.transport = at;
  return noteProtocol(packet, nextHeader, IP_PROTOCOL.ICMPV6, packet.isStateless);
}

/**
 * The tuple of an ICMPv6 error is that of the packet it quotes, which we once sent to the IPv6 host (RFC 6146 section
 * 3.4). What yields no tuple is silently dropped (N3).
 */
function determineError6(settings: Settings, packet: Packet, errorPeer: number): Verdict {
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
  // Of ports and checksum, or of a fragment header.
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
    offsetAndMore = view.getUint16(quotedTransport + FRAGMENT_OFFSET_AND_MORE) & ~RESERVED_BITS;
    packet.quotedIdentification = view.getUint16(quotedTransport + FRAGMENT_IDENTIFICATION + 2);
    nextHeader = view.getUint8(quotedTransport);
    quotedTransport += FRAGMENT_HEADER_BYTES;
  }
  packet.quotedFragment = (offsetAndMore >> FRAGMENT_UNIT_SHIFT) | ((offsetAndMore & 1) * MORE_FRAGMENTS);
  const isLater = offsetAndMore >> FRAGMENT_UNIT_SHIFT !== 0;
  if (!isLater && quotedEnd - quotedTransport < QUOTED_TRANSPORT_BYTES) return COUNTER['drop-icmp-quote'];
  if (type === ICMP6.PACKET_TOO_BIG)
    packet.errorValue = ipv4MtuOf(
      settings,
      view.getUint32(transport + ICMP.MTU6),
      packet.quotedIdentification !== -1,
    );
  readHost(settings, packet, quoted + IPV6.DESTINATION);
  // Only first fragments show ports; whose address is his own needs none.
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

/** N44 (RFC 6791): the IPv4 address that an error comes from, where its IPv6 source stands for one, or one is provided. */
function readErrorSource(settings: Settings, packet: Packet): void {
  const { view, start } = packet;
  const source = start + IPV6.SOURCE;
  const [word0, word1] = [view.getInt32(source), view.getInt32(source + 4)];
  const [word2, word3] = [view.getInt32(source + 8), view.getInt32(source + 12)];
  const own = statelessIpv4(settings, word0, word1, word2, word3);
  const { icmpSources4 } = settings;
  if (own !== undefined) packet.errorSource = own;
  // One router has one address, so that a traceroute can tell them apart.
  else if (icmpSources4.length > 0)
    packet.errorSource = icmpSources4[((word0 ^ word1 ^ word2 ^ word3) >>> 0) % icmpSources4.length];
}

/** Finds the ICMPv4 type, code and pointer; false when there are none. The MTU depends on what is quoted. */
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
 * N31: the MTU that the IPv4 side is told. A quoted packet with a fragment header was a fragment in IPv4 already: the next one
 * gets such a header, too, so its sender must leave room for that.
 */
function ipv4MtuOf(settings: Settings, toldBytes: number, isFragment: boolean): number {
  const growsBytes = SHRINKS_BYTES + (isFragment ? FRAGMENT_HEADER_BYTES : 0);
  const mtuBytes = Math.min(toldBytes - growsBytes, settings.mtu4Bytes, settings.mtu6Bytes - growsBytes);
  return Math.max(mtuBytes, IPV4_MINIMUM_MTU_BYTES);
}

function icmp6ChecksumIsRight(packet: Packet): boolean {
  const { view, start, transport, end } = packet;
  const sum =
    sumOfIpv6Address(view, start + IPV6.SOURCE) +
    sumOfIpv6Address(view, start + IPV6.DESTINATION) +
    (end - transport) +
    IP_PROTOCOL.ICMPV6 +
    sumOfBytes(view, transport, end);
  return foldSum(sum) === 0xffff;
}
