/** The checks of a transport header that are the same from both sides. */
import { ICMP, ICMP_HEADER_BYTES } from '../../wire/icmp.ts';
import { IP_PROTOCOL } from '../../wire/ipv4.ts';
import { EXTENSION, isSkippedExtension } from '../../wire/ipv6.ts';
import { TCP, UDP, UDP_HEADER_BYTES, tcpHeaderBytes } from '../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM } from '../../wire/virtio-net.ts';
import { COUNTER, CONTINUE, type Verdict } from './counters.ts';
import { type Packet, TRANSPORT } from './packet.ts';

/** Checks the header at `packet.transport` against the end of the packet, and notes what it is. */
export function readTransport(
  packet: Packet,
  protocol: number,
  icmpProtocol: number,
  passesOthers: boolean,
): Verdict {
  const { view, transport, end } = packet;
  if (protocol === IP_PROTOCOL.TCP) {
    const headerBytes = tcpHeaderBytes(view, transport, end);
    if (headerBytes === 0) return COUNTER['drop-truncated'];
    packet.protocol = TRANSPORT.TCP;
    packet.transportHeaderBytes = headerBytes;
    packet.tcpFlags = view.getUint8(transport + TCP.FLAGS);
    return CONTINUE;
  }
  if (protocol === IP_PROTOCOL.UDP) {
    if (end - transport < UDP_HEADER_BYTES) return COUNTER['drop-truncated'];
    const udpBytes = view.getUint16(transport + UDP.LENGTH);
    if (udpBytes < UDP_HEADER_BYTES || udpBytes > end - transport) return COUNTER['drop-bad-length'];
    packet.protocol = TRANSPORT.UDP;
    packet.transportHeaderBytes = UDP_HEADER_BYTES;
    return CONTINUE;
  }
  // N4: "other transport protocols ... MUST be silently discarded" or answered; see answer.ts.
  if (protocol !== icmpProtocol)
    return passesOthers && passOther(packet, protocol) ? CONTINUE : COUNTER['drop-protocol'];
  if (end - transport < ICMP_HEADER_BYTES) return COUNTER['drop-truncated'];
  packet.protocol = TRANSPORT.ICMP;
  packet.transportHeaderBytes = ICMP_HEADER_BYTES;
  return CONTINUE;
}

/**
 * N27: without sessions every protocol passes as it is, but for the ICMP of the wrong family, and numbers of IPv6 extension
 * headers: nobody may make such headers of what he sends over IPv4.
 */
export function passOther(packet: Packet, protocol: number): boolean {
  if (protocol === IP_PROTOCOL.ICMP || protocol === IP_PROTOCOL.ICMPV6) return false;
  if (isSkippedExtension(protocol) || protocol === EXTENSION.FRAGMENT) return false;
  packet.protocol = TRANSPORT.OTHER;
  packet.otherProtocol = protocol;
  packet.transportHeaderBytes = 0;
  return true;
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
