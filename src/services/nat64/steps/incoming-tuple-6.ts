/** Determines the tuple of a packet from the IPv6 side (RFC 6146 section 3.4); refuses packets that must not be translated. */
import { ICMP, ICMP6, isIcmp6Error } from '../../../wire/icmp.ts';
import { isNeverRouted, isNonGlobal } from '../../../wire/ipv4-scope.ts';
import { IPV4_HEADER_BYTES, IP_PROTOCOL } from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_IDENTIFICATION,
  FRAGMENT_OFFSET_AND_MORE,
  FRAGMENT_RESERVED_BITS,
  IPV6,
  IPV6_HEADER_BYTES,
  ROUTING_SEGMENTS_LEFT,
  isExtension,
  isSkippedExtension,
} from '../../../wire/ipv6.ts';
import { extractIpv4 } from '../../../wire/nat64-prefix.ts';
import { GSO } from '../../../wire/virtio-net.ts';
import { CONTINUE, COUNTER, FRAGMENT, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT, clearTuple, wireBytesOf } from '../packet/packet.ts';
import { type Settings, isOurs4, prefixIndexOf } from '../settings/settings.ts';
import {
  checkOffload,
  destinationPort,
  isUdpWithoutChecksum,
  noteProtocol,
  readTransport,
  sourcePort,
} from '../packet/transport.ts';
import { eamIpv4At, isEmbeddedHost, readHost } from '../settings/stateless.ts';
import { isAllowed, isInList4 } from '../settings/address-list.ts';
import { determineError6 } from './incoming-error-6.ts';

/** By how many bytes a packet at least shrinks when it is translated from IPv6 to IPv4. */
const SHRINKS_BYTES = 20;

/**
 * Fills in the tuple of the packet. FRAGMENT: it is one of several fragments, it may be translated, and only the first shows the
 * tuple (fragments.ts). Any other verdict than CONTINUE drops it. The bytes of the packet stay unchanged.
 */
export function determineTuple6(settings: Settings, packet: Packet): Verdict {
  const { view, start } = packet;
  clearTuple(packet);
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
  // RFC 8200 section 8.1 allows UDP without a checksum only for certain tunnels (RFC 6935).
  if (settings.dropsZeroUdpChecksum6 && isUdpWithoutChecksum(packet)) return COUNTER['drop-udp-no-checksum'];
  const mayPass = mayPass6(settings, packet);
  if (mayPass !== CONTINUE) return mayPass;
  readPorts6(packet);
  return CONTINUE;
}

/** Fills in the ports, or the identifier, from the header at `transport`. */
export function readPorts6(packet: Packet): void {
  const { view, transport, protocol } = packet;
  packet.hostPort = sourcePort(view, transport, protocol);
  packet.remotePort = protocol === TRANSPORT.ICMP ? 0 : destinationPort(view, transport, protocol);
}

/** Whether a packet or fragment that is not an ICMP error may be translated: its host may send there, and it may be forwarded. */
function mayPass6(settings: Settings, packet: Packet): Verdict {
  const { view, start, remoteAddress } = packet;
  if (!isHostAddress(packet.host)) return COUNTER['drop-source-invalid'];
  if (!isAllowed(settings.allow, packet.host)) return COUNTER['drop-not-allowed'];
  // If the IPv4 address of a host were also our own, its packets would appear to come from us.
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

/** Whether an IPv4 address is allowed as the destination. */
function checkReach(settings: Settings, { prefixIndex, remoteHasEam }: Packet, address: number): Verdict {
  if (isNeverRouted(address)) return COUNTER['drop-non-global'];
  if (remoteHasEam) return CONTINUE;
  // N34: the well-known prefix must not represent private addresses.
  if (settings.prefixes[prefixIndex].refusesPrivate && isNonGlobal(address))
    return COUNTER['drop-non-global'];
  return isEmbeddedHost(settings, address) ? COUNTER['drop-no-route'] : CONTINUE;
}

/** Not multicast, link-local, unspecified, loopback, IPv4-compatible or IPv4-mapped. */
function isHostAddress(host: Int32Array): boolean {
  const word0 = host[0];
  return (
    word0 >>> 24 !== 0xff &&
    word0 >>> 22 !== 0x3fa &&
    (word0 !== 0 || host[1] !== 0 || (host[2] !== 0 && host[2] !== 0xffff))
  );
}

/** Skips the extension headers that a translator ignores (N29), and notes what follows them. */
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
    // N30: IPv4 has room only for the low-order 16 bits.
    packet.identification = packet.fragmentId & 0xffff;
    at += FRAGMENT_HEADER_BYTES;
    // RFC 6946: a fragment that is the whole datagram (an atomic fragment) is handled on its own.
    packet.isFragment = (offsetAndMore & ~FRAGMENT_RESERVED_BITS) !== 0;
    packet.fragmentOffset = offsetAndMore & ~7;
    packet.hasMoreFragments = (offsetAndMore & 1) !== 0;
    packet.fragmentProtocol = nextHeader;
    // RFC 7915 section 5.1.1: SHOULD be dropped.
    if (isExtension(nextHeader)) return COUNTER['drop-fragment-extension'];
  }
  packet.transport = at;
  return noteProtocol(packet, nextHeader, IP_PROTOCOL.ICMPV6, packet.isStateless);
}
