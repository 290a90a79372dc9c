/** Makes the packets to be explained, as they would be read from the TUN device. */
import type { ExplainRequest, Nat64Protocol } from '../questions.ts';
import { ICMP, ICMP6, ICMP_HEADER_BYTES } from '../../../wire/icmp.ts';
import { parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';
import { IPV4_HEADER_BYTES, IP_PROTOCOL, writeIpv4Header } from '../../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES, writeIpv6Start } from '../../../wire/ipv6.ts';
import { writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import { TCP, TCP_FLAG, TCP_HEADER_BYTES, UDP, UDP_HEADER_BYTES } from '../../../wire/tcp-udp.ts';
import { HEADROOM_BYTES, type Packet, createPacket, loadPacket } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';

const HOP_LIMIT = 64;
/** The port that is used if none is given. */
const SOME_PORT = 50_000;

/** Makes the packet. An IPv4 destination becomes the IPv6 address that represents it. */
export function probePacket(settings: Settings, request: ExplainRequest): Packet {
  const packet = createPacket();
  const { view, bytes } = packet;
  const at = HEADROOM_BYTES;
  const transport = at + IPV6_HEADER_BYTES;
  const clientPort = request.clientPort ?? SOME_PORT;
  const { nextHeader, headerBytes } = TRANSPORT_HEADERS[request.protocol];
  writeIpv6Start(view, at, 0, headerBytes, nextHeader, HOP_LIMIT);
  bytes.set(parsed(parseIpv6(request.client), request.client), at + IPV6.SOURCE);
  const ipv4 = parseIpv4(request.destination);
  if (ipv4 !== undefined) writeEmbeddedIpv4(settings.prefix, ipv4, view, at + IPV6.DESTINATION);
  else bytes.set(parsed(parseIpv6(request.destination), request.destination), at + IPV6.DESTINATION);
  if (request.protocol === 'icmp') {
    view.setUint8(transport + ICMP.TYPE, ICMP6.ECHO_REQUEST);
    view.setUint16(transport + ICMP.IDENTIFIER, clientPort);
  } else writePorts(view, transport, request.protocol, clientPort, request.destinationPort ?? SOME_PORT);
  loadPacket(packet, IPV6_HEADER_BYTES + headerBytes);
  return packet;
}

/** Writes a packet from the IPv4 side into `packet`: a TCP SYN or a UDP datagram. `to` is unsigned. */
export function writeProbePacket4(
  packet: Packet,
  {
    from,
    to,
    protocol,
    port,
  }: { from: string; to: number; protocol: Nat64Protocol; port: number | undefined },
): void {
  const { view } = packet;
  const at = HEADROOM_BYTES;
  const source = parseIpv4(from);
  if (source === undefined || protocol === 'icmp') throw new Error(`${protocol} from "${from}"`);
  const { nextHeader, headerBytes } = TRANSPORT_HEADERS[protocol];
  const totalBytes = IPV4_HEADER_BYTES + headerBytes;
  writeIpv4Header(view, at, 0, totalBytes, 0, 0, HOP_LIMIT, nextHeader, source, to);
  writePorts(view, at + IPV4_HEADER_BYTES, protocol, SOME_PORT, port ?? SOME_PORT);
  loadPacket(packet, totalBytes);
}

function writePorts(
  view: DataView,
  transport: number,
  protocol: 'tcp' | 'udp',
  sourcePort: number,
  destinationPort: number,
): void {
  view.setUint16(transport + TCP.SOURCE_PORT, sourcePort);
  view.setUint16(transport + TCP.DESTINATION_PORT, destinationPort);
  if (protocol === 'tcp') {
    view.setUint16(transport + TCP.DATA_OFFSET, ((TCP_HEADER_BYTES >> 2) << 12) | TCP_FLAG.SYN);
    return;
  }
  view.setUint16(transport + UDP.LENGTH, UDP_HEADER_BYTES);
  // The checksum is not checked, but it must not be 0 (RFC 8200 section 8.1).
  view.setUint16(transport + UDP.CHECKSUM, 1);
}

const TRANSPORT_HEADERS = {
  tcp: { nextHeader: IP_PROTOCOL.TCP, headerBytes: TCP_HEADER_BYTES },
  udp: { nextHeader: IP_PROTOCOL.UDP, headerBytes: UDP_HEADER_BYTES },
  icmp: { nextHeader: IP_PROTOCOL.ICMPV6, headerBytes: ICMP_HEADER_BYTES },
} as const satisfies Record<Nat64Protocol, object>;

function parsed(address: Uint8Array | undefined, text: string): Uint8Array {
  if (address === undefined) throw new Error(`"${text}" is no IP address`);
  return address;
}
