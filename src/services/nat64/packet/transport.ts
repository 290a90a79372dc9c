/** The checks of a transport header that are the same for both sides. */
import { checksumOf, sumOfBytes } from '../../../wire/checksum.ts';
import { ICMP } from '../../../wire/icmp.ts';
import { IP_PROTOCOL } from '../../../wire/ipv4.ts';
import { EXTENSION, isSkippedExtension } from '../../../wire/ipv6.ts';
import { TCP, UDP, UDP_HEADER_BYTES, tcpHeaderBytes } from '../../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { COUNTER, CONTINUE, type Verdict } from '../counters.ts';
import { type Packet, TRANSPORT } from './packet.ts';

/** By TRANSPORT. */
const PROTOCOL_NUMBERS_4: readonly number[] = [IP_PROTOCOL.TCP, IP_PROTOCOL.UDP, IP_PROTOCOL.ICMP];
const PROTOCOL_NUMBERS_6: readonly number[] = [IP_PROTOCOL.TCP, IP_PROTOCOL.UDP, IP_PROTOCOL.ICMPV6];

/** The protocol number in IPv4 of the packet, or of the packet that it quotes. */
export const protocolNumber4 = ({ protocol, otherProtocol }: Packet): number =>
  protocol === TRANSPORT.OTHER ? otherProtocol : PROTOCOL_NUMBERS_4[protocol];

/** The same in IPv6: the next-header value. */
export const protocolNumber6 = ({ protocol, otherProtocol }: Packet): number =>
  protocol === TRANSPORT.OTHER ? otherProtocol : PROTOCOL_NUMBERS_6[protocol];

/** Notes the TRANSPORT for a protocol number; `icmpProtocol` is the number of ICMP in the packet's family. */
export function noteProtocol(
  packet: Packet,
  protocol: number,
  icmpProtocol: number,
  passesOthers: boolean,
): Verdict {
  if (protocol === IP_PROTOCOL.TCP) packet.protocol = TRANSPORT.TCP;
  else if (protocol === IP_PROTOCOL.UDP) packet.protocol = TRANSPORT.UDP;
  else if (protocol === icmpProtocol) packet.protocol = TRANSPORT.ICMP;
  // N4: "other transport protocols ... MUST be silently discarded" or answered; see answer.ts.
  else if (!passesOthers || !passOther(packet, protocol)) return COUNTER['drop-protocol'];
  return CONTINUE;
}

/** Checks the header at `packet.transport` against the end of the packet. The protocol must have been noted. */
export function readTransport(packet: Packet): Verdict {
  const { view, transport, end, protocol } = packet;
  packet.messageBytes = end - transport;
  packet.otherDataSum = 0;
  if (protocol === TRANSPORT.OTHER) return CONTINUE;
  if (protocol === TRANSPORT.TCP) {
    const headerBytes = tcpHeaderBytes(view, transport, end);
    if (headerBytes === 0) return COUNTER['drop-truncated'];
    packet.transportHeaderBytes = headerBytes;
    packet.tcpFlags = view.getUint8(transport + TCP.FLAGS);
    return CONTINUE;
  }
  // UDP and ICMP headers have the same size.
  packet.transportHeaderBytes = UDP_HEADER_BYTES;
  if (end - transport < UDP_HEADER_BYTES) return COUNTER['drop-truncated'];
  if (protocol === TRANSPORT.ICMP) return CONTINUE;
  const udpBytes = view.getUint16(transport + UDP.LENGTH);
  // For fragments, the length is checked later, when all of them are there.
  const isWithin = packet.isFragment || udpBytes <= end - transport;
  return udpBytes >= UDP_HEADER_BYTES && isWithin ? CONTINUE : COUNTER['drop-bad-length'];
}

/**
 * N27: without sessions every protocol passes unchanged, except ICMP of the wrong family, and the numbers of IPv6 extension
 * headers: no sender may create such headers from the IPv4 side.
 */
export function passOther(packet: Packet, protocol: number): boolean {
  if (protocol === IP_PROTOCOL.ICMP || protocol === IP_PROTOCOL.ICMPV6) return false;
  if (isSkippedExtension(protocol) || protocol === EXTENSION.FRAGMENT) return false;
  passWithoutPorts(packet, protocol);
  return true;
}

/** For a packet without a transport header to change: sets OTHER, with this protocol number on the other side. */
export function passWithoutPorts(packet: Packet, otherProtocol: number): void {
  packet.protocol = TRANSPORT.OTHER;
  packet.otherProtocol = otherProtocol;
  packet.transportHeaderBytes = 0;
}

/** Offset of the checksum field of TCP or UDP from the transport header. */
export const checksumOffsetOf = (protocol: number): number =>
  protocol === TRANSPORT.TCP ? TCP.CHECKSUM : UDP.CHECKSUM;

/** Checks that the offload data from the TUN device fits the packet: an error here would become an error on the wire. */
export function checkOffload(packet: Packet, segmentedType: number): Verdict {
  const { offloadFlags, gsoType, protocol } = packet;
  if ((offloadFlags | gsoType) === 0) return CONTINUE;
  if ((offloadFlags & NEEDS_CHECKSUM) !== 0) {
    const fits =
      protocol < TRANSPORT.ICMP &&
      packet.checksumStart === packet.transport - packet.start &&
      packet.checksumOffset === checksumOffsetOf(protocol);
    if (!fits) return COUNTER['drop-bad-offload'];
  }
  if (gsoType === GSO.NONE) return CONTINUE;
  const fits =
    (protocol === TRANSPORT.TCP
      ? (gsoType & ~GSO.ECN) === segmentedType
      : protocol === TRANSPORT.UDP && gsoType === GSO.UDP) &&
    packet.gsoSizeBytes > 0 &&
    (offloadFlags & NEEDS_CHECKSUM) !== 0;
  return fits ? CONTINUE : COUNTER['drop-bad-offload'];
}

/** Whether a UDP packet has no checksum. A checksum of 0 that the device still has to complete does not count. */
export const isUdpWithoutChecksum = ({ view, protocol, transport, offloadFlags }: Packet): boolean =>
  protocol === TRANSPORT.UDP &&
  view.getUint16(transport + UDP.CHECKSUM) === 0 &&
  (offloadFlags & NEEDS_CHECKSUM) === 0;

/** The source port of TCP or UDP, or the identifier of an ICMP echo, from the header at `transport`; 0 for others. */
export const sourcePort = (view: DataView, transport: number, protocol: number): number =>
  protocol === TRANSPORT.OTHER
    ? 0
    : view.getUint16(protocol === TRANSPORT.ICMP ? transport + ICMP.IDENTIFIER : transport + TCP.SOURCE_PORT);

/** The destination port, or the identifier of an ICMP echo; 0 for others. */
export const destinationPort = (view: DataView, transport: number, protocol: number): number =>
  protocol === TRANSPORT.OTHER
    ? 0
    : view.getUint16(
        protocol === TRANSPORT.ICMP ? transport + ICMP.IDENTIFIER : transport + TCP.DESTINATION_PORT,
      );

/** Computes the checksum of a UDP packet without one; `addresses` is the sum of the addresses that it is sent with. */
export function fillInUdpChecksum(packet: Packet, addresses: number): void {
  const { view, transport, end } = packet;
  const udpBytes = view.getUint16(transport + UDP.LENGTH);
  const own = sumOfBytes(view, transport, Math.min(transport + udpBytes, end));
  const checksum = checksumOf(own + packet.otherDataSum + addresses + udpBytes + IP_PROTOCOL.UDP);
  view.setUint16(transport + UDP.CHECKSUM, checksum === 0 ? 0xffff : checksum);
}

/** How much of the transport header an ICMP error must quote at least: ports or identifier, and the UDP checksum. */
export const QUOTED_TRANSPORT_BYTES = 8;

/**
 * Notes where the datagram quoted by an ICMP error ends, and where extensions begin (RFC 4884). `lengthBytes` is the length
 * attribute in bytes, 0 if there is none.
 */
export function readQuoteEnd(
  packet: Packet,
  quoted: number,
  lengthBytes: number,
  carriesExtensions: boolean,
): void {
  const end = lengthBytes === 0 ? packet.end : Math.min(quoted + lengthBytes, packet.end);
  packet.quotedEnd = end;
  packet.extensionStart = carriesExtensions ? end : packet.end;
}
