/** The checks of a transport header that are the same from both sides. */
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

/** The protocol number that the packet, or what it quotes, has in IPv4. */
export const protocolNumber4 = ({ protocol, otherProtocol }: Packet): number =>
  protocol === TRANSPORT.OTHER ? otherProtocol : PROTOCOL_NUMBERS_4[protocol];

/** The next-header value that it has in IPv6. */
export const protocolNumber6 = ({ protocol, otherProtocol }: Packet): number =>
  protocol === TRANSPORT.OTHER ? otherProtocol : PROTOCOL_NUMBERS_6[protocol];

/** Notes what the number of a transport protocol stands for; `icmpProtocol` is that of the packet's family. */
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

/** Checks the header at `packet.transport` against the end of the packet, once its protocol is noted. */
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
  // Both are of the same size.
  packet.transportHeaderBytes = UDP_HEADER_BYTES;
  if (end - transport < UDP_HEADER_BYTES) return COUNTER['drop-truncated'];
  if (protocol === TRANSPORT.ICMP) return CONTINUE;
  const udpBytes = view.getUint16(transport + UDP.LENGTH);
  // The length of what comes in fragments is compared where all of it is there.
  const isWithin = packet.isFragment || udpBytes <= end - transport;
  return udpBytes >= UDP_HEADER_BYTES && isWithin ? CONTINUE : COUNTER['drop-bad-length'];
}

/**
 * N27: without sessions every protocol passes as it is, but for the ICMP of the wrong family, and numbers of IPv6 extension
 * headers: nobody may make such headers of what he sends over IPv4.
 */
export function passOther(packet: Packet, protocol: number): boolean {
  if (protocol === IP_PROTOCOL.ICMP || protocol === IP_PROTOCOL.ICMPV6) return false;
  if (isSkippedExtension(protocol) || protocol === EXTENSION.FRAGMENT) return false;
  passWithoutPorts(packet, protocol);
  return true;
}

/** Takes what shows no transport header, or none that is to be changed, for a protocol of this number on the other side. */
export function passWithoutPorts(packet: Packet, otherProtocol: number): void {
  packet.protocol = TRANSPORT.OTHER;
  packet.otherProtocol = otherProtocol;
  packet.transportHeaderBytes = 0;
}

/** Offset of the checksum field of TCP or UDP from the transport header. */
export const checksumOffsetOf = (protocol: number): number =>
  protocol === TRANSPORT.TCP ? TCP.CHECKSUM : UDP.CHECKSUM;

/** Whether what the TUN device says about the packet fits it: what is false here would be false on the wire. */
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

/** A sum of 0 that the device is still to complete is another thing. */
export const isUdpWithoutChecksum = ({ view, protocol, transport, offloadFlags }: Packet): boolean =>
  protocol === TRANSPORT.UDP &&
  view.getUint16(transport + UDP.CHECKSUM) === 0 &&
  (offloadFlags & NEEDS_CHECKSUM) === 0;

/** The source port of TCP or UDP, or the identifier of an ICMP echo, of the header at `transport`; 0 for others. */
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

/** Makes the checksum of a UDP packet without one; `addresses` is the sum of those that it goes out with. */
export function fillInUdpChecksum(packet: Packet, addresses: number): void {
  const { view, transport, end } = packet;
  const udpBytes = view.getUint16(transport + UDP.LENGTH);
  const own = sumOfBytes(view, transport, Math.min(transport + udpBytes, end));
  const checksum = checksumOf(own + packet.otherDataSum + addresses + udpBytes + IP_PROTOCOL.UDP);
  view.setUint16(transport + UDP.CHECKSUM, checksum === 0 ? 0xffff : checksum);
}

/** The least an ICMP error must quote of a transport header: ports, or identifier, and the UDP checksum. */
export const QUOTED_TRANSPORT_BYTES = 8;

/**
 * Notes where the datagram that an ICMP error quotes ends, and where extensions begin (RFC 4884): `lengthBytes` is what
 * the length attribute says, 0 when there is none.
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
