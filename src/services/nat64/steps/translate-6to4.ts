/** Translates a packet of TCP, UDP or ICMP echo from IPv6 to IPv4, in place (RFC 7915 section 5). */
import { adjustChecksum, complement, foldSum, sumOfIpv6Address, sumOfWord } from '../../../wire/checksum.ts';
import { ICMP, ICMP4, ICMP6 } from '../../../wire/icmp.ts';
import { FRAGMENT_UNIT_SHIFT, IPV4_HEADER_BYTES, IP_PROTOCOL, MORE_FRAGMENTS } from '../../../wire/ipv4.ts';
import { IPV6 } from '../../../wire/ipv6.ts';
import { TCP, TCP_FLAG } from '../../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { writeHeader4 } from './headers.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { clampSegmentSize } from '../packet/segment-size.ts';
import { checksumOffsetOf, fillInUdpChecksum, protocolNumber4 } from '../packet/transport.ts';
import type { Translator } from './translator.ts';

/** The packet's tuples must be complete (outgoing-tuple.ts). */
export function translate6to4(translator: Translator): void {
  const { packet } = translator;
  const { view, start, transport, protocol, mappedPort, remoteAddress } = packet;
  if (protocol === TRANSPORT.TCP && (packet.tcpFlags & TCP_FLAG.SYN) !== 0)
    clampSegmentSize(packet, translator.settings.maxSegmentBytes);
  const addresses6 =
    sumOfIpv6Address(view, start + IPV6.SOURCE) + sumOfIpv6Address(view, start + IPV6.DESTINATION);

  if (protocol === TRANSPORT.ICMP) {
    translateEcho(packet, addresses6);
  } else if (protocol !== TRANSPORT.OTHER) {
    const addressDelta = complement(addresses6) + sumOfWord(packet.mappedAddress) + sumOfWord(remoteAddress);
    const checksumAt = transport + checksumOffsetOf(protocol);
    const checksum = view.getUint16(checksumAt);
    view.setUint16(transport + TCP.SOURCE_PORT, mappedPort);
    if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0) {
      // The field holds the sum of the pseudo-header only; ports are summed with the data later.
      view.setUint16(checksumAt, foldSum(checksum + addressDelta));
    } else if (checksum === 0 && protocol === TRANSPORT.UDP) {
      // Without a session, the fragments are not collected, so no checksum can be computed. IPv4 allows it to be absent.
      if (!packet.isFragment || !packet.isStateless)
        fillInUdpChecksum(packet, sumOfWord(packet.mappedAddress) + sumOfWord(remoteAddress));
    } else {
      const adjusted = adjustChecksum(checksum, addressDelta + (~packet.hostPort & 0xffff) + mappedPort);
      view.setUint16(checksumAt, adjusted === 0 && protocol === TRANSPORT.UDP ? 0xffff : adjusted);
    }
  }

  const newStart = transport - IPV4_HEADER_BYTES;
  packet.start = newStart;
  const { isFragment, fragmentOffset, hasMoreFragments } = packet;
  writeHeader4(
    translator,
    start,
    newStart,
    packet.end - newStart,
    1,
    protocolNumber4(packet),
    packet.mappedAddress,
    remoteAddress,
    packet.identification,
    isFragment ? (fragmentOffset >> FRAGMENT_UNIT_SHIFT) | (hasMoreFragments ? MORE_FRAGMENTS : 0) : 0,
  );
  packet.checksumStart = (packet.offloadFlags & NEEDS_CHECKSUM) === 0 ? 0 : IPV4_HEADER_BYTES;
  if (packet.gsoType !== GSO.NONE && protocol === TRANSPORT.TCP)
    packet.gsoType = GSO.TCPV4 | (packet.gsoType & GSO.ECN);
}

/** Translates type and identifier, and removes the pseudo-header from the checksum: ICMPv4 does not cover it. */
function translateEcho(packet: Packet, addresses6: number): void {
  const { view, transport, mappedPort } = packet;
  const oldWord = view.getUint16(transport);
  const type = oldWord >> 8 === ICMP6.ECHO_REQUEST ? ICMP4.ECHO_REQUEST : ICMP4.ECHO_REPLY;
  const newWord = (type << 8) | (oldWord & 0xff);
  const removed = addresses6 + packet.messageBytes + IP_PROTOCOL.ICMPV6 + oldWord + packet.hostPort;
  view.setUint16(transport, newWord);
  view.setUint16(transport + ICMP.IDENTIFIER, mappedPort);
  const checksum = view.getUint16(transport + ICMP.CHECKSUM);
  view.setUint16(
    transport + ICMP.CHECKSUM,
    adjustChecksum(checksum, complement(removed) + newWord + mappedPort),
  );
}
