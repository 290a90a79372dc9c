/** The resolver's sockets: for each address one for UDP and one TCP listener. They belong to the main thread. */
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
  connect,
  int32,
  setsockopt,
  socket,
} from '../../os/libc.ts';
import { openListener, sharePorts } from '../../net/listen.ts';
import { type SocketAddress, encodeSocketAddress, formatSocketAddress } from '../../os/socket-address.ts';
import { mappedIpv4 } from '../../wire/ip-address.ts';
import type { UdpSocket } from './messages.ts';

/** Like SO_RCVBUF, but not limited by net.core.rmem_max; needs CAP_NET_ADMIN. */
const SO_RCVBUFFORCE = 33;
/** Queries that arrive while the worker is replaced wait here. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
const TCP_BACKLOG = 128;

let nextId = 0;

/** Opens and binds the UDP socket of an address; `mayOverlap` as in `openListener`. Throws SystemCallError, with nothing left open. */
export function openUdp({ address, port }: SocketAddress, mayOverlap = false): UdpSocket {
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
    if (mayOverlap) sharePorts([fd], true);
    check(bind(fd, name, name.length), attempted);
    if (mayOverlap) sharePorts([fd], false);
    return { id: nextId++, fd, isIpv6, sockaddrBytes: name.length };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Stops a socket from receiving: new datagrams go to other sockets on its port, or are refused. To do so, it is connected to
 * itself, a peer that never sends. Datagrams that it has already received can still be read and answered.
 */
export function stopReceiving(fd: number, { address, port }: SocketAddress): void {
  const peer = encodeSocketAddress({ address, port });
  // A connection to "all addresses" goes to loopback.
  connect(fd, peer, peer.length);
}

export interface TcpListener {
  readonly server: net.Server;
  /** The descriptor of the listening socket; the server closes it. */
  readonly fd: number;
}

/** Listens for TCP on an address; rejects with a SystemCallError when it cannot. */
export async function listenTcp(
  { address, port }: SocketAddress,
  onConnection: (connection: net.Socket) => void,
  mayOverlap = false,
): Promise<TcpListener> {
  const { fd } = openListener({ name: 'dns64', address, port }, false, mayOverlap);
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ fd, backlog: TCP_BACKLOG }, resolve);
  await promise;
  server.off('error', reject);
  return { server, fd };
}
