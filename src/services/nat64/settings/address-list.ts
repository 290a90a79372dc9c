/** Lists of addresses and prefixes in flat arrays of words, for the hot path. */
import { mappedIpv4 } from '../../../wire/ip-address.ts';
import type { IpPrefix } from '../../../wire/ip-prefix.ts';
import { isNeverRouted } from '../../../wire/ipv4-scope.ts';

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

/** Whether one of the prefixes contains the address at `at` in `words`; an empty list allows no address. */
export function isAllowed(list: Int32Array, words: Int32Array, at = 0): boolean {
  const word0 = words[at];
  const word1 = words[at + 1];
  const word2 = words[at + 2];
  const word3 = words[at + 3];
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

/** IPv4 prefixes, as `parseIpPrefix` returns them, for `isInList4`. */
export const compileList4 = (prefixes: readonly IpPrefix[]): Int32Array =>
  Int32Array.from(
    prefixes.flatMap(({ address, prefixBits }) => [
      new DataView(address.buffer, address.byteOffset, 16).getInt32(12),
      prefixBits <= 96 ? 0 : -1 << (128 - prefixBits),
    ]),
  );

/** The same for the addresses that the kernel delivers to the appliance itself (`readOwn`): only the routable IPv4 addresses. */
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
