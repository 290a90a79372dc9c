/**
 * What has changed in the network of the machine, as the kernel tells those who listen: links, addresses, routes, policy rules and
 * forwarding parameters (rtnetlink(7)), and nftables. To look costs one system call when nothing has; what it is now is for the
 * caller to find out.
 */
import { readFileSync } from 'node:fs';
import {
  NETLINK_HEADER_BYTES,
  attributeText,
  attributeU32,
  parseNetlinkAttributes,
  parseNetlinkHeader,
} from '../wire/netlink.ts';
import { wasOurCommand } from './command.ts';
import {
  E,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  bind,
  check,
  close,
  errno,
  pinned,
  poll,
  read,
  socket,
} from './libc.ts';
import { AF_NETLINK, NETLINK_NETFILTER, NETLINK_ROUTE, SOCK_RAW } from './netlink.ts';

export type ChangeKind = 'link' | 'address' | 'route' | 'rule' | 'sysctl' | 'nftables';

/** A program that changed something. */
export interface Program {
  readonly pid: number;
  /** Undefined when it has ended before anybody asked, or belongs to somebody whose processes this one does not see. */
  readonly name: string | undefined;
}

export interface Changes {
  /** Whether anybody but the commands of this process changed something, or it cannot be known because a notification was lost. */
  readonly hasChanged: boolean;
  /** Who did last, where that can be known: not of what the kernel does by itself. */
  readonly by: ReadonlyMap<ChangeKind, Program>;
}

export interface NetworkChanges extends Disposable {
  /** Why the kernel does not tell: then `take` says each time that something may have changed. */
  readonly problem: Error | undefined;
  /** What has changed since the call before; what changes during the call is told by the next. */
  take(): Changes;
}

/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;
/** RTNLGRP_IPV6_RULE, _IPV4_NETCONF, _IPV6_NETCONF: by number. */
const MORE_GROUPS = (1 << (19 - 1)) | (1 << (24 - 1)) | (1 << (25 - 1));
/** NFNLGRP_NFTABLES. */
const NFTABLES_GROUP = 1 << (7 - 1);
/** By RTM_NEW...; RTM_DEL... is the next. */
const KINDS: Readonly<Record<number, ChangeKind>> = {
  16: 'link',
  20: 'address',
  24: 'route',
  32: 'rule',
  80: 'sysctl',
};
/** NFNL_SUBSYS_NFTABLES and NFT_MSG_NEWGEN: ends each change, and says who made it. */
const NEW_GENERATION = (10 << 8) | 15;
const NFGENMSG_BYTES = 4;
const NFTA_GEN = { PROCESS_ID: 2, PROCESS_NAME: 3 } as const;
/** struct pollfd */
const POLLFD_BYTES = 8;
const NOTHING: Changes = { hasChanged: false, by: new Map() };
const PERHAPS: Changes = { hasChanged: true, by: new Map() };
/** struct sockaddr_nl */
const ADDRESS_BYTES = 12;
/** The header, and all of a new generation; the kernel discards what does not fit. */
const NOTIFICATION_BYTES = 128;
/** What is left then is found at the next look. */
const MOST_AT_ONCE = 1000;

/** Listens from now on, in the network namespace of the process. */
export function watchNetworkChanges(): NetworkChanges {
  try {
    return listen();
  } catch (error) {
    return { problem: error as Error, take: () => PERHAPS, [Symbol.dispose]() {} };
  }
}

function listen(): NetworkChanges {
  using cleanUp = new DisposableStack();
  const sockets = [
    cleanUp.adopt(listenTo(NETLINK_ROUTE, GROUPS | MORE_GROUPS), close),
    cleanUp.adopt(listenTo(NETLINK_NETFILTER, NFTABLES_GROUP), close),
  ];
  const resources = cleanUp.move();
  const notification = pinned(NOTIFICATION_BYTES);
  const waiting = pinned(POLLFD_BYTES * sockets.length);
  const view = new DataView(waiting.buffer);
  sockets.forEach((fd, i) => {
    view.setInt32(i * POLLFD_BYTES, fd, true);
    view.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
  });
  return {
    problem: undefined,
    take() {
      if (poll(waiting, sockets.length, 0) === 0) return NOTHING;
      const by = new Map<ChangeKind, Program>();
      let hasChanged = false;
      for (const fd of sockets) {
        for (let count = 0; count < MOST_AT_ONCE; count++) {
          const bytes = read(fd, notification, NOTIFICATION_BYTES);
          if (bytes < 0 && errno() === E.EAGAIN) break;
          // Any other error is one of a notification that was lost (ENOBUFS), or of a socket that is of no use: look, then.
          const isOurs = bytes >= NETLINK_HEADER_BYTES && noteProgram(notification.subarray(0, bytes), by);
          if (!isOurs) hasChanged = true;
        }
      }
      return { hasChanged, by };
    },
    [Symbol.dispose]: () => resources.dispose(),
  };
}

function listenTo(protocol: number, groups: number): number {
  const what = 'listen to changes of the network';
  const fd = check(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), what);
  const address = pinned(ADDRESS_BYTES);
  const view = new DataView(address.buffer, address.byteOffset);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  try {
    check(bind(fd, address, ADDRESS_BYTES), what);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/** Notes whose change a notification tells; returns whether it was of a command of ours. */
function noteProgram(bytes: Uint8Array, by: Map<ChangeKind, Program>): boolean {
  const { type, portId } = parseNetlinkHeader(bytes)!;
  if (type === NEW_GENERATION) {
    const attributes = parseNetlinkAttributes(bytes, NETLINK_HEADER_BYTES + NFGENMSG_BYTES);
    const value = attributeU32(attributes, NFTA_GEN.PROCESS_ID, 0);
    // In network order.
    const pid = new DataView(Uint32Array.of(value).buffer).getUint32(0, false);
    if (wasOurCommand(pid)) return true;
    const name = attributeText(attributes, NFTA_GEN.PROCESS_NAME);
    by.set('nftables', { pid, name: name === '' ? undefined : name });
    return false;
  }
  if (wasOurCommand(portId)) return true;
  const kind = KINDS[type & ~1];
  // The kernel gives a program's first socket its process id as port; further sockets have numbers that no process has.
  if (kind !== undefined && portId > 0 && portId <= 0x40_0000) {
    by.set(kind, { pid: portId, name: processName(portId) });
  }
  return false;
}

function processName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
