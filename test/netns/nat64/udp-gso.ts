/**
 * Sends COUNT datagrams of SIZE bytes each with one system call (UDP_SEGMENT): `node udp-gso.ts ADDRESS PORT SIZE COUNT`. Each
 * begins with its number. Prints how many came back with the correct size.
 */
import { createSocket } from 'node:dgram';
import {
  AF_INET6,
  SOCK_DGRAM,
  bind,
  check,
  getsockname,
  int32,
  pinned,
  sendto,
  setsockopt,
  socket,
} from '../../../src/os/libc.ts';
import { parseIpv6 } from '../../../src/wire/ip-address.ts';

const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** struct sockaddr_in6 */
const ADDRESS_BYTES = 28;
const WAIT_MS = 3000;

const [addressText, portText, sizeText, countText] = process.argv.slice(2);
const [size, count] = [Number(sizeText), Number(countText)];

function sockaddr(address: Uint8Array, port: number): Uint8Array {
  const bytes = pinned(ADDRESS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(address, 8);
  return bytes;
}

const fd = check(socket(AF_INET6, SOCK_DGRAM, 0), 'socket');
check(setsockopt(fd, SOL_UDP, UDP_SEGMENT, int32(size), 4), 'UDP_SEGMENT');
check(bind(fd, sockaddr(new Uint8Array(16), 0), ADDRESS_BYTES), 'bind');
const own = pinned(ADDRESS_BYTES);
check(getsockname(fd, own, int32(ADDRESS_BYTES)), 'getsockname');

const data = pinned(size * count);
for (let i = 0; i < count; i++) data.fill(i, i * size, (i + 1) * size);
const to = sockaddr(parseIpv6(addressText) as Uint8Array, Number(portText));
check(sendto(fd, data, data.length, 0, to, ADDRESS_BYTES), 'send');

// Node receives: it reads from the same descriptor.
const receiver = createSocket({ type: 'udp6', reuseAddr: true });
const seen = new Set<number>();
const finish = () => {
  console.log(`${seen.size} of ${count}`);
  process.exit();
};
receiver.on('message', (message) => {
  if (message.length === size && message.every((byte) => byte === message[0])) seen.add(message[0]);
  if (seen.size === count) finish();
});
receiver.bind({ fd } as never);
setTimeout(finish, WAIT_MS);
