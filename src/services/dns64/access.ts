/** The access list in the form that the hot loop needs: addresses and masks as machine words. */
import { type IpPrefix, isIpv4Prefix, maskAddress } from '../../wire/ip-prefix.ts';

/** Eight words per prefix: four of the address, four of the mask, in the order of the bytes in memory. */
type Rows = Int32Array;

/** By family: a prefix of IPv6 admits no IPv4 address, which is in its mapped form. */
export interface AccessTable {
  readonly ipv4: Rows;
  readonly ipv6: Rows;
}

const ALL_ONES = new Uint8Array(16).fill(255);

function rowsOf(prefixes: readonly IpPrefix[]): Rows {
  const bytes = new Uint8Array(prefixes.length * 32);
  for (const [i, { address, prefixBits }] of prefixes.entries()) {
    bytes.set(address, i * 32);
    bytes.set(maskAddress(ALL_ONES, prefixBits), i * 32 + 16);
  }
  return new Int32Array(bytes.buffer);
}

/** Makes the table from a list of prefixes; an empty list admits nobody. */
export function accessTable(prefixes: readonly IpPrefix[]): AccessTable {
  const { ipv4 = [], ipv6 = [] } = Object.groupBy(prefixes, (prefix) =>
    isIpv4Prefix(prefix) ? 'ipv4' : 'ipv6',
  );
  return { ipv4: rowsOf(ipv4), ipv6: rowsOf(ipv6) };
}

/** Whether any prefix contains the address in these four words (IPv4 in its mapped form). */
export function admits({ ipv4, ipv6 }: AccessTable, w0: number, w1: number, w2: number, w3: number): boolean {
  const rows = w2 === MAPPED_WORD && w1 === 0 && w0 === 0 ? ipv4 : ipv6;
  for (let i = 0; i < rows.length; i += 8) {
    if (
      (((w3 ^ rows[i + 3]) & rows[i + 7]) |
        ((w2 ^ rows[i + 2]) & rows[i + 6]) |
        ((w1 ^ rows[i + 1]) & rows[i + 5]) |
        ((w0 ^ rows[i]) & rows[i + 4])) ===
      0
    ) {
      return true;
    }
  }
  return false;
}

/** The third word of an IPv4-mapped address; the first two are 0. */
export const MAPPED_WORD = new Int32Array(Uint8Array.of(0, 0, 255, 255).buffer)[0];
