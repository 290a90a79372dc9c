/** Frames with a virtio header: packets whose checksums and segmentation are left to the device. */
import assert from 'node:assert/strict';
import {
  type Bytes,
  PROTOCOL,
  checksum,
  concat,
  onesSum,
  pseudoHeader,
  readU16,
  tcp,
  u16,
  udp,
} from './packets.ts';

export const NEEDS_CHECKSUM = 1;
export const UDP_SEGMENTS = 5;
const le16 = (value: number) => [value & 255, value >> 8];
export const headerOf = (flags: number, gsoType: number, gsoSize: number, start: number, offset: number) =>
  Uint8Array.from([flags, gsoType, 0, 0, ...le16(gsoSize), ...le16(start), ...le16(offset)]);

/** The packet as a stack passes it on if it leaves the checksum to the device. */
export function partial(packet: Bytes, gsoType = 0, gsoSize = 0): Bytes {
  const { transport, protocol, checksumAt } = layout(packet);
  const bytes = packet.slice();
  bytes.set(u16(pseudoSum(packet, packet.length - transport)), checksumAt);
  const offset = protocol === PROTOCOL.TCP ? 16 : 6;
  return concat(headerOf(NEEDS_CHECKSUM, gsoType, gsoSize, transport, offset), bytes);
}

function layout(packet: Uint8Array) {
  const isIpv4 = packet[0] >> 4 === 4;
  const transport = isIpv4 ? 20 : 40;
  const protocol = isIpv4 ? packet[9] : packet[6];
  return { isIpv4, transport, protocol, checksumAt: transport + (protocol === PROTOCOL.TCP ? 16 : 6) };
}

function pseudoSum(packet: Uint8Array, length: number): number {
  const { isIpv4, protocol } = layout(packet);
  const addresses = isIpv4 ? packet.slice(12, 20) : packet.slice(8, 40);
  const half = addresses.length / 2;
  return onesSum(pseudoHeader(addresses.slice(0, half), addresses.slice(half), protocol, length));
}

/** The work of the device before it sends: it cuts TCP into segments and UDP into datagrams, then completes the checksum. */
export function complete(frame: Uint8Array): Bytes[] {
  const packet = frame.slice(10);
  const { isIpv4, transport, protocol, checksumAt } = layout(packet);
  assert.equal(frame[0], NEEDS_CHECKSUM);
  assert.equal(frame[6] + frame[7] * 256, transport);
  assert.equal(frame[8] + frame[9] * 256, checksumAt - transport);
  assert.equal(
    readU16(packet, checksumAt),
    pseudoSum(packet, packet.length - transport),
    'the pseudo-header sum',
  );
  const gsoSize = frame[4] + frame[5] * 256;
  const headerBytes = transport + (protocol === PROTOCOL.TCP ? (packet[transport + 12] >> 4) * 4 : 8);
  if (frame[1] !== 0) {
    assert.equal(frame[1] & 0x7f, protocol === PROTOCOL.UDP ? UDP_SEGMENTS : isIpv4 ? 1 : 4);
    assert.equal(frame[2] + frame[3] * 256, headerBytes, 'header length');
  }
  const payload = packet.slice(headerBytes);
  const step = gsoSize || payload.length || 1;
  const segments: Bytes[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += step) {
    const fields = {
      source: packet.slice(isIpv4 ? 12 : 8, isIpv4 ? 16 : 24),
      destination: packet.slice(isIpv4 ? 16 : 24, isIpv4 ? 20 : 40),
      sourcePort: readU16(packet, transport),
      destinationPort: readU16(packet, transport + 2),
      data: payload.slice(at, at + step),
      hopLimit: packet[isIpv4 ? 8 : 7],
      fragment: isIpv4 ? readU16(packet, 6) : 0,
      identification: isIpv4 ? (readU16(packet, 4) + segments.length) & 0xffff : 0,
      flags: packet[transport + 13],
    };
    segments.push(protocol === PROTOCOL.TCP ? tcp(fields) : udp(fields));
  }
  return segments;
}

/** The packet of a frame as one packet, without segmentation, with its checksum completed. */
export function whole(frame: Uint8Array): Bytes {
  const packet = frame.slice(10);
  const { transport, protocol, checksumAt } = layout(packet);
  // The field contains the sum of the pseudo-header.
  const sum = checksum(packet.subarray(transport));
  packet.set(u16(sum === 0 && protocol === PROTOCOL.UDP ? 0xffff : sum), checksumAt);
  return packet;
}
