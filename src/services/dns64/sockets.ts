/** The resolver's sockets: one for UDP and one listener for TCP on each address. Their owner is the main thread. */
import net from 'node:net';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  IP_PKTINFO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_RCVBUF,
  bind,
  check,
  close,
  int32,
  setsockopt,
  socket,
} from '../../os/libc.ts';
import { encodeSocketAddress, formatSocketAddress } from '../../os/socket-address.ts';
import { mappedIpv4, parseIpAddress } from '../../wire/ip-address.ts';
import type { UdpSocket } from './messages.ts';

/** Like SO_RCVBUF, but not bound by net.core.rmem_max; needs CAP_NET_ADMIN. */
const SO_RCVBUFFORCE = 33;
/** Queries that arrive while the worker is replaced wait here. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
const TCP_BACKLOG = 128;

let nextId = 0;

/** Opens and binds the UDP socket of an address (validated by the schema). Throws SystemCallError, with nothing left open. */
export function openUdp(addressText: string, port: number): UdpSocket {
  const address = parseIpAddress(addressText);
  if (address === undefined) throw new Error(`openUdp: "${addressText}" is no IP address`);
  const isIpv6 = mappedIpv4(address) === undefined;
  const attempted = `dns64: open UDP ${formatSocketAddress({ address, port })}`;
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = check(socket(isIpv6 ? AF_INET6 : AF_INET, type, 0), attempted);
  const setOption = (level: number, option: number, value: number) =>
    setsockopt(fd, level, option, int32(value), 4);
  try {
    if (isIpv6) {
      check(setOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), attempted);
      check(setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), attempted);
    } else {
      check(setOption(IPPROTO_IP, IP_PKTINFO, 1), attempted);
    }
    if (setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
      setOption(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    const name = encodeSocketAddress({ address, port });
    check(bind(fd, name, name.length), attempted);
    return { id: nextId++, fd, isIpv6, sockaddrBytes: name.length };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Listens for TCP on an address; rejects with Node's own error when it cannot. */
export async function listenTcp(
  address: string,
  port: number,
  onConnection: (connection: net.Socket) => void,
): Promise<net.Server> {
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: address, port, ipv6Only: true, backlog: TCP_BACKLOG }, resolve);
  await promise;
  server.off('error', reject);
  return server;
}
