/**
 * Cuts a translated packet into fragments (RFC 791, RFC 8200 section 4.5), without copying: each fragment's header is
 * written in front of its data, over the end of the fragment before, which has been sent by then.
 */
import { checksumOf, sumOfBytes } from '../../wire/checksum.ts';
import { IPV4, IPV4_HEADER_BYTES, MORE_FRAGMENTS, FRAGMENT_UNIT_SHIFT } from '../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_IDENTIFICATION,
  FRAGMENT_OFFSET_AND_MORE,
  IPV6,
  IPV6_HEADER_BYTES,
} from '../../wire/ipv6.ts';
import { GSO, NEEDS_CHECKSUM } from '../../wire/virtio-net.ts';
import { type Packet, TRANSPORT, clearOffload } from './packet.ts';
import { checksumOffsetOf } from './transport.ts';

/**
 * Turns the packet, which is translated but for that, into the first of its fragments, each at most `limitBytes` long;
 * `nextFragment` makes the others. A packet that came in fragments is cut where it was cut before (RFC 7915 sections 4.1
 * and 5.1.1 translate each by itself), and again where those are too long.
 */
export function cutPacket(packet: Packet, limitBytes: number): void {
  const { cut, start } = packet;
  if (packet.gsoType !== GSO.NONE) {
    // TCP need not be fragmented: the device cuts shorter segments instead.
    packet.gsoSizeBytes = limitBytes - (packet.transport - start) - packet.transportHeaderBytes;
    return;
  }
  completeChecksum(packet);
  const isIpv6 = packet.bytes[start] >> 4 === 6;
  const headerBytes = isIpv6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  cut.header.set(packet.bytes.subarray(start, start + headerBytes));
  cut.dataStart = start + headerBytes;
  cut.dataEnd = packet.end;
  const room = limitBytes - headerBytes - (isIpv6 ? FRAGMENT_HEADER_BYTES : 0);
  cut.limitBytes = (room >> FRAGMENT_UNIT_SHIFT) << FRAGMENT_UNIT_SHIFT;
  cut.identification = packet.identification;
  cut.endIndex = 0;
  makeFragment(packet, 0);
}

/** Makes the next fragment, if there is one. */
export function nextFragment(packet: Packet): boolean {
  const { next } = packet.cut;
  if (next === 0) return false;
  makeFragment(packet, next);
  return true;
}

function makeFragment(packet: Packet, offset: number): void {
  const { cut, view } = packet;
  const dataBytes = cut.dataEnd - cut.dataStart;
  let to = Math.min(offset + cut.limitBytes, dataBytes);
  if (cut.endIndex < packet.fragmentCount) {
    const oldEnd = packet.fragmentEnds[cut.endIndex];
    if (oldEnd <= to) {
      to = oldEnd;
      cut.endIndex++;
    }
  }
  const at = cut.dataStart + offset;
  const isLast = to === dataBytes;
  cut.next = isLast ? 0 : to;
  packet.end = cut.dataStart + to;
  if (cut.header[0] >> 4 === 6) {
    const start = at - FRAGMENT_HEADER_BYTES - IPV6_HEADER_BYTES;
    packet.start = start;
    packet.bytes.set(cut.header, start);
    view.setUint16(start + IPV6.PAYLOAD_LENGTH, to - offset + FRAGMENT_HEADER_BYTES);
    view.setUint8(start + IPV6.NEXT_HEADER, EXTENSION.FRAGMENT);
    const fragment = start + IPV6_HEADER_BYTES;
    view.setUint16(fragment, cut.header[IPV6.NEXT_HEADER] << 8);
    view.setUint16(fragment + FRAGMENT_OFFSET_AND_MORE, offset | (isLast ? 0 : 1));
    view.setInt32(fragment + FRAGMENT_IDENTIFICATION, cut.identification);
    return;
  }
  const start = at - IPV4_HEADER_BYTES;
  packet.start = start;
  packet.bytes.set(cut.header.subarray(0, IPV4_HEADER_BYTES), start);
  view.setUint16(start + IPV4.TOTAL_LENGTH, packet.end - start);
  view.setUint16(start + IPV4.FRAGMENT, (offset >> FRAGMENT_UNIT_SHIFT) | (isLast ? 0 : MORE_FRAGMENTS));
  view.setUint16(start + IPV4.CHECKSUM, 0);
  view.setUint16(start + IPV4.CHECKSUM, checksumOf(sumOfBytes(view, start, at)));
}

/** What the device was to do on the whole packet. */
function completeChecksum(packet: Packet): void {
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0) {
    const { view, transport, end } = packet;
    const checksum = checksumOf(sumOfBytes(view, transport, end));
    const isZero = checksum === 0 && packet.protocol === TRANSPORT.UDP;
    view.setUint16(transport + checksumOffsetOf(packet.protocol), isZero ? 0xffff : checksum);
  }
  clearOffload(packet);
}
