/** Address prefixes (CIDR) of both families, IPv4 in its mapped form, and sets of them for access lists. */
import { formatIpAddress, parseIpAddress, parseIpv4 } from './ip-address.ts';

export interface IpPrefix {
  /** 16 bytes; the bits after the prefix are zero. */
  readonly address: Uint8Array;
  /** 0 to 128; an IPv4 prefix counts its 96 leading bits too. */
  readonly prefixBits: number;
}

/** The leading bits of an IPv4 address in its mapped form. */
const IPV4_OFFSET_BITS = 96;

/** Parses "2001:db8::/32", "192.0.2.0/24" or a bare address; undefined when malformed or when bits after the prefix are set. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const [addressText, bitsText, ...rest] = text.split('/');
  const address = parseIpAddress(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const offset = parseIpv4(addressText) === undefined ? 0 : IPV4_OFFSET_BITS;
  if (bitsText === undefined) return { address, prefixBits: 128 };
  if (!/^[0-9]{1,3}$/.test(bitsText)) return undefined;
  const prefixBits = Number(bitsText) + offset;
  if (prefixBits > 128) return undefined;
  const masked = maskAddress(address, prefixBits);
  return masked.every((byte, i) => byte === address[i]) ? { address, prefixBits } : undefined;
}

/** A copy of the address with all bits after the prefix set to zero. */
export function maskAddress(address: Uint8Array, prefixBits: number): Uint8Array<ArrayBuffer> {
  const masked = new Uint8Array(16);
  for (let i = 0; i < 16; i++) {
    const bits = Math.min(Math.max(prefixBits - i * 8, 0), 8);
    masked[i] = address[i] & (0xff00 >> bits);
  }
  return masked;
}

/** Text form of a prefix; IPv4 prefixes as 192.0.2.0/24. */
export function formatIpPrefix({ address, prefixBits }: IpPrefix): string {
  const text = formatIpAddress(address);
  return `${text}/${text.includes(':') ? prefixBits : prefixBits - IPV4_OFFSET_BITS}`;
}

/** Whether the 16 bytes at `offset` are an IPv4 address (::ffff:0:0/96). */
function isIpv4At(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[offset + i] !== 0) return false;
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff;
}

/** Whether all addresses of the prefix are of IPv4. */
export const isIpv4Prefix = ({ address, prefixBits }: IpPrefix): boolean =>
  prefixBits >= IPV4_OFFSET_BITS && isIpv4At(address, 0);

/**
 * Whether the 16 bytes at `offset` lie inside the prefix. A prefix of IPv6 contains no IPv4 address: who writes "::/0" means all
 * of IPv6.
 */
export function prefixContains(prefix: IpPrefix, bytes: Uint8Array, offset = 0): boolean {
  const { address, prefixBits } = prefix;
  if (prefixBits < IPV4_OFFSET_BITS && isIpv4At(bytes, offset)) return false;
  const whole = prefixBits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[offset + i] !== address[i]) return false;
  const rest = prefixBits & 7;
  return rest === 0 || ((bytes[offset + whole] ^ address[whole]) & (0xff00 >> rest) & 255) === 0;
}

/** Whether two prefixes have addresses in common. As in {@link prefixContains}, one of IPv6 and one of IPv4 never have. */
export const prefixesOverlap = (a: IpPrefix, b: IpPrefix): boolean =>
  a.prefixBits <= b.prefixBits ? prefixContains(a, b.address) : prefixContains(b, a.address);

/** Whether any of the prefixes contains the 16 bytes at `offset`. An empty list contains nothing: deny by default. */
export function anyPrefixContains(prefixes: readonly IpPrefix[], bytes: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < prefixes.length; i++) if (prefixContains(prefixes[i], bytes, offset)) return true;
  return false;
}
