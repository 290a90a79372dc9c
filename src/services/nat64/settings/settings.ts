/** The settings of the translator, from its configuration and the state of the machine: plain data, cloned to the worker. */
import { type Nat64Prefix, nat64PrefixContains } from '../../../wire/nat64-prefix.ts';
import { isInList4 } from './address-list.ts';
import type { EamTable } from './eam.ts';
import { type PortPool, slotOf } from './pool.ts';
import type { PortBlocks } from './port-blocks.ts';

/** How long sessions live without traffic (RFC 6146 section 4). */
export interface Lifetimes {
  readonly udpSeconds: number;
  readonly tcpEstablishedSeconds: number;
  readonly tcpTransitorySeconds: number;
  readonly icmpSeconds: number;
  /** How long fragments wait for the others of their datagram. */
  readonly fragmentSeconds: number;
}

/** A prefix that represents IPv4 destinations. */
export interface TranslatedPrefix extends Nat64Prefix {
  /** RFC 6052 section 3.1: refuse private IPv4 addresses, as the well-known prefix requires (N34). */
  readonly refusesPrivate: boolean;
}

/** A mapping that always exists. */
export interface StaticEntry {
  /** TRANSPORT */
  readonly protocol: number;
  readonly slot: number;
  readonly port: number;
  /** Four words. */
  readonly host: Int32Array;
  readonly hostPort: number;
}

export interface Settings {
  /** The first of `prefixes`: used for addresses without a session that has another prefix. */
  readonly prefix: TranslatedPrefix;
  readonly prefixes: readonly TranslatedPrefix[];
  /** Position of the first prefix that may represent private addresses, -1 if none may. */
  readonly privatePrefix: number;
  /** IPv4 addresses that are never translated to or from: an address and a mask each. */
  readonly denied4: Int32Array;
  /** Addresses that the kernel delivers to the appliance itself, including broadcast: an address and a mask each. */
  readonly own4: Int32Array;
  /** Stateless mode: IPv4 addresses that hosts have embedded in their own IPv6 addresses (RFC 6052): an address and a mask each. */
  readonly embedded4: Int32Array;
  /** The pool4 addresses by slot, signed; 0 for unused slots. */
  readonly poolAddresses: Int32Array;
  /** By slot: whether the address is the appliance's own. Then packets without a mapping may be for its own programs. */
  readonly isOwnAddress: readonly boolean[];
  /** Empty while the appliance has no address. */
  readonly pools: readonly PortPool[];
  /** The machine currently has none of the addresses of `pools`: existing mappings are kept, no new ones are made (outage.ts). */
  readonly isPoolAway: boolean;
  readonly staticEntries: readonly StaticEntry[];
  /** N43: hosts that have a whole IPv4 address of their own. */
  readonly eam: EamTable;
  /** Stateless mode: no host has sessions. */
  readonly isStateless: boolean;
  /** How a packet between two hosts with IPv4 addresses of their own is handled (RFC 7757 section 4). */
  readonly eamHairpinning: 'none' | 'simple' | 'intrinsic';
  /** N44: source addresses of ICMPv4 errors whose IPv6 source represents no IPv4 address; signed. */
  readonly icmpSources4: Int32Array;
  /** N42: how long a port rests after it was freed. */
  readonly portRestSeconds: number;
  /** RFC 4787 REQ-4 and REQ-5: UDP ports keep their parity, and all ports their class, as far as possible. */
  readonly keepsPortParity: boolean;
  readonly keepsPortClass: boolean;
  /** RFC 7422: each client's ports are computed from its address. */
  readonly portBlocks: PortBlocks | undefined;
  /** N42: the limits for one client. */
  readonly maxMappingsPerClient: number;
  readonly maxSessionsPerClient: number;
  /** Addresses that agree in this many bits are one client. */
  readonly clientPrefixBits: number;
  /** IPv6 sources to translate, as `compileAccessList` returns them. */
  readonly allow: Int32Array;
  /** The source address of the ICMPv6 errors that we send ourselves: four words. */
  readonly ownIpv6: Int32Array;
  readonly mtu4Bytes: number;
  readonly mtu6Bytes: number;
  /** RFC 7915 section 4.1: packets that may be fragmented become IPv6 fragments of at most this size. */
  readonly lowestIpv6MtuBytes: number;
  /** The largest segment size that a TCP SYN may announce; 65535 leaves it unchanged. */
  readonly maxSegmentBytes: number;
  readonly maxSessions: number;
  readonly lifetimes: Lifetimes;
  /** N8: packets from the IPv4 side must come from an address that the host has sent to. */
  readonly isAddressDependent: boolean;
  /** N2: drop UDP packets without a checksum from the IPv4 side, instead of computing one. */
  readonly dropsZeroUdpChecksum: boolean;
  /** The same for the IPv6 side (RFC 6935). */
  readonly dropsZeroUdpChecksum6: boolean;
  /** RFC 7915 section 4.4, N7, N8: answer packets that are refused from the IPv4 side with 3/13. */
  readonly answersRefused4: boolean;
  /** RFC 7915 section 5.4: answer packets that are refused from the IPv6 side. */
  readonly answersRefused6: boolean;
  /** RFC 7915 sections 4.1, 5.1: which bits of TOS and traffic class are copied. */
  readonly copiedClassTo6: number;
  readonly copiedClassTo4: number;
  /** The values of the other bits of the TOS octet, which are not copied. */
  readonly setClassTo4: number;
  /** N11: keep unsolicited SYNs for a while, and then send an error to their sender. */
  readonly storesSyns: boolean;
}

/** The position of the prefix that contains the address at `at`, or -1. */
export function prefixIndexOf(prefixes: readonly TranslatedPrefix[], view: DataView, at: number): number {
  for (let i = 0; i < prefixes.length; i++) if (nat64PrefixContains(prefixes[i], view, at)) return i;
  return -1;
}

/** Whether the IPv4 address is ours: the appliance's own, or in pool4, even if that is only routed here. */
export const isOurs4 = ({ own4, poolAddresses }: Settings, address: number): boolean =>
  slotOf(poolAddresses, address) !== -1 || isInList4(own4, address);
