/** Sends packets, given as hex, unchanged out of a device: `node inject.ts DEVICE HEX...`. */
import { readFileSync } from 'node:fs';
import { SOCK_DGRAM, check, pinned, sendto, socket } from '../../../src/os/libc.ts';

const AF_PACKET = 17;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;

const [device, ...packets] = process.argv.slice(2);
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const fd = check(socket(AF_PACKET, SOCK_DGRAM, 0), 'packet socket');
for (const hex of packets) {
  const bytes = pinned(hex.length / 2);
  bytes.set(Buffer.from(hex, 'hex'));
  // struct sockaddr_ll: family, protocol (network order), interface index; the rest is for receivers.
  const address = pinned(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, bytes[0] >> 4 === 6 ? ETH_P_IPV6 : ETH_P_IP);
  view.setInt32(4, index, true);
  check(sendto(fd, bytes, bytes.length, 0, address, 20), `send ${hex}`);
}
