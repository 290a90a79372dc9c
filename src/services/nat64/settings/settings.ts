/** What the translator is told by its configuration and by the state of the machine: plain data, cloned to the worker. */
import { mappedIpv4 } from '../../../wire/ip-address.ts';
import type { IpPrefix } from '../../../wire/ip-prefix.ts';
import { isNeverRouted } from '../../../wire/ipv4-scope.ts';
import { type Nat64Prefix, nat64PrefixContains } from '../../../wire/nat64-prefix.ts';
import type { EamTable } from './eam.ts';
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

/** Ports and ICMP identifiers of an address that new mappings get, both ends included. */
export interface PortPool {
  readonly slot: number;
  readonly firstPort: number;
  readonly lastPort: number;
  /** Which protocols use them: a bit 1 << TRANSPORT for each. */
  readonly protocols: number;
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
  readonly host: readonly number[];
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

const WORDS_PER_PREFIX = 8;

/** The IPv6 prefixes of a list as words for `isAllowed`: four of address and four of mask each. */
export function compileAccessList(prefixes: readonly IpPrefix[]): Int32Array {
  const ipv6 = prefixes.filter(({ address, prefixBits }) => prefixBits < 96 || !isMapped(address));
  const words = new Int32Array(ipv6.length * WORDS_PER_PREFIX);
  for (const [i, { address, prefixBits }] of ipv6.entries()) {
    const view = new DataView(address.buffer, address.byteOffset, 16);
    for (let word = 0; word < 4; word++) {
      const bits = Math.min(Math.max(prefixBits - word * 32, 0), 32);
      words[i * WORDS_PER_PREFIX + word] = view.getInt32(word * 4);
      words[i * WORDS_PER_PREFIX + 4 + word] = bits === 0 ? 0 : -1 << (32 - bits);
    }
  }
  return words;
}

const isMapped = (address: Uint8Array) =>
  address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;

/** The slot of a pool4 address, or -1. */
export function slotOf(poolAddresses: Int32Array, address: number): number {
  // 0 stands for no address.
  if (address === 0) return -1;
  for (let slot = 0; slot < poolAddresses.length; slot++) if (poolAddresses[slot] === address) return slot;
  return -1;
}

/** Whether new mappings may get this port. */
export function isInPool(
  { pools }: Pick<Settings, 'pools'>,
  slot: number,
  protocol: number,
  port: number,
): boolean {
  for (let i = 0; i < pools.length; i++) {
    const pool = pools[i];
    if (
      pool.slot === slot &&
      port >= pool.firstPort &&
      port <= pool.lastPort &&
      (pool.protocols & (1 << protocol)) !== 0
    )
      return true;
  }
  return false;
}

/** Whether one of the prefixes contains the address; an empty list admits nobody. */
export function isAllowed(
  list: Int32Array,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean {
  for (let i = 0; i < list.length; i += WORDS_PER_PREFIX) {
    const difference =
      ((word0 ^ list[i]) & list[i + 4]) |
      ((word1 ^ list[i + 1]) & list[i + 5]) |
      ((word2 ^ list[i + 2]) & list[i + 6]) |
      ((word3 ^ list[i + 3]) & list[i + 7]);
    if (difference === 0) return true;
  }
  return false;
}

/** The position of the prefix that the 16 bytes at `at` lie in, or -1. */
export function prefixIndexOf(prefixes: readonly TranslatedPrefix[], view: DataView, at: number): number {
  for (let i = 0; i < prefixes.length; i++) if (nat64PrefixContains(prefixes[i], view, at)) return i;
  return -1;
}

/** IPv4 prefixes, as `parseIpPrefix` gives them, for `isInList4`. */
export const compileList4 = (prefixes: readonly IpPrefix[]): Int32Array =>
  Int32Array.from(
    prefixes.flatMap(({ address, prefixBits }) => [
      new DataView(address.buffer, address.byteOffset, 16).getInt32(12),
      prefixBits <= 96 ? 0 : -1 << (128 - prefixBits),
    ]),
  );

/** The same of what the kernel delivers to the appliance itself (`readOwn`): its IPv4 addresses that are routed at all. */
export const compileOwn4 = (own: readonly IpPrefix[]): Int32Array =>
  compileList4(
    own.filter(({ address }) => {
      const ipv4 = mappedIpv4(address);
      return ipv4 !== undefined && !isNeverRouted(ipv4);
    }),
  );

/** Whether one of the prefixes contains the IPv4 address. */
export function isInList4(list4: Int32Array, address: number): boolean {
  for (let i = 0; i < list4.length; i += 2) if (((address ^ list4[i]) & list4[i + 1]) === 0) return true;
  return false;
}

/** Whether the IPv4 address is the appliance's: its own, or of pool4, whether it has that itself or it is routed here. */
export const isOurs4 = ({ own4, poolAddresses }: Settings, address: number): boolean =>
  slotOf(poolAddresses, address) !== -1 || isInList4(own4, address);
