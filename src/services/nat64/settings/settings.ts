/** What the translator is told by its configuration and by the state of the machine: plain data, cloned to the worker. */
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
  /** How long fragments wait for others of their datagram. */
  readonly fragmentSeconds: number;
}

/** A prefix that IPv4 destinations have. */
export interface TranslatedPrefix extends Nat64Prefix {
  /** RFC 6052 section 3.1: refuse private IPv4 addresses, as the well-known prefix demands (N34). */
  readonly refusesPrivate: boolean;
}

/** A mapping that is always there. */
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
  /** The first of `prefixes`: of addresses that no session gives another. */
  readonly prefix: TranslatedPrefix;
  readonly prefixes: readonly TranslatedPrefix[];
  /** Position of the first of them that may stand for private addresses, -1 when none may. */
  readonly privatePrefix: number;
  /** IPv4 addresses that nothing is translated to or from: an address and a mask each. */
  readonly denied4: Int32Array;
  /** Addresses that the kernel delivers to the appliance itself, broadcast too: an address and a mask each. */
  readonly own4: Int32Array;
  /** Stateless mode: what hosts have inside their own IPv6 addresses (RFC 6052): an address and a mask each. */
  readonly embedded4: Int32Array;
  /** The pool4 addresses by slot, signed; 0 where a slot is not in use. */
  readonly poolAddresses: Int32Array;
  /** Which of them are the appliance's own: packets of no mapping may be for its own programs. */
  readonly isOwnAddress: readonly boolean[];
  /** Empty while the appliance has no address. */
  readonly pools: readonly PortPool[];
  /** The machine has none of the addresses of `pools` at the moment: mappings are kept, none is made (outage.ts). */
  readonly isPoolAway: boolean;
  readonly staticEntries: readonly StaticEntry[];
  /** N43: hosts that have a whole IPv4 address. */
  readonly eam: EamTable;
  /** Stateless mode: no host has sessions. */
  readonly isStateless: boolean;
  /** What becomes of a packet between two hosts that have IPv4 addresses of their own (RFC 7757 section 4). */
  readonly eamHairpinning: 'none' | 'simple' | 'intrinsic';
  /** N44: sources of ICMPv4 errors from IPv6 addresses that stand for none; signed. */
  readonly icmpSources4: Int32Array;
  /** N42: a port that has been given back rests so long. */
  readonly portRestSeconds: number;
  /** RFC 4787 REQ-4 and REQ-5: UDP ports keep their parity, all ports their class, while that is possible. */
  readonly keepsPortParity: boolean;
  readonly keepsPortClass: boolean;
  /** RFC 7422: each client's ports are computed from its address. */
  readonly portBlocks: PortBlocks | undefined;
  /** N42: what one client may have. */
  readonly maxMappingsPerClient: number;
  readonly maxSessionsPerClient: number;
  /** What is one client: all addresses that agree in so many bits. */
  readonly clientPrefixBits: number;
  /** IPv6 sources to translate, as `compileAccessList` makes it. */
  readonly allow: Int32Array;
  /** Source of the ICMPv6 errors that we send ourselves: four words. */
  readonly ownIpv6: Int32Array;
  readonly mtu4Bytes: number;
  readonly mtu6Bytes: number;
  /** RFC 7915 section 4.1: packets that may be fragmented become IPv6 fragments of at most this size. */
  readonly lowestIpv6MtuBytes: number;
  /** The most that a TCP SYN may announce as its segment size; 65535 leaves it alone. */
  readonly maxSegmentBytes: number;
  readonly maxSessions: number;
  readonly lifetimes: Lifetimes;
  /** N8: what comes from the IPv4 side must come from an address that the host has sent to. */
  readonly isAddressDependent: boolean;
  /** N2: drop UDP packets from the IPv4 side that have no checksum, instead of computing one. */
  readonly dropsZeroUdpChecksum: boolean;
  /** The same of the IPv6 side (RFC 6935). */
  readonly dropsZeroUdpChecksum6: boolean;
  /** RFC 7915 section 4.4, N7, N8: answer 3/13 to what is refused from the IPv4 side. */
  readonly tellsRefused4: boolean;
  /** RFC 7915 section 5.4: answer what is refused from the IPv6 side. */
  readonly tellsRefused6: boolean;
  /** RFC 7915 sections 4.1, 5.1: which bits of TOS and traffic class are copied ... */
  readonly copiedClassTo6: number;
  readonly copiedClassTo4: number;
  /** ... and what the TOS octet has in place of the others. */
  readonly setClassTo4: number;
  /** N11: keep unsolicited SYNs for a while, then tell their sender. */
  readonly storesSyns: boolean;
}

/** The position of the prefix that the 16 bytes at `at` lie in, or -1. */
export function prefixIndexOf(prefixes: readonly TranslatedPrefix[], view: DataView, at: number): number {
  for (let i = 0; i < prefixes.length; i++) if (nat64PrefixContains(prefixes[i], view, at)) return i;
  return -1;
}

/** Whether the IPv4 address is the appliance's: its own, or of pool4, whether it has that itself or it is routed here. */
export const isOurs4 = ({ own4, poolAddresses }: Settings, address: number): boolean =>
  slotOf(poolAddresses, address) !== -1 || isInList4(own4, address);
