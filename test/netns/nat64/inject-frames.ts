/**
 * Sends packets, given as hex with a virtio header in front, out of an Ethernet device: `node inject-frames.ts DEVICE MAC
 * HEX...`. With the header a packet can stand for several, and can leave its checksum to the device.
 */
import { readFileSync } from 'node:fs';
import { check, int32, pinned, sendto, setsockopt, socket } from '../../../src/os/libc.ts';
import { VIRTIO_NET, VIRTIO_NET_HEADER_BYTES } from '../../../src/wire/virtio-net.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
const ETHERNET_BYTES = 14;
/** struct sockaddr_ll */
const ADDRESS_BYTES = 20;

const [device, mac, ...frames] = process.argv.slice(2);
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const fd = check(socket(AF_PACKET, SOCK_RAW, 0), 'packet socket');
check(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, int32(1), 4), 'PACKET_VNET_HDR');
for (const hex of frames) {
  const frame = Buffer.from(hex, 'hex');
  const packet = frame.subarray(VIRTIO_NET_HEADER_BYTES);
  const isIpv4 = packet[0] >> 4 === 4;
  const bytes = pinned(frame.length + ETHERNET_BYTES);
  bytes.set(frame.subarray(0, VIRTIO_NET_HEADER_BYTES));
  bytes.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), VIRTIO_NET_HEADER_BYTES);
  bytes.set(isIpv4 ? [0x08, 0x00] : [0x86, 0xdd], VIRTIO_NET_HEADER_BYTES + 12);
  bytes.set(packet, VIRTIO_NET_HEADER_BYTES + ETHERNET_BYTES);
  const view = new DataView(bytes.buffer);
  const start = view.getUint16(VIRTIO_NET.CHECKSUM_START, true);
  if (start !== 0) {
    // Here, offsets include the Ethernet header.
    const isTcp = packet[isIpv4 ? 9 : 6] === 6;
    const headers = start + ETHERNET_BYTES + (isTcp ? (packet[start + 12] >> 4) * 4 : 8);
    view.setUint16(VIRTIO_NET.CHECKSUM_START, start + ETHERNET_BYTES, true);
    view.setUint16(VIRTIO_NET.HEADER_LENGTH, headers, true);
  }
  const address = pinned(ADDRESS_BYTES);
  const link = new DataView(address.buffer);
  link.setUint16(0, AF_PACKET, true);
  link.setUint16(2, isIpv4 ? 0x0800 : 0x86dd);
  link.setInt32(4, index, true);
  check(sendto(fd, bytes, bytes.length, 0, address, ADDRESS_BYTES), `send ${hex.slice(0, 200)}`);
}
