/** What the kernel would do with a packet to an address. Finds out by connecting a UDP socket, which sends nothing. */
import { formatIpAddress } from '../wire/ip-address.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  close,
  connect,
  errno,
  errnoName,
  getsockname,
  getsockopt,
  pinned,
  socket,
} from './libc.ts';
import { SOCKADDR_BYTES, decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

const IP_MTU = 14;
const IPV6_MTU = 24;
/** Any port will do: the route does not depend on it. */
const PORT = 9;

export interface NetworkPath {
  /** The own address that packets to it would have as their source. */
  readonly source: string;
  /** The smallest MTU on the path that the kernel knows: the link's, or one learned from "packet too big". */
  readonly mtuBytes: number;
}

/** The path to an address (16 bytes, IPv4 in its mapped form), or why there is none: "ENETUNREACH", ... */
export function pathTo(address: Uint8Array): NetworkPath | { readonly problem: string } {
  const target = encodeSocketAddress({ address, port: PORT });
  const isIpv4 = target.length === 16;
  const fd = socket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return { problem: errnoName(errno()) };
  try {
    if (connect(fd, target, target.length) < 0) return { problem: errnoName(errno()) };
    const source = pinned(SOCKADDR_BYTES);
    const length = pinned(4);
    length[0] = SOCKADDR_BYTES;
    if (getsockname(fd, source, length) < 0) return { problem: errnoName(errno()) };
    const mtu = pinned(4);
    length[0] = 4;
    const [level, option] = isIpv4 ? [IPPROTO_IP, IP_MTU] : [IPPROTO_IPV6, IPV6_MTU];
    if (getsockopt(fd, level, option, mtu, length) < 0) return { problem: errnoName(errno()) };
    return {
      source: formatIpAddress(decodeSocketAddress(source).address),
      mtuBytes: new DataView(mtu.buffer).getInt32(0, true),
    };
  } finally {
    close(fd);
  }
}
