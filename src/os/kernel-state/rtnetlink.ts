/** Links, routes and policy rules as rtnetlink(7) lists them. Layouts: linux/rtnetlink.h, if_link.h, fib_rules.h. */
import {
  NLM_F_DUMP,
  attributeText,
  attributeU32,
  buildNetlinkAttribute,
  netlinkU32,
  parseNetlinkAttributes,
} from '../../wire/netlink.ts';
import type { NetlinkSocket } from '../netlink.ts';
import { AF_INET, AF_INET6, E, SystemCallError } from '../libc.ts';
import { formatIpPrefix } from '../../wire/ip-prefix.ts';
import {
  BLACKHOLE,
  type FoundLink,
  type FoundRule,
  LOCAL_PROTOCOL,
  TABLE,
  localOver,
  routeKey,
} from './items.ts';

const RTM_GETLINK = 18;
const RTM_GETROUTE = 26;
const RTM_GETRULE = 34;
/** struct ifinfomsg: index at 4, flags at 8. */
const LINK_BYTES = 16;
const IFF_UP = 1;
const IFLA = { NAME: 3, MTU: 4, TXQLEN: 13, EXT_MASK: 29 } as const;
const RTEXT_FILTER_SKIP_STATS = 8;
/** struct rtmsg: family at 0, prefix length at 1, table at 4, protocol at 5, type at 7. */
const ROUTE_BYTES = 12;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const RTN_BLACKHOLE = 6;
const RTA = { DST: 1, OIF: 4, TABLE: 15 } as const;
/** struct fib_rule_hdr: family at 0, table at 4, action at 7, flags at 8. */
const RULE_BYTES = 12;
const FR_ACT_TO_TBL = 1;
const FIB_RULE_INVERT = 2;
const FRA = { PRIORITY: 6, FWMARK: 10, SUPPRESS_PREFIXLEN: 14, TABLE: 15, FWMASK: 16 } as const;
/** FRA_DST, SRC, IIFNAME, FLOW, TUN_ID, SUPPRESS_IFGROUP, OIFNAME, L3MDEV, UID_RANGE, IP_PROTO, SPORT_RANGE, DPORT_RANGE, DSCP, FLOWLABEL. */
const FRA_SELECTORS = [1, 2, 3, 11, 12, 17, 19, 20, 22, 23, 24, 25, 26];
const NO_SUPPRESSION = 0xffff_ffff;

const FAMILY = { 4: AF_INET, 6: AF_INET6 } as const;

const uint32At = (bytes: Uint8Array, offset: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);

/** All links by index. */
export function readLinks(socket: NetlinkSocket): Map<number, FoundLink> {
  const parts = [
    new Uint8Array(LINK_BYTES),
    buildNetlinkAttribute(IFLA.EXT_MASK, netlinkU32(RTEXT_FILTER_SKIP_STATS)),
  ];
  const links = new Map<number, FoundLink>();
  for (const { body } of socket.ask('list the links', RTM_GETLINK, NLM_F_DUMP, parts)) {
    if (body.length < LINK_BYTES) continue;
    const attributes = parseNetlinkAttributes(body, LINK_BYTES);
    links.set(uint32At(body, 4), {
      name: attributeText(attributes, IFLA.NAME),
      isUp: (uint32At(body, 8) & IFF_UP) !== 0,
      mtuBytes: attributeU32(attributes, IFLA.MTU, 0),
      txQueuePackets: attributeU32(attributes, IFLA.TXQLEN, 0),
    });
  }
  return links;
}

/** The unicast and local routes of both families, in all tables, over one device. */
export function readRoutes(socket: NetlinkSocket, deviceIndex: number, device: string): string[] {
  return ([4, 6] as const).flatMap((family) =>
    listRoutes(socket, family, RTA.OIF, deviceIndex)
      .filter(({ type, oif }) => (type === RTN_UNICAST || type === RTN_LOCAL) && oif === deviceIndex)
      .map(({ type, address, prefixBits, table }) =>
        routeKey(address, prefixBits, table, type === RTN_LOCAL ? localOver(device) : device),
      ),
  );
}

/** The prefixes of the local IPv6 routes that we have made, or a process of ours before us. */
export const readOwnLocalRoutes = (socket: NetlinkSocket): string[] =>
  listRoutes(socket, 6, RTA.TABLE, TABLE.local)
    .filter(
      ({ type, table, protocol }) =>
        type === RTN_LOCAL && table === TABLE.local && protocol === LOCAL_PROTOCOL,
    )
    .map(({ address, prefixBits }) => formatIpPrefix({ address, prefixBits }));

/** The blackhole routes of a table. */
export function readBlackholes(socket: NetlinkSocket, family: 4 | 6, table: number): string[] {
  try {
    return listRoutes(socket, family, RTA.TABLE, table)
      .filter((route) => route.type === RTN_BLACKHOLE && route.table === table)
      .map(({ address, prefixBits }) => routeKey(address, prefixBits, table, BLACKHOLE));
  } catch (error) {
    // A table without routes does not exist.
    if (error instanceof SystemCallError && error.errno === E.ENOENT) return [];
    throw error;
  }
}

/** `filter`: an attribute that the routes must have; an older kernel lists all. */
function listRoutes(socket: NetlinkSocket, family: 4 | 6, filter: number, value: number) {
  const header = new Uint8Array(ROUTE_BYTES);
  header[0] = FAMILY[family];
  const parts = [header, buildNetlinkAttribute(filter, netlinkU32(value))];
  return socket
    .ask('list the routes', RTM_GETROUTE, NLM_F_DUMP, parts)
    .filter(({ body }) => body.length >= ROUTE_BYTES)
    .map(({ body }) => {
      const attributes = parseNetlinkAttributes(body, ROUTE_BYTES);
      // IPv4 in its mapped form.
      const offset = family === 4 ? 12 : 0;
      const address = new Uint8Array(16);
      if (family === 4) address.fill(255, 10, 12);
      address.set((attributes.get(RTA.DST) ?? new Uint8Array()).subarray(0, 16 - offset), offset);
      return {
        protocol: body[5],
        type: body[7],
        address,
        prefixBits: body[1] + offset * 8,
        table: attributeU32(attributes, RTA.TABLE, body[4]),
        oif: attributeU32(attributes, RTA.OIF, 0),
      };
    });
}

/** The policy rules of both families. */
export function readRules(socket: NetlinkSocket): FoundRule[] {
  return ([4, 6] as const).flatMap((family) => {
    const header = new Uint8Array(RULE_BYTES);
    header[0] = FAMILY[family];
    return socket
      .ask('list the policy rules', RTM_GETRULE, NLM_F_DUMP, [header])
      .filter(({ body }) => body.length >= RULE_BYTES)
      .map(({ body }) => parseRule(family, body));
  });
}

function parseRule(family: 4 | 6, body: Uint8Array): FoundRule {
  const attributes = parseNetlinkAttributes(body, RULE_BYTES);
  return {
    family,
    preference: attributeU32(attributes, FRA.PRIORITY, 0),
    table: attributeU32(attributes, FRA.TABLE, body[4]),
    mark: attributeU32(attributes, FRA.FWMARK, 0),
    mask: attributeU32(attributes, FRA.FWMASK, 0),
    isPlain:
      body[7] === FR_ACT_TO_TBL &&
      (uint32At(body, 8) & FIB_RULE_INVERT) === 0 &&
      attributeU32(attributes, FRA.SUPPRESS_PREFIXLEN, NO_SUPPRESSION) === NO_SUPPRESSION &&
      !FRA_SELECTORS.some((type) => attributes.has(type)),
  };
}
