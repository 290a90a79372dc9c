/**
 * Prints the IP fragments that arrive at a device as hex, as they are on the wire, until there are COUNT of them. With a PORT:
 * the TCP and UDP packets from or to it instead. `node capture.ts DEVICE COUNT [PORT]`. The first line is "ready".
 */
import { readFileSync } from 'node:fs';
import { POLLIN, SOCK_DGRAM, bind, check, pinned, poll, recvfrom, socket } from '../../../src/os/libc.ts';

const AF_PACKET = 17;
const ETH_P_ALL = 0x0003;
/** struct sockaddr_ll */
const ADDRESS_BYTES = 20;
const PACKET_TYPE = 10;
const PACKET_OUTGOING = 4;
const FRAGMENT_HEADER = 44;
const TCP = 6;
const UDP = 17;
const WAIT_MS = 10_000;

const [device, countText, portText] = process.argv.slice(2);
const fd = check(socket(AF_PACKET, SOCK_DGRAM, (ETH_P_ALL << 8) | (ETH_P_ALL >> 8)), 'packet socket');
const address = pinned(ADDRESS_BYTES);
const view = new DataView(address.buffer);
view.setUint16(0, AF_PACKET, true);
view.setUint16(2, ETH_P_ALL);
view.setInt32(4, Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), true);
check(bind(fd, address, ADDRESS_BYTES), `bind to ${device}`);
console.log('ready');

const isFragment = (packet: Uint8Array) =>
  packet[0] >> 4 === 4 ? ((packet[6] << 8) | packet[7]) & 0x3fff : packet[6] === FRAGMENT_HEADER;
function isOfPort(packet: Uint8Array): boolean {
  const isIpv4 = packet[0] >> 4 === 4;
  const transport = isIpv4 ? 20 : 40;
  const protocol = packet[isIpv4 ? 9 : 6];
  const portAt = (at: number) => (packet[at] << 8) | packet[at + 1];
  return (
    (protocol === TCP || protocol === UDP) &&
    (portAt(transport) === Number(portText) || portAt(transport + 2) === Number(portText))
  );
}
const isWanted = portText === undefined ? isFragment : isOfPort;
const into = pinned(65_536);
const from = pinned(ADDRESS_BYTES);
const fromBytes = pinned(4);
const waiting = pinned(8);
new DataView(waiting.buffer).setInt32(0, fd, true);
new DataView(waiting.buffer).setInt16(4, POLLIN, true);
for (let left = Number(countText); left > 0; ) {
  if (poll(waiting, 1, WAIT_MS) === 0) throw new Error(`${left} of ${countText} packets did not arrive`);
  fromBytes[0] = ADDRESS_BYTES;
  const bytes = check(recvfrom(fd, into, into.length, 0, from, fromBytes), 'receive');
  const packet = into.subarray(0, bytes);
  if (from[PACKET_TYPE] === PACKET_OUTGOING || !isWanted(packet)) continue;
  console.log(Buffer.from(packet).toString('hex'));
  left--;
}
