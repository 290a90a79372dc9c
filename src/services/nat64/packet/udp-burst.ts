/**
 * Consecutive datagrams of one flow are sent as one packet, which the kernel splits as late as possible (UDP GSO, Linux 6.2): for
 * a small packet, the way through the kernel is the largest cost. Only datagrams that can already be read are joined, so nothing
 * is delayed, and the bytes on the wire are the same.
 */
import { checksumOf, foldSum, sumOfBytes } from '../../../wire/checksum.ts';
import { DONT_FRAGMENT, IPV4, IPV4_HEADER_BYTES, IP_PROTOCOL, IS_FRAGMENT } from '../../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../../wire/ipv6.ts';
import { UDP, UDP_HEADER_BYTES } from '../../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM, VIRTIO_NET_HEADER_BYTES, writeVirtioHeader } from '../../../wire/virtio-net.ts';
import { BURST_AT, type Packet } from './packet.ts';

/** The kernel's own limit when receiving (UDP_GRO_CNT_MAX); it accepts at most 128. */
const MOST_DATAGRAMS = 64;
const MOST_BYTES = 65_535;
/** Where the IP packet begins. */
const START = BURST_AT + 16;

export interface UdpBurst {
  /** How many datagrams wait. If it is 0, the headers at START are those of the last datagram that was sent. */
  count: number;
  /** Bytes of the IP header of the last datagram; 0 if the last packet was no such datagram. */
  ipHeaderBytes: number;
  /** Bytes of data in each datagram except the last. */
  dataBytes: number;
  end: number;
  /** Whether another datagram may join: not after a shorter one. */
  isOpen: boolean;
  /** The offload flags of the first datagram. */
  offloadFlags: number;
}

export const createUdpBurst = (): UdpBurst => ({
  count: 0,
  ipHeaderBytes: 0,
  dataBytes: 0,
  end: 0,
  isOpen: false,
  offloadFlags: 0,
});

/**
 * Adds a packet that is ready to be sent to the burst; true if it was added. If not, the burst must be sent first, and then `begin`
 * must be called.
 */
export function join(burst: UdpBurst, packet: Packet): boolean {
  if (burst.count === 0 || !burst.isOpen) return false;
  const { bytes, view, start, end } = packet;
  const { ipHeaderBytes } = burst;
  const dataStart = start + ipHeaderBytes + UDP_HEADER_BYTES;
  const dataBytes = end - dataStart;
  if (dataBytes <= 0 || dataBytes > burst.dataBytes || burst.end + dataBytes - START > MOST_BYTES)
    return false;
  if (ipHeaderOf(packet) !== ipHeaderBytes || !isSameFlow(burst, packet)) return false;
  // Packets that may be fragmented have identifications, which the kernel counts up from the first one.
  if (ipHeaderBytes === IPV4_HEADER_BYTES && (view.getUint16(START + IPV4.FRAGMENT) & DONT_FRAGMENT) === 0) {
    const expected = (view.getUint16(START + IPV4.IDENTIFICATION) + burst.count) & 0xffff;
    if (view.getUint16(start + IPV4.IDENTIFICATION) !== expected) return false;
  }
  if (!checksumIsRight(packet, ipHeaderBytes)) return false;
  bytes.copyWithin(burst.end, dataStart, end);
  burst.end += dataBytes;
  burst.count++;
  burst.isOpen = dataBytes === burst.dataBytes && burst.count < MOST_DATAGRAMS;
  return true;
}

/**
 * For a packet that could not join, when the burst is empty. True if the packet begins a new burst, and so waits: that is if it
 * belongs to the same flow as the packet before. If packets of several flows alternate, only this comparison is added.
 */
export function begin(burst: UdpBurst, packet: Packet): boolean {
  const { bytes, start, end } = packet;
  const ipHeaderBytes = ipHeaderOf(packet);
  const follows = ipHeaderBytes !== 0 && ipHeaderBytes === burst.ipHeaderBytes && isSameFlow(burst, packet);
  burst.ipHeaderBytes = ipHeaderBytes;
  if (ipHeaderBytes === 0) return false;
  const headerBytes = ipHeaderBytes + UDP_HEADER_BYTES;
  const dataBytes = end - start - headerBytes;
  if (!follows || dataBytes === 0 || !checksumIsRight(packet, ipHeaderBytes)) {
    bytes.copyWithin(START, start, start + headerBytes);
    return false;
  }
  bytes.copyWithin(START, start, end);
  burst.count = 1;
  burst.dataBytes = dataBytes;
  burst.end = START + end - start;
  burst.isOpen = true;
  burst.offloadFlags = packet.offloadFlags;
  return true;
}

/** Where the virtio header of a finished burst is in the buffer of the packet. */
export const BURST_FRAME_START = START - VIRTIO_NET_HEADER_BYTES;

/** Makes one packet of the waiting datagrams, with its virtio header, from BURST_FRAME_START to `burst.end`. */
export function finish(burst: UdpBurst, view: DataView): void {
  const { ipHeaderBytes, offloadFlags } = burst;
  const at = BURST_FRAME_START;
  if (burst.count > 1) {
    writeLengths(burst, view);
    const headerBytes = ipHeaderBytes + UDP_HEADER_BYTES;
    const { dataBytes } = burst;
    writeVirtioHeader(view, at, NEEDS_CHECKSUM, GSO.UDP, headerBytes, dataBytes, ipHeaderBytes, UDP.CHECKSUM);
  } else if ((offloadFlags & NEEDS_CHECKSUM) !== 0) {
    writeVirtioHeader(view, at, offloadFlags, GSO.NONE, 0, 0, ipHeaderBytes, UDP.CHECKSUM);
  } else writeVirtioHeader(view, at, offloadFlags, GSO.NONE, 0, 0, 0, 0);
  burst.count = 0;
}

/** Writes the lengths for all of the data into the headers; the UDP checksum only covers the pseudo-header. */
function writeLengths(burst: UdpBurst, view: DataView): void {
  const { ipHeaderBytes, end } = burst;
  const udp = START + ipHeaderBytes;
  if (ipHeaderBytes === IPV4_HEADER_BYTES) {
    view.setUint16(START + IPV4.TOTAL_LENGTH, end - START);
    view.setUint16(START + IPV4.CHECKSUM, 0);
    view.setUint16(START + IPV4.CHECKSUM, checksumOf(sumOfBytes(view, START, udp)));
  } else view.setUint16(START + IPV6.PAYLOAD_LENGTH, end - udp);
  view.setUint16(udp + UDP.LENGTH, end - udp);
  view.setUint16(udp + UDP.CHECKSUM, foldSum(pseudoHeaderSum(view, START, ipHeaderBytes, end - udp)));
}

function pseudoHeaderSum(view: DataView, start: number, ipHeaderBytes: number, udpBytes: number): number {
  const addresses = start + (ipHeaderBytes === IPV4_HEADER_BYTES ? IPV4.SOURCE : IPV6.SOURCE);
  return sumOfBytes(view, addresses, start + ipHeaderBytes) + IP_PROTOCOL.UDP + udpBytes;
}

/** The size of the IP header of an unfragmented UDP datagram without options or extension headers; 0 for any other packet. */
function ipHeaderOf({ view, start, end, gsoType }: Packet): number {
  if (gsoType !== GSO.NONE) return 0;
  const first = view.getUint8(start);
  if (first === 0x45) {
    if (view.getUint8(start + IPV4.PROTOCOL) !== IP_PROTOCOL.UDP) return 0;
    if ((view.getUint16(start + IPV4.FRAGMENT) & IS_FRAGMENT) !== 0) return 0;
  } else if (first >> 4 !== 6 || view.getUint8(start + IPV6.NEXT_HEADER) !== IP_PROTOCOL.UDP) return 0;
  const ipHeaderBytes = first === 0x45 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const udp = start + ipHeaderBytes;
  return view.getUint16(udp + UDP.LENGTH) === end - udp ? ipHeaderBytes : 0;
}

/** Whether the headers are the same as those at START, except for lengths, checksums and identification. */
function isSameFlow({ ipHeaderBytes }: UdpBurst, { view, start }: Packet): boolean {
  // Ports first: most other flows differ there.
  if (view.getInt32(start + ipHeaderBytes) !== view.getInt32(START + ipHeaderBytes)) return false;
  if (ipHeaderBytes === IPV4_HEADER_BYTES) {
    return (
      view.getUint16(start) === view.getUint16(START) &&
      view.getUint16(start + IPV4.FRAGMENT) === view.getUint16(START + IPV4.FRAGMENT) &&
      view.getUint16(start + IPV4.TTL) === view.getUint16(START + IPV4.TTL) &&
      view.getInt32(start + IPV4.SOURCE) === view.getInt32(START + IPV4.SOURCE) &&
      view.getInt32(start + IPV4.DESTINATION) === view.getInt32(START + IPV4.DESTINATION)
    );
  }
  if (view.getInt32(start) !== view.getInt32(START)) return false;
  if (view.getUint16(start + IPV6.NEXT_HEADER) !== view.getUint16(START + IPV6.NEXT_HEADER)) return false;
  for (let at = IPV6.SOURCE; at < IPV6_HEADER_BYTES; at += 4)
    if (view.getInt32(start + at) !== view.getInt32(START + at)) return false;
  return true;
}

/** The kernel computes the checksums again, so a datagram that was damaged on its way must not join: it would get a correct one. */
function checksumIsRight({ view, start, end, offloadFlags }: Packet, ipHeaderBytes: number): boolean {
  if ((offloadFlags & NEEDS_CHECKSUM) !== 0) return true;
  const udp = start + ipHeaderBytes;
  if (view.getUint16(udp + UDP.CHECKSUM) === 0) return false;
  return (
    foldSum(pseudoHeaderSum(view, start, ipHeaderBytes, end - udp) + sumOfBytes(view, udp, end)) === 0xffff
  );
}
