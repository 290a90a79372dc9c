/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, because one machine can choose any address of its
 * /64. Addresses are four big-endian words, IPv4 in its mapped form.
 */
import { AF_INET } from '../os/libc.ts';

/** The third word of an IPv4-mapped address; the first two are 0. */
export const MAPPED_WORD2 = 0xffff;
export const IPV4_CLIENT_BITS = 32;
export const IPV6_CLIENT_BITS = 64;
export const IPV6_HOST_BITS = 128;

export const isMapped = (word0: number, word1: number, word2: number): boolean =>
  word2 === MAPPED_WORD2 && word1 === 0 && word0 === 0;

/** The mask for one of the four words of an address, if the first `bits` bits of the address count. */
export function maskOfWord(bits: number, word: number): number {
  const ofWord = Math.min(Math.max(bits - word * 32, 0), 32);
  return ofWord === 0 ? 0 : -1 << (32 - ofWord);
}

/** The address of a host. */
export interface Client {
  word0: number;
  word1: number;
  word2: number;
  word3: number;
}

export const createClient = (): Client => ({ word0: 0, word1: 0, word2: 0, word3: 0 });

/** Reads the address from a sockaddr that the kernel has written. */
export function readClient(client: Client, sockaddr: Uint8Array): void {
  const isIpv4 = (sockaddr[0] | (sockaddr[1] << 8)) === AF_INET;
  client.word0 = isIpv4 ? 0 : wordAt(sockaddr, 8);
  client.word1 = isIpv4 ? 0 : wordAt(sockaddr, 12);
  client.word2 = isIpv4 ? MAPPED_WORD2 : wordAt(sockaddr, 16);
  client.word3 = wordAt(sockaddr, isIpv4 ? 4 : 20);
}

/** The client with an address of 16 bytes, IPv4 in its mapped form. */
export const clientAt = (address: Uint8Array): Client => ({
  word0: wordAt(address, 0),
  word1: wordAt(address, 4),
  word2: wordAt(address, 8),
  word3: wordAt(address, 12),
});

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
