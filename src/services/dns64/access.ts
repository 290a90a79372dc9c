/** The access list in the form that the hot loop needs: addresses and masks as machine words. */
import { type IpPrefix, maskAddress } from '../../wire/ip-prefix.ts';

/** Eight words per prefix: four of the address, four of the mask, in the order of the bytes in memory. */
export type AccessTable = Int32Array;

const ALL_ONES = new Uint8Array(16).fill(255);

/** Makes the table from a list of prefixes; an empty list admits nobody. */
export function accessTable(prefixes: readonly IpPrefix[]): AccessTable {
  const bytes = new Uint8Array(prefixes.length * 32);
  for (const [i, { address, prefixBits }] of prefixes.entries()) {
    bytes.set(address, i * 32);
    bytes.set(maskAddress(ALL_ONES, prefixBits), i * 32 + 16);
  }
  return new Int32Array(bytes.buffer);
}

/** Whether any prefix contains the address in these four words (IPv4 in its mapped form). */
export function admits(table: AccessTable, w0: number, w1: number, w2: number, w3: number): boolean {
  for (let i = 0; i < table.length; i += 8) {
    if (
      (((w3 ^ table[i + 3]) & table[i + 7]) |
        ((w2 ^ table[i + 2]) & table[i + 6]) |
        ((w1 ^ table[i + 1]) & table[i + 5]) |
        ((w0 ^ table[i]) & table[i + 4])) ===
      0
    ) {
      return true;
    }
  }
  return false;
}

/** The third word of an IPv4-mapped address; the first two are 0. */
export const MAPPED_WORD = new Int32Array(Uint8Array.of(0, 0, 255, 255).buffer)[0];
