/** IPv4 addresses inside NAT64 prefixes (RFC 6052 section 2.2). The prefix has 32, 40, 48, 56, 64 or 96 bits. */
import type { IpPrefix } from './ip-prefix.ts';
import { type Nat64PrefixBits, extractIpv4 } from './nat64-prefix.ts';

/** Bits 64 to 71 of the address, the "u" octet: zero, and stepped over by the embedded address. */
const U_OCTET = 8;

/** The 16-byte address that stands for an IPv4 address (unsigned 32 bits): "u" octet and suffix are zero. */
export function embedIpv4({ address, prefixBits }: IpPrefix, ipv4: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes.set(address.subarray(0, prefixBits >> 3));
  let at = prefixBits >> 3;
  for (let shift = 24; shift >= 0; shift -= 8) {
    if (at === U_OCTET) at++;
    bytes[at++] = ipv4 >>> shift;
  }
  return bytes;
}

/** The IPv4 address (unsigned 32 bits) inside the 16 bytes at `offset`; "u" octet and suffix are not looked at. */
export const ipv4Inside = ({ prefixBits }: IpPrefix, bytes: Uint8Array, offset = 0): number =>
  extractIpv4(
    prefixBits as Nat64PrefixBits,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    offset,
  ) >>> 0;
