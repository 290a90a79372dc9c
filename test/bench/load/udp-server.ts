/**
 * `udp-server.ts ECHO_PORT SINK_PORT`: sends the datagrams of one port back, and never reads those of the other (the kernel
 * counts them: see `arrivedDatagrams`). Both families.
 */
import { createSocket } from 'node:dgram';
import { AF_INET6, SOCK_CLOEXEC, SOCK_DGRAM, bind, check, socket } from '../../../src/os/libc.ts';
import { socketAddress } from './sockets.ts';

const [echoPort, sinkPort] = process.argv.slice(2).map(Number);

const { bytes } = socketAddress('::', sinkPort);
check(
  bind(check(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket'), bytes, bytes.length),
  `bind port ${sinkPort}`,
);

const echo = createSocket('udp6');
echo.on('message', (message, { address, port }) => echo.send(message, port, address));
echo.bind(echoPort, () => console.log('ready'));
