/**
 * The packet in work: one object for the life of the translator, filled anew for each packet, translated where it
 * lies. It is read with room in front, because IPv6 headers are longer and ICMP errors put headers before it.
 */
import { GSO, VIRTIO_NET, VIRTIO_NET_HEADER_BYTES, writeVirtioHeader } from '../../../wire/virtio-net.ts';

/** Where packets are read to; at least 88 bytes, the room that an ICMP error of our own and two headers take. */
export const HEADROOM_BYTES = 128;
/** The largest IP packet. */
export const LONGEST_PACKET_BYTES = 65_535;
/** Behind the packet, in the same memory so that copying is cheap: datagrams that wait to be sent (udp-burst.ts) ... */
export const BURST_AT = HEADROOM_BYTES + 2 * 65_536;
/** ... or to be translated (datagrams.ts). */
export const DATAGRAMS_AT = BURST_AT + 65_536;
const BUFFER_BYTES = DATAGRAMS_AT + 65_536;

/** Transport protocols by the number that the tables use. Those that pass as they are have OTHER, and no sessions. */
export const TRANSPORT = { TCP: 0, UDP: 1, ICMP: 2, OTHER: 3 } as const;
/** What configuration and API call them, by TRANSPORT. */
export const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;

export interface Packet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** The IP packet lies from `start` up to `end`; translation moves both. */
  start: number;
  end: number;

  // The virtio header that came with it, and goes out with it.
  /** VIRTIO_NET.FLAGS */
  offloadFlags: number;
  gsoType: number;
  /** Bytes of payload in each segment when gsoType is not NONE. */
  gsoSizeBytes: number;
  /** Offset of the transport header from `start` when NEEDS_CHECKSUM is set. */
  checksumStart: number;
  checksumOffset: number;

  // The tuple: for an ICMP error that of the quoted packet, turned round so that it names the same session.
  /** TRANSPORT of the session. */
  protocol: number;
  /** Port or ICMP identifier on the IPv6 host; known after the BIB lookup when the packet came from IPv4. */
  hostPort: number;
  /** Address of the IPv6 host as words. */
  readonly host: Int32Array;
  /** Our IPv4 address towards the other end, signed; known after the BIB lookup. */
  mappedAddress: number;
  /** Whether the host has `mappedAddress` for itself, and so needs no session. */
  isStateless: boolean;
  /** The number of the protocol when it is OTHER. */
  otherProtocol: number;
  /** Whether the packet came back in (RFC 6146 section 3.8): it is one of ours, seen from the IPv4 side. */
  isHairpinned: boolean;
  /** Whether `remoteAddress` stands in IPv6 as its address mapping says (RFC 7757), not behind a prefix. */
  remoteHasEam: boolean;
  /** Position in the settings' prefixes of the one that stands before `remoteAddress`. */
  prefixIndex: number;
  /** Slot of `mappedAddress` in the pool; known at once when the packet came from IPv4. */
  mappedSlot: number;
  /** Our port or ICMP identifier on the pool4 address. */
  mappedPort: number;
  /** IPv4 address of the other end, signed. */
  remoteAddress: number;
  /** Port of the other end; 0 for ICMP queries. */
  remotePort: number;

  // What the tables know of it, once it is filtered; 0 where they know nothing.
  /** The BIB entry. */
  bib: number;
  /** The session, for an ICMP error that of the packet it quotes. */
  session: number;
  /** Whether the packet has opened its session ... */
  opensSession: boolean;
  /** ... or has moved it to another prefix: then answers come from that. */
  movesPrefix: boolean;

  /** Offset of the transport header in `bytes`. */
  transport: number;
  /** Bytes of the transport header: what precedes the payload of each segment. */
  transportHeaderBytes: number;
  /** Bytes of the transport header and all behind it, also of what is in other fragments. */
  messageBytes: number;
  /** The sum of the data that is in other fragments; known for what has no UDP checksum. */
  otherDataSum: number;
  tcpFlags: number;
  /** Whether this is an ICMP error; then `quoted`, `quotedTransport` and `quotedEnd` are offsets of the packet inside. */
  isError: boolean;
  /** The type and code (type * 256 + code) that an error has on the other side. */
  errorType: number;
  /** Pointer or MTU that goes with `errorType`. */
  errorValue: number;
  quoted: number;
  quotedTransport: number;
  quotedEnd: number;
  /** Extensions (RFC 4884) go from here up to `end`; equal to `end` when there are none, or none can be carried. */
  extensionStart: number;
  /** Identification of what is quoted, 16 bits; -1 for an IPv6 packet without fragment header. */
  quotedIdentification: number;
  /** IPV4.FRAGMENT of what is quoted, offset and MF alone: 0 unless it is one of several fragments. */
  quotedFragment: number;
  /** IPv4 address that an error is sent to, or came from, signed: often a router on the way, not the remote. */
  errorPeer: number;
  /** The same of `errorPeer` as `remoteHasEam`; of packets from the IPv4 side only. */
  peerHasEam: boolean;
  /** IPv4 address that an error from the IPv6 side comes from, signed; 0: the mapped address of the host it is about. */
  errorSource: number;

  /** Offset of the byte that a parameter problem of our own points at, from `start`. */
  problemPointer: number;

  // Of one of several fragments.
  isFragment: boolean;
  /** Offset of a fragment's data in the datagram; what it holds goes from `transport` up to `end`. */
  fragmentOffset: number;
  hasMoreFragments: boolean;
  /** Protocol or next header of what is in the fragments. */
  fragmentProtocol: number;
  /** What tells its datagram from others of the same addresses: 16 bits from IPv4, 32 from IPv6. */
  fragmentId: number;
  /** Whether its datagram comes back in (RFC 6146 section 3.8), as its first fragment told. */
  fragmentIsHairpin: boolean;

  /** Identification, 16 bits, of a packet that has one and needs it on the other side; else -1. */
  identification: number;

  /** The most bytes of each fragment that the packet is to be cut into; 0 to leave it whole. */
  cutLimitBytes: number;
  // What is left to be sent of a packet that is cut into fragments; see fragmentation.ts.
  readonly cut: CutState;
}

export interface CutState {
  /** Offset in the data of the fragment to be sent next; 0 when none is left. */
  next: number;
  /** What was cut: where it was in its datagram itself, and whether more of that follows. */
  offset: number;
  hasMore: boolean;
  /** The data in `bytes`, all fragments of it. */
  dataStart: number;
  dataEnd: number;
  /** The most data in one fragment; a multiple of 8. */
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

/** Before a packet's tuple is read: forgets what is known of the one before. */
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

/** Takes in what was read at HEADROOM_BYTES: a virtio header and `packetBytes` of IP packet behind it. */
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

/** Writes the virtio header in front of the packet, ready to be sent. */
export function storeOffloadHeader(packet: Packet): void {
  const isSegmented = packet.gsoType !== GSO.NONE;
  // Only the headers need to lie in one piece in the kernel's buffer.
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

/** Takes the offload request off: the packet is whole and its checksum complete. */
export function clearOffload(packet: Packet): void {
  packet.offloadFlags = 0;
  packet.gsoType = GSO.NONE;
  packet.gsoSizeBytes = 0;
  packet.checksumStart = 0;
  packet.checksumOffset = 0;
}

/** How many packets the device will make of this. */
export function segmentsOf(packet: Packet): number {
  if (packet.gsoType === GSO.NONE) return 1;
  const payloadBytes = packet.end - packet.transport - packet.transportHeaderBytes;
  return Math.max(1, ((payloadBytes + packet.gsoSizeBytes - 1) / packet.gsoSizeBytes) | 0);
}

/** Size of the largest packet on the wire, were it as it is: of one full segment, or of the whole. */
export function wireBytesOf(packet: Packet): number {
  const wholeBytes = packet.end - packet.start;
  if (packet.gsoType === GSO.NONE) return wholeBytes;
  const segmentBytes = packet.transport + packet.transportHeaderBytes - packet.start + packet.gsoSizeBytes;
  return Math.min(segmentBytes, wholeBytes);
}
