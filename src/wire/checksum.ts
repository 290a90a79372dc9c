/**
 * The Internet checksum (RFC 1071), whole and incremental (RFC 1624). A "sum" is the unfolded one's-complement sum of 16-bit
 * words: a non-negative integer below 2^32. More words may be added before it is folded.
 */

/** Folds a sum to 16 bits, carries added back in. */
export function foldSum(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum field for a sum: its folded complement. */
export const checksumOf = (sum: number): number => ~foldSum(sum) & 0xffff;

/** The sum of a 32-bit word, e.g. an IPv4 address. */
export const sumOfWord = (word: number): number => (word >>> 16) + (word & 0xffff);

/** The sum of the bytes from `from` up to `to`, at most 128 KiB; an odd last byte is padded with zero. */
export function sumOfBytes(view: DataView, from: number, to: number): number {
  const lastPair = to - 1;
  let sum = 0;
  let at = from;
  for (; at < lastPair; at += 2) sum += view.getUint16(at);
  if (at < to) sum += view.getUint8(at) << 8;
  return sum;
}

/** The sum of the 16 bytes at `at`: an IPv6 address. */
export function sumOfIpv6Address(view: DataView, at: number): number {
  return (
    sumOfWord(view.getInt32(at)) +
    sumOfWord(view.getInt32(at + 4)) +
    sumOfWord(view.getInt32(at + 8)) +
    sumOfWord(view.getInt32(at + 12))
  );
}

/**
 * A checksum after some words of the data changed (RFC 1624, equation 3). `delta` is the sum of the new words and of the
 * complements of the old ones (`complement`).
 */
export const adjustChecksum = (checksum: number, delta: number): number =>
  ~foldSum((~checksum & 0xffff) + delta) & 0xffff;

/** The 16-bit complement of a sum: adding it removes the words of the sum from a checksum. */
export const complement = (sum: number): number => ~foldSum(sum) & 0xffff;
