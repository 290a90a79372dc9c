/**
 * Cuts a translated IPv6 packet into fragments (RFC 8200 section 4.5), without copying: the header of each fragment is
 * written before its data. It overwrites the end of the previous fragment, which has been sent by then.
 */
import { checksumOf, sumOfBytes } from '../../../wire/checksum.ts';
import { FRAGMENT_UNIT_SHIFT } from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  IPV6,
  IPV6_HEADER_BYTES,
  writeFragmentHeader,
} from '../../../wire/ipv6.ts';
import { GSO, NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { type Packet, TRANSPORT, clearOffload } from './packet.ts';
import { checksumOffsetOf } from './transport.ts';

/**
 * Turns the packet, which has been translated to IPv6, into the first of its fragments, each at most `limitBytes` long;
 * `nextFragment` makes the others. A packet that is a fragment itself becomes at least one fragment (RFC 7915 section 4.1).
 */
export function cutPacket(packet: Packet, limitBytes: number): void {
  const { cut, start } = packet;
  if (packet.gsoType !== GSO.NONE) {
    // TCP need not be fragmented: the device makes shorter segments instead.
    packet.gsoSizeBytes = limitBytes - (packet.transport - start) - packet.transportHeaderBytes;
    return;
  }
  completeChecksum(packet);
  cut.header.set(packet.bytes.subarray(start, start + IPV6_HEADER_BYTES));
  cut.dataStart = start + IPV6_HEADER_BYTES;
  cut.dataEnd = packet.end;
  const room = limitBytes - IPV6_HEADER_BYTES - FRAGMENT_HEADER_BYTES;
  cut.limitBytes = (room >> FRAGMENT_UNIT_SHIFT) << FRAGMENT_UNIT_SHIFT;
  cut.identification = packet.identification;
  cut.offset = packet.isFragment ? packet.fragmentOffset : 0;
  cut.hasMore = packet.isFragment && packet.hasMoreFragments;
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
  const to = Math.min(offset + cut.limitBytes, dataBytes);
  const isLast = to === dataBytes;
  const fragment = cut.dataStart + offset - FRAGMENT_HEADER_BYTES;
  const start = fragment - IPV6_HEADER_BYTES;
  cut.next = isLast ? 0 : to;
  packet.start = start;
  packet.end = cut.dataStart + to;
  packet.bytes.set(cut.header, start);
  view.setUint16(start + IPV6.PAYLOAD_LENGTH, packet.end - fragment);
  view.setUint8(start + IPV6.NEXT_HEADER, EXTENSION.FRAGMENT);
  const offsetAndMore = (cut.offset + offset) | (isLast && !cut.hasMore ? 0 : 1);
  writeFragmentHeader(view, fragment, cut.header[IPV6.NEXT_HEADER], offsetAndMore, cut.identification);
}

/** Completes the checksum of the whole packet, if the device was to do it. */
function completeChecksum(packet: Packet): void {
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0) {
    const { view, transport, end } = packet;
    const checksum = checksumOf(sumOfBytes(view, transport, end));
    const isZero = checksum === 0 && packet.protocol === TRANSPORT.UDP;
    view.setUint16(transport + checksumOffsetOf(packet.protocol), isZero ? 0xffff : checksum);
  }
  clearOffload(packet);
}
