/**
 * Connections that come from an address which no interface has. Its packets reach this machine through a local route
 * (`ip -6 route add local PREFIX dev lo`); no capability and no kernel parameter is needed.
 */
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_FREEBIND,
  IP_BIND_ADDRESS_NO_PORT,
  bind,
  int32,
  setsockopt,
} from './libc.ts';

const ON = int32(1);

/**
 * Binds an IPv6 socket to a source address (sockaddr_in6, port 0) before connect(2). connect(2) chooses the port. So ports are only
 * limited for each pair of source and server, not for all connections together. False: `errno()` says why.
 */
export const bindSource = (fd: number, source: Uint8Array): boolean =>
  setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, ON, 4) === 0 &&
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ON, 4) === 0 &&
  bind(fd, source, source.length) === 0;
