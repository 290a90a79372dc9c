/**
 * Sends packets, given as hex, out of a TUN device one after the other. For each it prints as hex the packet with which the
 * program that has opened the device answers: `node replay.ts DEVICE HEX...`. If there is no answer within two seconds, the line
 * is empty.
 */
import { readFileSync } from 'node:fs';
import {
  POLLIN,
  SOCK_DGRAM,
  bind,
  check,
  pinned,
  poll,
  recvfrom,
  sendto,
  socket,
} from '../../../src/os/libc.ts';

const AF_PACKET = 17;
const ETH_P_ALL = 0x0003;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
/** struct sockaddr_ll */
const ADDRESS_BYTES = 20;
const PACKET_TYPE = 10;
const PACKET_OUTGOING = 4;
const WAIT_MS = 2000;

const [device, ...packets] = process.argv.slice(2);
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));

function addressFor(protocol: number): Uint8Array {
  const address = pinned(ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, index, true);
  return address;
}

const fd = check(socket(AF_PACKET, SOCK_DGRAM, (ETH_P_ALL << 8) | (ETH_P_ALL >> 8)), 'packet socket');
check(bind(fd, addressFor(ETH_P_ALL), ADDRESS_BYTES), `bind to ${device}`);
const into = pinned(65_536);
const from = pinned(ADDRESS_BYTES);
const fromBytes = pinned(4);
const waiting = pinned(8);
new DataView(waiting.buffer).setInt32(0, fd, true);
new DataView(waiting.buffer).setInt16(4, POLLIN, true);

/** The next packet that arrives from the device. Packets sent to the device are seen here too, and ignored. */
function nextFromDevice(deadline: number): string {
  for (;;) {
    const leftMs = Math.ceil(deadline - performance.now());
    if (leftMs <= 0 || poll(waiting, 1, leftMs) === 0) return '';
    fromBytes[0] = ADDRESS_BYTES;
    const bytes = check(recvfrom(fd, into, into.length, 0, from, fromBytes), 'receive');
    if (from[PACKET_TYPE] !== PACKET_OUTGOING) return Buffer.from(into.subarray(0, bytes)).toString('hex');
  }
}

for (const hex of packets) {
  const bytes = pinned(hex.length / 2);
  bytes.set(Buffer.from(hex, 'hex'));
  const address = addressFor(bytes[0] >> 4 === 6 ? ETH_P_IPV6 : ETH_P_IP);
  check(sendto(fd, bytes, bytes.length, 0, address, ADDRESS_BYTES), `send ${hex}`);
  console.log(nextFromDevice(performance.now() + WAIT_MS));
}
