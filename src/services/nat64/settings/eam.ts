/** The explicit address mapping table (RFC 7757): which prefix of one family represents which prefix of the other. */
import type { IpPrefix } from '../../../wire/ip-prefix.ts';
import { bitsFrom } from '../../../wire/ipv6.ts';

/** One mapping. Suffixes are the bits after the prefixes; the IPv6 suffix is at least as long (RFC 7757 section 3.2). */
export interface EamEntry {
  readonly bits4: number;
  readonly ipv4: number;
  readonly mask4: number;
  readonly bits6: number;
  /** Four words each. */
  readonly ipv6: Int32Array;
  readonly mask6: Int32Array;
  /** True: the node is on the IPv4 side, and the IPv6 address represents it. False: it is a host of ours. */
  readonly isOnIpv4Side: boolean;
}

/** The table, sorted for both searches: longest prefix first. */
export interface EamTable {
  readonly by4: readonly EamEntry[];
  readonly by6: readonly EamEntry[];
}

const maskOf = (bits: number): number => (bits <= 0 ? 0 : -1 << (32 - Math.min(bits, 32)));

/** Compiles the table from prefixes as `parseIpPrefix` returns them. */
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
      ipv6: Int32Array.from([0, 4, 8, 12], (at) => view6.getInt32(at)),
      mask6: Int32Array.from([0, 32, 64, 96], (before) => maskOf(bits6 - before)),
      isOnIpv4Side,
    };
  });
  return {
    by4: [...entries].sort((a, b) => b.bits4 - a.bits4),
    by6: [...entries].sort((a, b) => b.bits6 - a.bits6),
  };
}

/** The entry with the longest prefix that contains an IPv4 address (RFC 7757 section 3.3.1). */
export function findEam4({ by4 }: EamTable, address: number): EamEntry | undefined {
  for (let i = 0; i < by4.length; i++) if (((address ^ by4[i].ipv4) & by4[i].mask4) === 0) return by4[i];
  return undefined;
}

/** The same for an IPv6 address in four words (section 3.3.2). */
export function findEam6({ by6 }: EamTable, words: Int32Array): EamEntry | undefined {
  for (let i = 0; i < by6.length; i++) {
    const { ipv6, mask6 } = by6[i];
    const difference =
      ((words[0] ^ ipv6[0]) & mask6[0]) |
      ((words[1] ^ ipv6[1]) & mask6[1]) |
      ((words[2] ^ ipv6[2]) & mask6[2]) |
      ((words[3] ^ ipv6[3]) & mask6[3]);
    if (difference === 0) return by6[i];
  }
  return undefined;
}

/** Writes the IPv6 address in four words: IPv6 prefix, IPv4 suffix, zeros (RFC 7757 section 3.3.1). */
export function writeEamIpv6(
  { ipv6, bits4, bits6, mask4 }: EamEntry,
  address: number,
  into: Int32Array,
): void {
  const suffix = bits4 === 32 ? 0 : (address & ~mask4) << bits4;
  for (let word = 0; word < 4; word++) {
    const from = word * 32 - bits6;
    const isOutside = from >= 32 || from <= -32;
    into[word] = ipv6[word] | (isOutside ? 0 : from >= 0 ? suffix << from : suffix >>> -from);
  }
}

/** The IPv4 address: IPv4 prefix, followed by as many bits of the IPv6 suffix as needed (section 3.3.2). */
export const eamIpv4 = ({ ipv4, bits4, bits6 }: EamEntry, words: Int32Array): number =>
  bits4 === 32 ? ipv4 : ipv4 | (bitsFrom(words, bits6) >>> bits4);
