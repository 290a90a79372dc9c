/** Translates a packet of TCP, UDP or ICMP echo from IPv4 to IPv6, in place (RFC 7915 section 4). */
import { adjustChecksum, complement, foldSum, sumOfIpv6Address, sumOfWord } from '../../../wire/checksum.ts';
import { ICMP, ICMP4, ICMP6 } from '../../../wire/icmp.ts';
import { IP_PROTOCOL } from '../../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES, writeWords } from '../../../wire/ipv6.ts';
import { TCP, TCP_FLAG } from '../../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { writeRemote } from '../settings/stateless.ts';
import { writeHeader6 } from './headers.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { clampSegmentSize } from '../packet/segment-size.ts';
import { checksumOffsetOf, fillInUdpChecksum, protocolNumber6 } from '../packet/transport.ts';
import type { Translator } from './translator.ts';

/** The packet's tuples must be complete (outgoing-tuple.ts). Fragment headers are left to `cutPacket`. */
export function translate4to6(translator: Translator): void {
  const { packet, settings } = translator;
  const { view, start, transport, protocol, mappedPort, hostPort } = packet;
  const newStart = transport - IPV6_HEADER_BYTES;
  packet.start = newStart;
  if (protocol === TRANSPORT.TCP && (packet.tcpFlags & TCP_FLAG.SYN) !== 0)
    clampSegmentSize(packet, settings.maxSegmentBytes);

  // The new header overwrites the old one: from here on its values are only in `packet`.
  writeHeader6(translator, start, newStart, packet.end - transport, 1, protocolNumber6(packet), -1, 0);
  writeRemote(settings, packet, newStart + IPV6.SOURCE, packet.remoteAddress, packet.remoteHasEam);
  writeWords(view, newStart + IPV6.DESTINATION, packet.host);
  const addresses6 =
    sumOfIpv6Address(view, newStart + IPV6.SOURCE) + sumOfIpv6Address(view, newStart + IPV6.DESTINATION);

  if (protocol === TRANSPORT.ICMP) {
    translateEcho(packet, addresses6);
    return;
  }
  if (protocol === TRANSPORT.OTHER) return;
  const addressDelta =
    complement(sumOfWord(packet.remoteAddress) + sumOfWord(packet.mappedAddress)) + addresses6;
  const checksumAt = transport + checksumOffsetOf(protocol);
  const checksum = view.getUint16(checksumAt);
  view.setUint16(transport + TCP.DESTINATION_PORT, hostPort);
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0) {
    // The field holds the sum of the pseudo-header only; ports are summed with the data later.
    view.setUint16(checksumAt, foldSum(checksum + addressDelta));
    packet.checksumStart = IPV6_HEADER_BYTES;
  } else if (checksum === 0 && protocol === TRANSPORT.UDP) {
    // N2: UDP may go without a checksum over IPv4, but not over IPv6.
    fillInUdpChecksum(packet, addresses6);
  } else {
    const adjusted = adjustChecksum(checksum, addressDelta + (~mappedPort & 0xffff) + hostPort);
    view.setUint16(checksumAt, adjusted === 0 && protocol === TRANSPORT.UDP ? 0xffff : adjusted);
  }
  if (packet.gsoType !== GSO.NONE && protocol === TRANSPORT.TCP)
    packet.gsoType = GSO.TCPV6 | (packet.gsoType & GSO.ECN);
}

/** Translates type and identifier, and adds the pseudo-header to the checksum: ICMPv6 covers it, ICMPv4 does not. */
function translateEcho(packet: Packet, addresses6: number): void {
  const { view, transport, hostPort, mappedPort } = packet;
  const oldWord = view.getUint16(transport);
  const type = oldWord >> 8 === ICMP4.ECHO_REQUEST ? ICMP6.ECHO_REQUEST : ICMP6.ECHO_REPLY;
  const newWord = (type << 8) | (oldWord & 0xff);
  const added = addresses6 + packet.messageBytes + IP_PROTOCOL.ICMPV6 + newWord + hostPort;
  view.setUint16(transport, newWord);
  view.setUint16(transport + ICMP.IDENTIFIER, hostPort);
  const checksum = view.getUint16(transport + ICMP.CHECKSUM);
  view.setUint16(
    transport + ICMP.CHECKSUM,
    adjustChecksum(checksum, complement(oldWord + mappedPort) + added),
  );
}
