import assert from 'node:assert/strict';
import { english } from '../../../src/texts/text.ts';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parseNeighbours } from '../../../src/os/neighbours.ts';
import {
  listeningSockets,
  parseIpv4DefaultRoutes,
  parseIpv6DefaultRoutes,
  parseListeningSockets,
  parseLocalEnds,
} from '../../../src/os/proc-net.ts';
import { ownSocketInodes, socketOwner } from '../../../src/os/socket-owner.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';

const ROUTE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	FE0200C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
eth0	00000000	010200C0	0002	0	0	0	00000000	0	0	0
`;

test('IPv4 default routes: up, through a gateway, the lowest metric first', () => {
  assert.deepEqual(parseIpv4DefaultRoutes(ROUTE), [
    { address: '192.0.2.1', interface: 'eth0', metric: 100 },
    { address: '192.0.2.254', interface: 'wlan0', metric: 600 },
  ]);
  assert.deepEqual(parseIpv4DefaultRoutes(''), []);
});

const zero = '0'.repeat(32);
const ROUTE6 = `20010db8000100000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 fe80000000000000000000000000000a 00000400 00000003 00000000 00450003     eth0
${zero} 00 ${zero} 00 fe80000000000000000000000000000b 00000258 00000003 00000000 00000003    wlan0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;

test('IPv6 default routes: the entry of a kernel without any leads to lo and does not count', () => {
  assert.deepEqual(parseIpv6DefaultRoutes(ROUTE6), [
    { address: 'fe80::b', interface: 'wlan0', metric: 600 },
    { address: 'fe80::a', interface: 'eth0', metric: 1024 },
  ]);
});

const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711 1 0000000000000000 100 0 0 10 0
   1: B80D0120000001000000000010000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
   2: B80D0120000001000000000010000000:0050 B80D0120000001000000000020000000:D431 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`;

test('listening sockets: address, port, user and inode; connections do not count', () => {
  const found = parseListeningSockets(TCP6, 'tcp', true).map((socket) => ({
    ...socket,
    address: formatIpAddress(socket.address),
  }));
  const common = { protocol: 'tcp', isIpv6: true };
  assert.deepEqual(found, [
    { ...common, address: '::', port: 443, userId: 33, inode: 4711 },
    { ...common, address: '2001:db8:1::10', port: 80, userId: 0, inode: 4712 },
  ]);
  const [ipv4] = parseListeningSockets(
    'headings\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 99 1',
    'tcp',
    false,
  );
  assert.equal(formatIpAddress(ipv4.address), '127.0.0.1');
  assert.equal(ipv4.port, 8080);
});

test('local ends of connections: neither listening sockets nor those in TIME-WAIT', () => {
  const ended = TCP6.split('\n')[3].replace(' 01 ', ' 06 ');
  assert.deepEqual(parseLocalEnds(`${TCP6}${ended}\n`).map(formatIpAddress), ['2001:db8:1::10']);
});

test('the sockets of this process are found, known as its own, and named', async (t) => {
  const server = createServer().listen(0, '::1');
  await once(server, 'listening');
  t.after(() => server.close());
  const datagrams = createSocket('udp4').bind(0, '127.0.0.1');
  await once(datagrams, 'listening');
  t.after(() => datagrams.close());
  const tcpPort = (server.address() as { port: number }).port;
  const udpPort = datagrams.address().port;

  const sockets = listeningSockets();
  const tcp = sockets.find(({ protocol, port }) => protocol === 'tcp' && port === tcpPort);
  const udp = sockets.find(({ protocol, port }) => protocol === 'udp' && port === udpPort);
  assert.ok(tcp !== undefined && udp !== undefined);
  assert.equal(formatIpAddress(tcp.address), '::1');
  assert.equal(formatIpAddress(udp.address), '127.0.0.1');
  const own = ownSocketInodes();
  assert.ok(own.has(tcp.inode) && own.has(udp.inode));
  assert.match(english(await socketOwner(tcp)), new RegExp(`\\(process ${process.pid}\\)$`));
  assert.equal(english(await socketOwner({ inode: 0, userId: 0 })), 'a program of user root');
  assert.equal(english(await socketOwner({ inode: 0, userId: 4_000_000 })), 'a program of user 4000000');
});

test('neighbours in the format of `ip`', () => {
  const json = JSON.stringify([
    { dst: '2001:db8:1::10', dev: 'lan', lladdr: '02:00:00:00:00:10', state: ['REACHABLE'] },
    { dst: 'fe80::1', dev: 'lan', lladdr: '02:00:00:00:00:01', router: null, state: ['STALE'] },
    { dst: '2001:db8:1::99', dev: 'lan', state: ['FAILED'] },
  ]);
  assert.deepEqual(parseNeighbours(json), [
    {
      address: '2001:db8:1::10',
      interface: 'lan',
      mac: '02:00:00:00:00:10',
      isRouter: false,
      states: ['REACHABLE'],
    },
    { address: 'fe80::1', interface: 'lan', mac: '02:00:00:00:00:01', isRouter: true, states: ['STALE'] },
    { address: '2001:db8:1::99', interface: 'lan', mac: undefined, isRouter: false, states: ['FAILED'] },
  ]);
  assert.deepEqual(parseNeighbours('\n'), []);
});
