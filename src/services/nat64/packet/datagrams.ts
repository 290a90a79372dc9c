/**
 * Splits an IPv4 packet that holds several datagrams of a flow (GSO.UDP), if the datagrams must be fragmented: then they cannot
 * pass as one packet.
 */
import { checksumOf, foldSum, sumOfBytes } from '../../../wire/checksum.ts';
import { IPV4 } from '../../../wire/ipv4.ts';
import { UDP, UDP_HEADER_BYTES } from '../../../wire/tcp-udp.ts';
import { NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { DATAGRAMS_AT, HEADROOM_BYTES, type Packet, clearOffload } from './packet.ts';

export interface Datagrams {
  /** How many are still to come. Their bytes, with the common headers, are at DATAGRAMS_AT in the buffer of the packet. */
  left: number;
  /** Bytes of the IP and UDP header. */
  headerBytes: number;
  /** Bytes of data in each datagram except the last. */
  dataBytes: number;
  /** Offset of the data of the next datagram. */
  next: number;
  end: number;
  /** Identification of the next datagram. */
  identification: number;
  /** Whether the packet was hairpinned; its datagrams then are, too. */
  isHairpinned: boolean;
}

export const createDatagrams = (): Datagrams => ({
  left: 0,
  headerBytes: 0,
  dataBytes: 0,
  next: 0,
  end: 0,
  identification: 0,
  isHairpinned: false,
});

/** Keeps the packet, whose tuple has been determined, so that `nextDatagram` can make its datagrams. */
export function keepDatagrams(datagrams: Datagrams, packet: Packet): void {
  const { bytes, view, start, end, transport, gsoSizeBytes } = packet;
  bytes.copyWithin(DATAGRAMS_AT, start, end);
  datagrams.headerBytes = transport - start + UDP_HEADER_BYTES;
  datagrams.dataBytes = gsoSizeBytes;
  datagrams.next = DATAGRAMS_AT + datagrams.headerBytes;
  datagrams.end = DATAGRAMS_AT + end - start;
  datagrams.left = Math.ceil((datagrams.end - datagrams.next) / gsoSizeBytes);
  datagrams.identification = view.getUint16(start + IPV4.IDENTIFICATION);
  datagrams.isHairpinned = packet.isHairpinned;
}

/** Makes the next datagram the current packet, as if it had just been read; false if none is left. */
export function nextDatagram(datagrams: Datagrams, packet: Packet): boolean {
  if (datagrams.left === 0) return false;
  const { bytes, view } = packet;
  const { headerBytes, next } = datagrams;
  const dataEnd = Math.min(next + datagrams.dataBytes, datagrams.end);
  const start = HEADROOM_BYTES;
  const transport = start + headerBytes - UDP_HEADER_BYTES;
  bytes.copyWithin(start, DATAGRAMS_AT, DATAGRAMS_AT + headerBytes);
  bytes.copyWithin(start + headerBytes, next, dataEnd);
  packet.start = start;
  packet.end = start + headerBytes + dataEnd - next;
  packet.cut.next = 0;
  packet.isHairpinned = datagrams.isHairpinned;
  clearOffload(packet);
  packet.offloadFlags = NEEDS_CHECKSUM;
  packet.checksumStart = transport - start;
  packet.checksumOffset = UDP.CHECKSUM;

  const udpBytes = packet.end - transport;
  const pseudoSum =
    sumOfBytes(view, start + IPV4.SOURCE, start + IPV4.DESTINATION + 4) +
    view.getUint8(start + IPV4.PROTOCOL) +
    udpBytes;
  view.setUint16(transport + UDP.LENGTH, udpBytes);
  view.setUint16(transport + UDP.CHECKSUM, foldSum(pseudoSum));
  view.setUint16(start + IPV4.TOTAL_LENGTH, packet.end - start);
  view.setUint16(start + IPV4.IDENTIFICATION, datagrams.identification);
  view.setUint16(start + IPV4.CHECKSUM, 0);
  view.setUint16(start + IPV4.CHECKSUM, checksumOf(sumOfBytes(view, start, transport)));
  datagrams.left--;
  datagrams.next = dataEnd;
  datagrams.identification = (datagrams.identification + 1) & 0xffff;
  return true;
}
