/**
 * Changes in the machine's network, as the kernel notifies them: links, addresses, routes, policy rules and forwarding
 * parameters (rtnetlink(7)), and nftables. A check costs one system call when nothing has changed. The caller reads the new
 * state itself.
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
  /** Undefined when the program has ended already, or belongs to a user whose processes we cannot see. */
  readonly name: string | undefined;
}

export interface Changes {
  /** Whether a program other than our own commands changed something, or a lost notification leaves that unknown. */
  readonly hasChanged: boolean;
  /** The program that made the last change, if known. Changes by the kernel itself have none. */
  readonly by: ReadonlyMap<ChangeKind, Program>;
}

export interface NetworkChanges extends Disposable {
  /** Why there are no notifications. `take` then always says that something may have changed. */
  readonly problem: Error | undefined;
  /** The changes since the last call. Changes during the call are in the next result. */
  take(): Changes;
}

/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;
/** RTNLGRP_IPV6_RULE, _IPV4_NETCONF, _IPV6_NETCONF: by number. */
const MORE_GROUPS = (1 << (19 - 1)) | (1 << (24 - 1)) | (1 << (25 - 1));
/** NFNLGRP_NFTABLES. */
const NFTABLES_GROUP = 1 << (7 - 1);
/** By RTM_NEW...; RTM_DEL... is the next number. */
const KINDS: Readonly<Record<number, ChangeKind>> = {
  16: 'link',
  20: 'address',
  24: 'route',
  32: 'rule',
  80: 'sysctl',
};
/** NFNL_SUBSYS_NFTABLES and NFT_MSG_NEWGEN: ends each change, and names the program that made it. */
const NEW_GENERATION = (10 << 8) | 15;
const NFGENMSG_BYTES = 4;
const NFTA_GEN = { PROCESS_ID: 2, PROCESS_NAME: 3 } as const;
/** struct pollfd */
const POLLFD_BYTES = 8;
const NOTHING: Changes = { hasChanged: false, by: new Map() };
const PERHAPS: Changes = { hasChanged: true, by: new Map() };
/** struct sockaddr_nl */
const ADDRESS_BYTES = 12;
/** The header, and a whole message about a new generation; the kernel discards what does not fit. */
const NOTIFICATION_BYTES = 128;
/** The rest is read at the next call. */
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
          // Any other error means that a notification was lost (ENOBUFS) or that the socket is broken: assume a change.
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

/** Notes the program that made the change; returns whether it was one of our own commands. */
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
  // The kernel gives a program's first socket its process id as port; further sockets get numbers that no process has.
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
