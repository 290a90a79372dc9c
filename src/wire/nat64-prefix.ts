/**
 * IPv4-embedded IPv6 addresses (RFC 6052), as rfc6052.ts has them, for the translator's hot path. Addresses are four 32-bit words in network order, of either sign, so that
 * hot loops work on small integers.
 */
import { parseIpPrefix } from './ip-prefix.ts';
import { writeWords } from './ipv6.ts';

export type Nat64PrefixBits = 32 | 40 | 48 | 56 | 64 | 96;

/** A NAT64 prefix taken apart: its words, and masks that are zero behind it. Its fourth word is always 0. */
export interface Nat64Prefix {
  readonly prefixBits: Nat64PrefixBits;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly mask1: number;
  readonly mask2: number;
}

const MASK1: Readonly<Record<number, number>> = { 32: 0, 40: 0xff00_0000 | 0, 48: -0x1_0000, 56: -0x100 };

/** A prefix of 32, 40, 48, 56, 64 or 96 bits with a zero u-octet (section 2.2); undefined for any other text. */
export function parseNat64Prefix(text: string): Nat64Prefix | undefined {
  const prefix = text.includes(':') ? parseIpPrefix(text) : undefined;
  if (prefix === undefined || prefix.address[8] !== 0) return undefined;
  const { prefixBits } = prefix;
  if (prefixBits !== 64 && prefixBits !== 96 && MASK1[prefixBits] === undefined) return undefined;
  const view = new DataView(prefix.address.buffer, prefix.address.byteOffset, 16);
  return {
    prefixBits: prefixBits as Nat64PrefixBits,
    word0: view.getInt32(0),
    word1: view.getInt32(4),
    word2: view.getInt32(8),
    mask1: MASK1[prefixBits] ?? -1,
    mask2: prefixBits === 96 ? -1 : 0,
  };
}

/** Whether this is 64:ff9b::/96, the well-known prefix (section 2.1). */
export const isWellKnownPrefix = (prefix: Nat64Prefix): boolean =>
  prefix.prefixBits === 96 && prefix.word0 === 0x0064_ff9b && prefix.word1 === 0 && prefix.word2 === 0;

/** Whether the 16 bytes at `at` are an address inside the prefix. */
export const nat64PrefixContains = (prefix: Nat64Prefix, view: DataView, at: number): boolean =>
  view.getInt32(at) === prefix.word0 &&
  ((view.getInt32(at + 4) ^ prefix.word1) & prefix.mask1) === 0 &&
  ((view.getInt32(at + 8) ^ prefix.word2) & prefix.mask2) === 0;

/** The IPv4 address embedded in the 16 bytes at `at`, signed; the u-octet and the suffix are ignored (section 2.3). */
export function extractIpv4(prefixBits: Nat64PrefixBits, view: DataView, at: number): number {
  switch (prefixBits) {
    case 96:
      return view.getInt32(at + 12);
    case 64:
      return view.getInt32(at + 9);
    case 56:
      return (view.getUint8(at + 7) << 24) | (view.getInt32(at + 8) & 0xff_ffff);
    case 48:
      return (view.getUint16(at + 6) << 16) | view.getUint16(at + 9);
    case 40:
      return (view.getInt32(at + 4) << 8) | view.getUint8(at + 9);
    case 32:
      return view.getInt32(at + 4);
  }
}

/** The IPv4 address embedded in an address given as words, signed; undefined when it is not inside the prefix. */
export function extractIpv4FromWords(prefix: Nat64Prefix, words: Int32Array): number | undefined {
  writeWords(scratch, 0, words);
  return nat64PrefixContains(prefix, scratch, 0) ? extractIpv4(prefix.prefixBits, scratch, 0) : undefined;
}

const scratch = new DataView(new ArrayBuffer(16));

/** Writes the 16 bytes that stand for an IPv4 address; the u-octet (bits 64 to 71) and the suffix are zero. */
export function writeEmbeddedIpv4(prefix: Nat64Prefix, ipv4: number, view: DataView, at: number): void {
  const { prefixBits, word1 } = prefix;
  view.setInt32(at, prefix.word0);
  switch (prefixBits) {
    case 96:
      writeTail(view, at, word1, prefix.word2, ipv4);
      break;
    case 64:
      writeTail(view, at, word1, ipv4 >>> 8, ipv4 << 24);
      break;
    case 56:
      writeTail(view, at, word1 | (ipv4 >>> 24), ipv4 & 0xff_ffff, 0);
      break;
    case 48:
      writeTail(view, at, word1 | (ipv4 >>> 16), (ipv4 & 0xffff) << 8, 0);
      break;
    case 40:
      writeTail(view, at, word1 | (ipv4 >>> 8), (ipv4 & 0xff) << 16, 0);
      break;
    case 32:
      writeTail(view, at, ipv4, 0, 0);
  }
}

function writeTail(view: DataView, at: number, word1: number, word2: number, word3: number): void {
  view.setInt32(at + 4, word1);
  view.setInt32(at + 8, word2);
  view.setInt32(at + 12, word3);
}
