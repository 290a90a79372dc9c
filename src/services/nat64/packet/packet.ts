/**
 * The current packet: one object for the lifetime of the translator. It is filled again for each packet, which is translated in
 * place. Packets are read with room before them, because IPv6 headers are longer and ICMP errors need additional headers.
 */
import { GSO, VIRTIO_NET, VIRTIO_NET_HEADER_BYTES, writeVirtioHeader } from '../../../wire/virtio-net.ts';

/** The offset that packets are read to: at least 88 bytes, the room for an ICMP error of our own and two headers. */
export const HEADROOM_BYTES = 128;
/** The largest IP packet. */
export const LONGEST_PACKET_BYTES = 65_535;
/** After the packet, in the same memory so that copying is cheap: datagrams that wait to be sent (udp-burst.ts). */
export const BURST_AT = HEADROOM_BYTES + 2 * 65_536;
/** After these: datagrams that wait to be translated (datagrams.ts). */
export const DATAGRAMS_AT = BURST_AT + 65_536;
const BUFFER_BYTES = DATAGRAMS_AT + 65_536;

/** Transport protocols, with the numbers that the tables use. Protocols that pass unchanged are OTHER, and have no sessions. */
export const TRANSPORT = { TCP: 0, UDP: 1, ICMP: 2, OTHER: 3 } as const;
/** Their names in configuration and API, by TRANSPORT. */
export const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;

export interface Packet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** The IP packet is in the bytes from `start` to `end`; translation moves both. */
  start: number;
  end: number;

  // The virtio header that it came with, and is sent with.
  /** VIRTIO_NET.FLAGS */
  offloadFlags: number;
  gsoType: number;
  /** Bytes of payload in each segment, if gsoType is not NONE. */
  gsoSizeBytes: number;
  /** Offset of the transport header from `start`, if NEEDS_CHECKSUM is set. */
  checksumStart: number;
  checksumOffset: number;

  // The tuple. For an ICMP error, it is that of the quoted packet, reversed so that it identifies the same session.
  /** TRANSPORT of the session. */
  protocol: number;
  /** Port or ICMP identifier on the IPv6 host. For a packet from IPv4, it is known after the BIB lookup. */
  hostPort: number;
  /** Address of the IPv6 host as words. */
  readonly host: Int32Array;
  /** Our IPv4 address towards the remote end, signed; known after the BIB lookup. */
  mappedAddress: number;
  /** Whether `mappedAddress` belongs to the host alone, so that no session is needed. */
  isStateless: boolean;
  /** The protocol number, if the protocol is OTHER. */
  otherProtocol: number;
  /** Whether the packet is hairpinned (RFC 6146 section 3.8): we have translated it to IPv4, and handle it as from the IPv4 side. */
  isHairpinned: boolean;
  /** Whether `remoteAddress` is represented in IPv6 by its address mapping (RFC 7757), not in a prefix. */
  remoteHasEam: boolean;
  /** Position in the settings of the prefix for `remoteAddress`. */
  prefixIndex: number;
  /** Slot of `mappedAddress` in the pool. For a packet from IPv4, it is known at once. */
  mappedSlot: number;
  /** Our port or ICMP identifier on the pool4 address. */
  mappedPort: number;
  /** IPv4 address of the remote end, signed. */
  remoteAddress: number;
  /** Port of the remote end; 0 for ICMP queries. */
  remotePort: number;

  // What the tables have for it, after filtering; 0 if they have nothing.
  /** The BIB entry. */
  bib: number;
  /** The session; for an ICMP error, that of the packet it quotes. */
  session: number;
  /** Whether the packet has opened its session. */
  opensSession: boolean;
  /** Whether the packet has moved its session to another prefix: answers come from that prefix then. */
  movesPrefix: boolean;

  /** Offset of the transport header in `bytes`. */
  transport: number;
  /** Bytes of the transport header, which precedes the payload of each segment. */
  transportHeaderBytes: number;
  /** Bytes of the transport header and everything after it, including the data in other fragments. */
  messageBytes: number;
  /** The sum of the data in other fragments; only known for UDP without a checksum. */
  otherDataSum: number;
  tcpFlags: number;
  /** Whether this is an ICMP error. Then `quoted`, `quotedTransport` and `quotedEnd` are offsets of the quoted packet. */
  isError: boolean;
  /** The type and code (type * 256 + code) that an error has on the other side. */
  errorType: number;
  /** The pointer or MTU for `errorType`. */
  errorValue: number;
  quoted: number;
  quotedTransport: number;
  quotedEnd: number;
  /** Extensions (RFC 4884) are from here to `end`; equal to `end` if there are none, or if they cannot be carried. */
  extensionStart: number;
  /** Identification of the quoted packet, 16 bits; -1 for an IPv6 packet without fragment header. */
  quotedIdentification: number;
  /** IPV4.FRAGMENT of the quoted packet, only offset and MF: 0 unless it is one of several fragments. */
  quotedFragment: number;
  /** IPv4 address that an error is sent to, or came from, signed: often a router on the path, not the remote end. */
  errorPeer: number;
  /** The same as `remoteHasEam`, for `errorPeer`; only for packets from the IPv4 side. */
  peerHasEam: boolean;
  /** IPv4 source address for an error from the IPv6 side, signed; 0: the mapped address of the host that the error is about. */
  errorSource: number;

  /** Offset from `start` of the byte that a parameter problem sent by us points at. */
  problemPointer: number;

  // If the packet is one of several fragments:
  isFragment: boolean;
  /** Offset of the fragment's data in the datagram. The data is in the bytes from `transport` to `end`. */
  fragmentOffset: number;
  hasMoreFragments: boolean;
  /** Protocol or next header of the data in the fragments. */
  fragmentProtocol: number;
  /** The identification of its datagram: 16 bits from IPv4, 32 bits from IPv6. */
  fragmentId: number;
  /** Whether its datagram is to be hairpinned (RFC 6146 section 3.8), as decided with its first fragment. */
  fragmentIsHairpin: boolean;

  /** Identification, 16 bits, if the packet has one and needs it on the other side; otherwise -1. */
  identification: number;

  /** The largest size of the fragments that the packet is to be cut into; 0 to leave it whole. */
  cutLimitBytes: number;
  // The state of a packet that is being cut into fragments; see fragmentation.ts.
  readonly cut: CutState;
}

export interface CutState {
  /** Offset in the data of the next fragment to send; 0 if none is left. */
  next: number;
  /** If the packet was a fragment itself: its offset in its datagram, and whether more fragments follow. */
  offset: number;
  hasMore: boolean;
  /** The bounds in `bytes` of the data of all fragments. */
  dataStart: number;
  dataEnd: number;
  /** The most data bytes in one fragment; a multiple of 8. */
  limitBytes: number;
  identification: number;
  /** The IP header that every fragment gets. */
  readonly header: Uint8Array<ArrayBuffer>;
}

export function createPacket(): Packet {
  const bytes = new Uint8Array(BUFFER_BYTES);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    start: 0,
    end: 0,
    offloadFlags: 0,
    gsoType: 0,
    gsoSizeBytes: 0,
    checksumStart: 0,
    checksumOffset: 0,
    protocol: 0,
    hostPort: 0,
    host: new Int32Array(4),
    mappedAddress: 0,
    isStateless: false,
    otherProtocol: 0,
    isHairpinned: false,
    remoteHasEam: false,
    prefixIndex: 0,
    mappedSlot: 0,
    mappedPort: 0,
    remoteAddress: 0,
    remotePort: 0,
    bib: 0,
    session: 0,
    opensSession: false,
    movesPrefix: false,
    transport: 0,
    transportHeaderBytes: 0,
    messageBytes: 0,
    otherDataSum: 0,
    tcpFlags: 0,
    isError: false,
    errorType: 0,
    errorValue: 0,
    quoted: 0,
    quotedTransport: 0,
    quotedEnd: 0,
    extensionStart: 0,
    quotedIdentification: -1,
    quotedFragment: 0,
    errorPeer: 0,
    peerHasEam: false,
    errorSource: 0,
    problemPointer: 0,
    isFragment: false,
    fragmentOffset: 0,
    hasMoreFragments: false,
    fragmentProtocol: 0,
    fragmentId: 0,
    fragmentIsHairpin: false,
    identification: -1,
    cutLimitBytes: 0,
    cut: {
      next: 0,
      offset: 0,
      hasMore: false,
      dataStart: 0,
      dataEnd: 0,
      limitBytes: 0,
      identification: 0,
      header: new Uint8Array(40),
    },
  };
}

/** Call before the tuple of a packet is read: clears the values of the previous packet. */
export function clearTuple(packet: Packet): void {
  packet.isError = false;
  packet.isFragment = false;
  packet.identification = -1;
  packet.cutLimitBytes = 0;
  packet.prefixIndex = 0;
  packet.bib = 0;
  packet.session = 0;
  packet.opensSession = false;
  packet.movesPrefix = false;
}

/** Loads what was read at HEADROOM_BYTES: an IP packet of `packetBytes`, with a virtio header before it. */
export function loadPacket(packet: Packet, packetBytes: number): void {
  const { view } = packet;
  const header = HEADROOM_BYTES - VIRTIO_NET_HEADER_BYTES;
  packet.start = HEADROOM_BYTES;
  packet.end = HEADROOM_BYTES + packetBytes;
  packet.cut.next = 0;
  packet.offloadFlags = view.getUint8(header + VIRTIO_NET.FLAGS);
  packet.gsoType = view.getUint8(header + VIRTIO_NET.GSO_TYPE);
  packet.gsoSizeBytes = view.getUint16(header + VIRTIO_NET.GSO_SIZE, true);
  packet.checksumStart = view.getUint16(header + VIRTIO_NET.CHECKSUM_START, true);
  packet.checksumOffset = view.getUint16(header + VIRTIO_NET.CHECKSUM_OFFSET, true);
}

/** Writes the virtio header before the packet, ready to be sent. */
export function storeOffloadHeader(packet: Packet): void {
  const isSegmented = packet.gsoType !== GSO.NONE;
  // Only the headers must be contiguous in the kernel's buffer.
  const headerBytes = isSegmented ? packet.transport + packet.transportHeaderBytes - packet.start : 0;
  writeVirtioHeader(
    packet.view,
    packet.start - VIRTIO_NET_HEADER_BYTES,
    packet.offloadFlags,
    packet.gsoType,
    headerBytes,
    packet.gsoSizeBytes,
    packet.checksumStart,
    packet.checksumOffset,
  );
}

/** Removes the offload request: the packet is whole and its checksum is complete. */
export function clearOffload(packet: Packet): void {
  packet.offloadFlags = 0;
  packet.gsoType = GSO.NONE;
  packet.gsoSizeBytes = 0;
  packet.checksumStart = 0;
  packet.checksumOffset = 0;
}

/** How many packets the device will make of this packet. */
export function segmentsOf(packet: Packet): number {
  if (packet.gsoType === GSO.NONE) return 1;
  const payloadBytes = packet.end - packet.transport - packet.transportHeaderBytes;
  return Math.max(1, ((payloadBytes + packet.gsoSizeBytes - 1) / packet.gsoSizeBytes) | 0);
}

/** Size of the largest packet on the wire if this one were sent unchanged: of one full segment, or of the whole packet. */
export function wireBytesOf(packet: Packet): number {
  const wholeBytes = packet.end - packet.start;
  if (packet.gsoType === GSO.NONE) return wholeBytes;
  const segmentBytes = packet.transport + packet.transportHeaderBytes - packet.start + packet.gsoSizeBytes;
  return Math.min(segmentBytes, wholeBytes);
}
