/** Determines the tuple of a packet from the IPv4 side (RFC 6146 section 3.4); refuses what is not to be translated. */
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
  isIcmp4Error,
  plateauBelow,
  pointer4to6,
} from '../../../wire/icmp.ts';
import { isGroup, isNeverRouted, isNonGlobal } from '../../../wire/ipv4-scope.ts';
import {
  DONT_FRAGMENT,
  FRAGMENT_OFFSET,
  FRAGMENT_UNIT_SHIFT,
  IPV4,
  IPV4_HEADER_BYTES,
  IP_PROTOCOL,
  IS_FRAGMENT,
  MORE_FRAGMENTS,
  ipv4ChecksumIsRight,
  ipv4HeaderBytes,
  unexpiredSourceRoute,
} from '../../../wire/ipv4.ts';
import {
  FRAGMENT_HEADER_BYTES,
  IPV6,
  IPV6_HEADER_BYTES,
  IPV6_MINIMUM_MTU_BYTES,
} from '../../../wire/ipv6.ts';
import { GSO } from '../../../wire/virtio-net.ts';
import { COUNTER, CONTINUE, DATAGRAMS, FRAGMENT, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT, clearTuple, wireBytesOf } from '../packet/packet.ts';
import { findEam4 } from '../settings/eam.ts';
import { type Settings, isOurs4 } from '../settings/settings.ts';
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
  protocolNumber6,
} from '../packet/transport.ts';
import { goesByEam, readStatelessHost } from '../settings/stateless.ts';
import { isInList4 } from '../settings/address-list.ts';
import { slotOf } from '../settings/pool.ts';

/**
 * Fills the packet's tuple. FRAGMENT: it is one of several, whose tuple the first alone shows (fragments.ts). Anything else
 * but CONTINUE drops it. Whether it may pass, if it is to be translated at all, `mayPass4` tells. Nothing is written to the
 * packet's bytes.
 */
export function determineTuple4(settings: Settings, packet: Packet): Verdict {
  const { view, start } = packet;
  clearTuple(packet);
  const headerBytes = ipv4HeaderBytes(view, start, packet.end);
  if (headerBytes === 0) return COUNTER['drop-truncated'];
  const totalBytes = view.getUint16(start + IPV4.TOTAL_LENGTH);
  if (totalBytes < headerBytes || start + totalBytes > packet.end) return COUNTER['drop-bad-length'];
  packet.end = start + totalBytes;
  if (!ipv4ChecksumIsRight(view, start, headerBytes)) return COUNTER['drop-bad-checksum'];

  // N5: process only destinations in pool4.
  packet.mappedAddress = view.getInt32(start + IPV4.DESTINATION);
  packet.mappedSlot = slotOf(settings.poolAddresses, packet.mappedAddress);
  packet.isStateless = packet.mappedSlot === -1;
  // Else the address must belong to one host as a whole (N43).
  if (packet.isStateless && !readStatelessHost(settings, packet))
    return COUNTER[
      settings.pools.length === 0 && !settings.isStateless ? 'drop-no-pool4' : 'drop-destination'
    ];
  const source = view.getInt32(start + IPV4.SOURCE);
  if (isNeverRouted(source) && !mayTellError(packet, source, headerBytes))
    return COUNTER['drop-source-invalid'];
  // Errors are another matter: the kernel here is a router on the way.
  const isFromUs = speaksForUs(settings, packet, source);
  if (isFromUs && view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.ICMP)
    return COUNTER['drop-source-invalid'];
  if (headerBytes > IPV4_HEADER_BYTES) {
    // N23: options are ignored, but for a source route with hops left.
    packet.problemPointer = unexpiredSourceRoute(view, start, headerBytes);
    if (packet.problemPointer === -1) return COUNTER['drop-bad-length'];
    if (packet.problemPointer !== 0) return COUNTER['drop-source-route'];
  }
  packet.transport = start + headerBytes;
  packet.remoteAddress = source;
  const protocolNumber = view.getUint8(start + IPV4.PROTOCOL);
  const protocol = noteProtocol(packet, protocolNumber, IP_PROTOCOL.ICMP, packet.isStateless);
  if ((view.getUint16(start + IPV4.FRAGMENT) & IS_FRAGMENT) !== 0) {
    noteFragment(packet, protocolNumber);
    if (isFromUs) return COUNTER['drop-source-invalid'];
    return protocol === CONTINUE ? FRAGMENT : protocol;
  }
  if (protocol !== CONTINUE) return protocol;
  const transport = readTransport(packet);
  if (transport !== CONTINUE) return transport;
  const offload = checkOffload(packet, GSO.TCPV4);
  if (offload !== CONTINUE) return offload;
  if (settings.dropsZeroUdpChecksum && isUdpWithoutChecksum(packet)) return COUNTER['drop-udp-no-checksum'];
  if (packet.protocol === TRANSPORT.ICMP) {
    const type = view.getUint8(packet.transport + ICMP.TYPE);
    if (isIcmp4Error(type)) return determineError4(settings, packet, source);
    if (type !== ICMP4.ECHO_REQUEST && type !== ICMP4.ECHO_REPLY) return COUNTER['drop-icmp-type'];
  }

  if (isFromUs) return COUNTER['drop-source-invalid'];
  readPorts4(packet);
  return CONTINUE;
}

/** Fills in the ports, or the identifier, of the header at `transport`. */
export function readPorts4(packet: Packet): void {
  const { view, transport, protocol } = packet;
  packet.mappedPort = destinationPort(view, transport, protocol);
  packet.remotePort = protocol === TRANSPORT.ICMP ? 0 : sourcePort(view, transport, protocol);
}

/** Whether a packet, or a fragment, that is no ICMP error may be translated: it may come from there, and go on. */
export function mayPass4(settings: Settings, packet: Packet): Verdict {
  const { view, start, remoteAddress } = packet;
  packet.remoteHasEam = goesByEam(settings, packet) && findEam4(settings.eam, remoteAddress) !== undefined;
  if (!mayBeRepresented(settings, packet, remoteAddress)) return COUNTER['drop-non-global'];
  if (isInList4(settings.denied4, remoteAddress)) return COUNTER['drop-denied'];
  if (view.getUint8(start + IPV4.TTL) <= 1) return COUNTER['drop-hop-limit'];
  if (!fitsIpv6(settings, packet)) return COUNTER['drop-too-big'];
  return packet.cutLimitBytes !== 0 && packet.gsoType === GSO.UDP ? DATAGRAMS : CONTINUE;
}

/**
 * RFC 7915 section 4.1: ICMP errors are translated even from "illegal" sources, which nobody routes, such as the link-local
 * addresses of a router: without "fragmentation needed" the path would be a black hole. Errors come in no fragments.
 */
function mayTellError({ view, start, end }: Packet, source: number, headerBytes: number): boolean {
  if (isGroup(source) || view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.ICMP) return false;
  if ((view.getUint16(start + IPV4.FRAGMENT) & IS_FRAGMENT) !== 0) return false;
  const type = start + headerBytes;
  return type < end && isIcmp4Error(view.getUint8(type));
}

/**
 * Whether the source is ours, although the packet did not come back in: it is forged, or pool4 talks to itself. Without
 * intrinsic hairpinning packets of pool4 do leave for hosts with address mappings, and come in again (RFC 7757 section 4).
 */
function speaksForUs(settings: Settings, packet: Packet, source: number): boolean {
  if (packet.isHairpinned || !isOurs4(settings, source)) return false;
  const mayComeAgain = packet.isStateless && settings.eamHairpinning !== 'intrinsic';
  return !mayComeAgain || slotOf(settings.poolAddresses, source) === -1;
}

/** N34: whether there is a prefix that may stand for the source. A host without sessions has only the first. */
const mayBeRepresented = (settings: Settings, packet: Packet, source: number): boolean =>
  packet.remoteHasEam ||
  !(packet.isStateless ? settings.prefix.refusesPrivate : settings.privatePrefix === -1) ||
  !isNonGlobal(source);

/** N22, N23: notes how the packet is to be cut, if it is; false when it is too big and must not be. */
function fitsIpv6(settings: Settings, packet: Packet): boolean {
  const { view, start, transport, isFragment } = packet;
  const isFragmentable = (view.getUint16(start + IPV4.FRAGMENT) & DONT_FRAGMENT) === 0;
  const newBytes =
    wireBytesOf(packet) - (transport - start) + IPV6_HEADER_BYTES + (isFragment ? FRAGMENT_HEADER_BYTES : 0);
  if (!isFragment && newBytes <= settings.lowestIpv6MtuBytes) return true;
  if (!isFragmentable && newBytes > settings.mtu6Bytes) return false;
  if (isFragment || isFragmentable) {
    packet.cutLimitBytes = isFragmentable ? settings.lowestIpv6MtuBytes : settings.mtu6Bytes;
    packet.identification = view.getUint16(start + IPV4.IDENTIFICATION);
  }
  return true;
}

function noteFragment(packet: Packet, protocol: number): void {
  const { view, start } = packet;
  const fragment = view.getUint16(start + IPV4.FRAGMENT);
  packet.isFragment = true;
  packet.fragmentOffset = (fragment & FRAGMENT_OFFSET) << FRAGMENT_UNIT_SHIFT;
  packet.hasMoreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  packet.fragmentProtocol = protocol;
  packet.fragmentId = view.getUint16(start + IPV4.IDENTIFICATION);
}

/**
 * The tuple of an ICMPv4 error is that of the packet it quotes, which we once sent from the pool4 address (RFC 6146
 * section 3.4). What yields no tuple is silently dropped (N3).
 */
function determineError4(settings: Settings, packet: Packet, source: number): Verdict {
  const { view, start, transport } = packet;
  const quoted = transport + ICMP_HEADER_BYTES;
  if (foldSum(sumOfBytes(view, transport, packet.end)) !== 0xffff) return COUNTER['drop-bad-checksum'];
  const isDescribed = describeError4(settings, packet, quoted);
  // Packet Too Big and Parameter Problem have no room for a length attribute in IPv6: their extensions are left out.
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
  // We never send options. Only first fragments show ports; whose address is his own needs none.
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
 * How both ends of the IPv4 side stand in IPv6: who the quoted packet went to as in any packet, and the sender of the error
 * by its address mapping, unless it is the same host (RFC 7757 sections 4.2.1 and 4.2.2).
 */
function readEams(settings: Settings, packet: Packet): void {
  const { eam } = settings;
  const { remoteAddress, errorPeer } = packet;
  const goes = goesByEam(settings, packet);
  packet.remoteHasEam = goes && findEam4(eam, remoteAddress) !== undefined;
  packet.peerHasEam =
    packet.isStateless && (goes || errorPeer !== remoteAddress) && findEam4(eam, errorPeer) !== undefined;
}

/** Finds the ICMPv6 type, code and value of an error; false when there are none. */
function describeError4(settings: Settings, packet: Packet, quoted: number): boolean {
  const { view, transport } = packet;
  const type = view.getUint8(transport + ICMP.TYPE);
  packet.errorType = errorType4to6(type, view.getUint8(transport + ICMP.CODE));
  packet.errorValue = 0;
  if (packet.errorType === -1) return false;
  if (packet.errorType === ICMP6_TOO_BIG) {
    // N24: a router that does not tell its MTU is assumed to have the next plateau.
    const toldBytes = view.getUint16(transport + ICMP.MTU4);
    const isWhole = packet.end - quoted >= IPV4_HEADER_BYTES;
    const sentBytes = isWhole ? view.getUint16(quoted + IPV4.TOTAL_LENGTH) : 0;
    const mtuBytes = toldBytes === 0 ? plateauBelow(sentBytes) : toldBytes;
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
