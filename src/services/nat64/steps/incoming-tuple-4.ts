/** Determines the tuple of a packet from the IPv4 side (RFC 6146 section 3.4); refuses packets that must not be translated. */
import { ICMP, ICMP4, isIcmp4Error } from '../../../wire/icmp.ts';
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
import { FRAGMENT_HEADER_BYTES, IPV6_HEADER_BYTES } from '../../../wire/ipv6.ts';
import { GSO } from '../../../wire/virtio-net.ts';
import { CONTINUE, COUNTER, DATAGRAMS, FRAGMENT, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT, clearTuple, wireBytesOf } from '../packet/packet.ts';
import { findEam4 } from '../settings/eam.ts';
import { type Settings, isOurs4 } from '../settings/settings.ts';
import {
  checkOffload,
  destinationPort,
  isUdpWithoutChecksum,
  noteProtocol,
  readTransport,
  sourcePort,
} from '../packet/transport.ts';
import { goesByEam, readStatelessHost } from '../settings/stateless.ts';
import { isInList4 } from '../settings/address-list.ts';
import { slotOf } from '../settings/pool.ts';
import { determineError4 } from './incoming-error-4.ts';

/**
 * Fills in the tuple of the packet. FRAGMENT: it is one of several fragments, and only the first shows the tuple (fragments.ts).
 * Any other verdict than CONTINUE drops it. `mayPass4` decides later whether a packet to be translated may pass. The bytes of
 * the packet stay unchanged.
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
  // Otherwise the whole address must belong to one host (N43).
  if (packet.isStateless && !readStatelessHost(settings, packet))
    return COUNTER[
      settings.pools.length === 0 && !settings.isStateless ? 'drop-no-pool4' : 'drop-destination'
    ];
  const source = view.getInt32(start + IPV4.SOURCE);
  if (isNeverRouted(source) && !mayTellError(packet, source, headerBytes))
    return COUNTER['drop-source-invalid'];
  // ICMP errors may come from our own address: the kernel of this machine is a router on the path.
  const isFromUs = speaksForUs(settings, packet, source);
  if (isFromUs && view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.ICMP)
    return COUNTER['drop-source-invalid'];
  if (headerBytes > IPV4_HEADER_BYTES) {
    // N23: options are ignored, except a source route with hops left.
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

/** Fills in the ports, or the identifier, from the header at `transport`. */
export function readPorts4(packet: Packet): void {
  const { view, transport, protocol } = packet;
  packet.mappedPort = destinationPort(view, transport, protocol);
  packet.remotePort = protocol === TRANSPORT.ICMP ? 0 : sourcePort(view, transport, protocol);
}

/** Whether a packet or fragment that is not an ICMP error may be translated: its source is allowed, and it may be forwarded. */
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
 * RFC 7915 section 4.1: ICMP errors are translated even from "illegal" sources that are never routed, such as the link-local
 * address of a router: without "fragmentation needed" the path would be a black hole. Errors are never fragmented.
 */
function mayTellError({ view, start, end }: Packet, source: number, headerBytes: number): boolean {
  if (isGroup(source) || view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.ICMP) return false;
  if ((view.getUint16(start + IPV4.FRAGMENT) & IS_FRAGMENT) !== 0) return false;
  const type = start + headerBytes;
  return type < end && isIcmp4Error(view.getUint8(type));
}

/**
 * Whether the source is an address of ours although the packet was not hairpinned here: it is forged, or pool4 sends to itself.
 * Without intrinsic hairpinning, packets from pool4 to hosts with address mappings do leave and come in again (RFC 7757
 * section 4).
 */
function speaksForUs(settings: Settings, packet: Packet, source: number): boolean {
  if (packet.isHairpinned || !isOurs4(settings, source)) return false;
  const mayComeAgain = packet.isStateless && settings.eamHairpinning !== 'intrinsic';
  return !mayComeAgain || slotOf(settings.poolAddresses, source) === -1;
}

/** N34: whether there is a prefix that may represent the source. For a host without sessions, only the first one counts. */
const mayBeRepresented = (settings: Settings, packet: Packet, source: number): boolean =>
  packet.remoteHasEam ||
  !(packet.isStateless ? settings.prefix.refusesPrivate : settings.privatePrefix === -1) ||
  !isNonGlobal(source);

/** N22, N23: notes how the packet is to be fragmented, if necessary; false if it is too big and must not be fragmented. */
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
