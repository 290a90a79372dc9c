/**
 * The kernel's table "local": every address that it delivers to this machine, whatever the state of its link. getifaddrs, and
 * so `networkInterfaces()`, leave out addresses of a link without carrier. rtnetlink(7), RTM_GETROUTE.
 */
import {
  AF_INET,
  AF_INET6,
  SOCK_CLOEXEC,
  bind,
  check,
  close,
  int32,
  pinned,
  read,
  sendto,
  setsockopt,
  socket,
} from './libc.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const SOCKADDR_NL_BYTES = 12;
const SOL_NETLINK = 270;
/** Since Linux 4.20 the kernel sends only the requested table. Older kernels send all, so we filter as well. */
const NETLINK_GET_STRICT_CHK = 12;
/** struct nlmsghdr { u32 length, u16 type, u16 flags, u32 sequence, u32 port } */
const NLMSG_BYTES = 16;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
/** The table changed while it was sent. */
const NLM_F_DUMP_INTR = 0x10;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
/** struct rtmsg { u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags } */
const RTMSG_BYTES = 12;
const RT_TABLE_LOCAL = 255;
const RTA_DST = 1;
/** Types of routes: to this machine, to every host on the link, to the nearest of several. */
const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_ANYCAST = 4;
/** More than the kernel puts into one message of a dump. */
const RECEIVE_BYTES = 64 * 1024;
const MOST_ATTEMPTS = 5;

export interface RouteDump {
  /** 16 bytes each, IPv4 in its mapped form. */
  readonly prefixes: readonly IpPrefix[];
  /** Nothing follows: the end of the dump, or an error. */
  readonly isLast: boolean;
  readonly isInterrupted: boolean;
}

/** The local, broadcast and anycast routes of table "local" in the bytes of one read(2) of a dump. Pure. */
export function parseLocalRoutes(bytes: Uint8Array): RouteDump {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const prefixes: IpPrefix[] = [];
  let isInterrupted = false;
  for (let at = 0; at + NLMSG_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (length < NLMSG_BYTES || at + length > bytes.length) return { prefixes, isLast: true, isInterrupted };
    if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) isInterrupted = true;
    if (type === NLMSG_DONE || type === NLMSG_ERROR) return { prefixes, isLast: true, isInterrupted };
    if (type === RTM_NEWROUTE) {
      const prefix = localPrefix(bytes.subarray(at + NLMSG_BYTES, at + length));
      if (prefix !== undefined) prefixes.push(prefix);
    }
    at += (length + 3) & ~3;
  }
  return { prefixes, isLast: false, isInterrupted };
}

/** The destination of a route (rtmsg and its attributes), if it leads to this machine. */
function localPrefix(route: Uint8Array): IpPrefix | undefined {
  if (route.length < RTMSG_BYTES) return undefined;
  const [family, destinationBits, , , table, , , type] = route;
  if (table !== RT_TABLE_LOCAL) return undefined;
  if (type !== RTN_LOCAL && type !== RTN_BROADCAST && type !== RTN_ANYCAST) return undefined;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const addressBytes = family === AF_INET ? 4 : 16;
  const address = new Uint8Array(16);
  if (family === AF_INET) address[10] = address[11] = 255;
  const view = new DataView(route.buffer, route.byteOffset, route.length);
  // struct rtattr { u16 length, u16 type }, aligned to 4 bytes. Without RTA_DST the prefix is empty.
  for (let at = RTMSG_BYTES; at + 4 <= route.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > route.length) return undefined;
    if (view.getUint16(at + 2, true) === RTA_DST) {
      if (length !== 4 + addressBytes) return undefined;
      address.set(route.subarray(at + 4, at + length), 16 - addressBytes);
    }
    at += (length + 3) & ~3;
  }
  const prefixBits = destinationBits + 128 - addressBytes * 8;
  return prefixBits > 128 ? undefined : { address, prefixBits };
}

/**
 * What the kernel delivers to this machine in the network namespace of the process: own addresses of both families,
 * broadcast and anycast addresses. Throws SystemCallError when the kernel cannot be asked.
 */
export function localRoutes(): IpPrefix[] {
  const what = 'ask for the local routes';
  const fd = check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), what);
  try {
    const kernel = pinned(SOCKADDR_NL_BYTES);
    new DataView(kernel.buffer).setUint16(0, AF_NETLINK, true);
    check(bind(fd, kernel, SOCKADDR_NL_BYTES), what);
    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(1), 4);
    return [AF_INET, AF_INET6].flatMap((family) => dumpLocal(fd, kernel, family, what));
  } finally {
    close(fd);
  }
}

function dumpLocal(fd: number, kernel: Uint8Array, family: number, what: string): IpPrefix[] {
  const request = pinned(NLMSG_BYTES + RTMSG_BYTES);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, RTM_GETROUTE, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  request[NLMSG_BYTES] = family;
  request[NLMSG_BYTES + 4] = RT_TABLE_LOCAL;
  const received = pinned(RECEIVE_BYTES);
  for (let attempt = 1; ; attempt++) {
    check(sendto(fd, request, request.length, 0, kernel, SOCKADDR_NL_BYTES), what);
    const found: IpPrefix[] = [];
    let wasInterrupted = false;
    for (;;) {
      const length = check(read(fd, received, RECEIVE_BYTES), what);
      const { prefixes, isLast, isInterrupted } = parseLocalRoutes(received.subarray(0, length));
      found.push(...prefixes);
      wasInterrupted ||= isInterrupted;
      if (isLast || length === 0) break;
    }
    // After this many changes in a row, the next notification brings what is still missing.
    if (!wasInterrupted || attempt === MOST_ATTEMPTS) return found;
  }
}
