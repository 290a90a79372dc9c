/**
 * Floods a device with lone fragments of 28 bytes for an IPv4 address, from changing addresses of 192.0.2.0/24 and with
 * changing identifications, until it is killed: `node flood-fragments.ts DEVICE DESTINATION`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SOCK_DGRAM, check, pinned, sendto, socket } from '../../../src/os/libc.ts';
import { parseIpv4 } from '../../../src/wire/ip-address.ts';
import { IPV4_HEADER_BYTES, MORE_FRAGMENTS, writeIpv4Header } from '../../../src/wire/ipv4.ts';

const AF_PACKET = 17;
const ETH_P_IP = 0x0800;
const ADDRESS_BYTES = 20;
const BURST = 200;
const BURST_EVERY_MS = 20;
const SOURCES = parseIpv4('192.0.2.0') as number;

const [device, destination] = process.argv.slice(2);
const fd = check(socket(AF_PACKET, SOCK_DGRAM, 0), 'packet socket');
const address = pinned(ADDRESS_BYTES);
const addressView = new DataView(address.buffer);
addressView.setUint16(0, AF_PACKET, true);
addressView.setUint16(2, ETH_P_IP);
addressView.setInt32(4, Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), true);
const packet = pinned(IPV4_HEADER_BYTES + 8);
const view = new DataView(packet.buffer);
const to = parseIpv4(destination) as number;
for (let i = 0; ; ) {
  for (const end = i + BURST; i < end; i++) {
    const offset = 100;
    const source = SOURCES + (i & 255);
    writeIpv4Header(
      view,
      0,
      0,
      packet.length,
      (i >> 8) & 0xffff,
      MORE_FRAGMENTS | offset,
      64,
      17,
      source,
      to,
    );
    // A full queue loses some of them, as a network would.
    sendto(fd, packet, packet.length, 0, address, ADDRESS_BYTES);
  }
  await delay(BURST_EVERY_MS);
}
