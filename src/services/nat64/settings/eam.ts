/**
 * Stateless address mapping: the explicit address mapping table (RFC 7757), and in stateless mode RFC 6052 for hosts whose
 * own address stands for an IPv4 address. Such hosts have a whole IPv4 address, and no BIB entry.
 */
import type { IpPrefix } from '../../../wire/ip-prefix.ts';
import { extractIpv4FromWords, writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import type { Packet } from '../packet/packet.ts';
import { type Settings, isInList4 } from './settings.ts';

/** One mapping; suffixes are what lies behind the prefixes, and that of IPv6 is no shorter (RFC 7757 section 3.2). */
export interface EamEntry {
  readonly bits4: number;
  readonly ipv4: number;
  readonly mask4: number;
  readonly bits6: number;
  /** Four words each. */
  readonly ipv6: readonly number[];
  readonly mask6: readonly number[];
  /** The node is on the IPv4 side, and the IPv6 address is how it is seen from there; else it is a host of ours. */
  readonly isOnIpv4Side: boolean;
}

/** The table in both orders of search: longest prefix first. */
export interface EamTable {
  readonly by4: readonly EamEntry[];
  readonly by6: readonly EamEntry[];
}

const maskOf = (bits: number): number => (bits <= 0 ? 0 : -1 << (32 - Math.min(bits, 32)));

/** Prefixes as `parseIpPrefix` gives them. */
export function compileEam(
  mappings: readonly { ipv4: IpPrefix; ipv6: IpPrefix; isOnIpv4Side?: boolean }[],
): EamTable {
  const entries = mappings.map(({ ipv4, ipv6, isOnIpv4Side = false }): EamEntry => {
    const view4 = new DataView(ipv4.address.buffer, ipv4.address.byteOffset, 16);
    const view6 = new DataView(ipv6.address.buffer, ipv6.address.byteOffset, 16);
    const bits4 = ipv4.prefixBits - 96;
    const bits6 = ipv6.prefixBits;
    return {
      bits4,
      ipv4: view4.getInt32(12),
      mask4: maskOf(bits4),
      bits6,
      ipv6: [0, 4, 8, 12].map((at) => view6.getInt32(at)),
      mask6: [0, 32, 64, 96].map((before) => maskOf(bits6 - before)),
      isOnIpv4Side,
    };
  });
  return {
    by4: [...entries].sort((a, b) => b.bits4 - a.bits4),
    by6: [...entries].sort((a, b) => b.bits6 - a.bits6),
  };
}

/** The entry with the longest prefix that an IPv4 address lies in (RFC 7757 section 3.3.1). */
export function findEam4({ by4 }: EamTable, address: number): EamEntry | undefined {
  for (let i = 0; i < by4.length; i++) if (((address ^ by4[i].ipv4) & by4[i].mask4) === 0) return by4[i];
  return undefined;
}

function findEam6(
  { by6 }: EamTable,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): EamEntry | undefined {
  for (let i = 0; i < by6.length; i++) {
    const { ipv6, mask6 } = by6[i];
    const difference =
      ((word0 ^ ipv6[0]) & mask6[0]) |
      ((word1 ^ ipv6[1]) & mask6[1]) |
      ((word2 ^ ipv6[2]) & mask6[2]) |
      ((word3 ^ ipv6[3]) & mask6[3]);
    if (difference === 0) return by6[i];
  }
  return undefined;
}

/** The 32 bits of an address from bit `from` on; what lies behind its end is 0. */
export function bitsFrom(words: readonly number[], from: number): number {
  const word = from >> 5;
  const shift = from & 31;
  const high = word < 4 ? words[word] : 0;
  const low = word < 3 ? words[word + 1] : 0;
  return shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
}

/** IPv6 prefix, IPv4 suffix, zeros (RFC 7757 section 3.3.1). */
export function eamIpv6({ ipv6, bits4, bits6, mask4 }: EamEntry, address: number): number[] {
  const suffix = bits4 === 32 ? 0 : (address & ~mask4) << bits4;
  return ipv6.map((word, i) => {
    const from = i * 32 - bits6;
    if (from >= 32 || from <= -32) return word;
    return word | (from >= 0 ? (from === 0 ? suffix : suffix << from) : suffix >>> -from);
  });
}

/** IPv4 prefix, and as many bits of the IPv6 suffix as it lacks (section 3.3.2). */
export const eamIpv4 = ({ ipv4, bits4, bits6 }: EamEntry, words: readonly number[]): number =>
  bits4 === 32 ? ipv4 : ipv4 | (bitsFrom(words, bits6) >>> bits4);

/**
 * The IPv4 address that stands for an IPv6 host without a session, or undefined. A host has an address of the prefix only
 * where its IPv4 address is one that leads here (`nat64.embedded`): with any other it would speak for somebody else.
 */
export function statelessIpv4(
  settings: Settings,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number | undefined {
  const entry = findEam6(settings.eam, word0, word1, word2, word3);
  if (entry !== undefined)
    return entry.isOnIpv4Side ? undefined : eamIpv4(entry, [word0, word1, word2, word3]);
  if (!settings.isStateless) return undefined;
  const embedded = extractIpv4FromWords(settings.prefix, word0, word1, word2, word3);
  return embedded !== undefined && isInList4(settings.embedded4, embedded) ? embedded : undefined;
}

/** The IPv4 address that the mapping of the address at `at` gives, whichever side it is on (RFC 7757 section 3.3.2). */
export function eamIpv4At({ eam }: Settings, view: DataView, at: number): number | undefined {
  if (eam.by6.length === 0) return undefined;
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const word2 = view.getInt32(at + 8);
  const word3 = view.getInt32(at + 12);
  const entry = findEam6(eam, word0, word1, word2, word3);
  return entry === undefined ? undefined : eamIpv4(entry, [word0, word1, word2, word3]);
}

/** Fills in the host that owns `packet.mappedAddress`; false when none does. */
export function readStatelessHost(settings: Settings, packet: Packet): boolean {
  const entry = findEam4(settings.eam, packet.mappedAddress);
  if (entry !== undefined) {
    [packet.host0, packet.host1, packet.host2, packet.host3] = eamIpv6(entry, packet.mappedAddress);
    return !entry.isOnIpv4Side;
  }
  if (!settings.isStateless || !isInList4(settings.embedded4, packet.mappedAddress)) return false;
  writeEmbeddedIpv4(settings.prefix, packet.mappedAddress, scratch, 0);
  packet.host0 = scratch.getInt32(0);
  packet.host1 = scratch.getInt32(4);
  packet.host2 = scratch.getInt32(8);
  packet.host3 = scratch.getInt32(12);
  return true;
}

/** The host of ours that an IPv4 address belongs to as a whole, if it does by an address mapping. */
export function findOwnEam4(settings: Settings, address: number): EamEntry | undefined {
  const entry = findEam4(settings.eam, address);
  return entry === undefined || entry.isOnIpv4Side ? undefined : entry;
}

/**
 * For a packet from the IPv4 side, whose destination is known: whether its source goes by its address mapping (RFC 7757
 * section 4): always without hairpinning (4.1), never with the simple kind (4.2.1), else when the packet did not come
 * back in (4.2.2). Where there are sessions, the answer must come this way again: then the prefix stands for it.
 */
export const goesByEam = ({ eam, eamHairpinning }: Settings, packet: Packet): boolean =>
  packet.isStateless &&
  eam.by4.length > 0 &&
  (eamHairpinning === 'none' || (eamHairpinning === 'intrinsic' && !packet.isHairpinned));

const scratch = new DataView(new ArrayBuffer(16));

/** Whether hosts are mapped without sessions at all. */
export const hasStateless = ({ eam, isStateless }: Settings): boolean => isStateless || eam.by4.length > 0;
