/** The proxies whose PROXY headers are believed, as the engine looks them up. */
import type { Ourselves } from '../os/ourselves.ts';
import { isOwnHost } from '../os/ourselves.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { type Client, clientAt, isMapped, maskOfWord } from './client.ts';

/** Rows of eight words: an address, and its mask. */
export type TrustedProxies = Int32Array;

const ROW_WORDS = 8;

/** undefined if nobody is trusted. */
export function compileTrusted(prefixes: readonly IpPrefix[]): TrustedProxies | undefined {
  if (prefixes.length === 0) return undefined;
  return Int32Array.from(
    prefixes.flatMap(({ address, prefixBits }) => {
      const { word0, word1, word2, word3 } = clientAt(address);
      return [word0, word1, word2, word3, ...[0, 1, 2, 3].map((word) => maskOfWord(prefixBits, word))];
    }),
  );
}

/**
 * Whether a connection from this address begins with a PROXY header. An own address never does, whatever the prefixes: every
 * program of this machine connects from there, and so do servers that NAT64 leads back to this machine.
 */
export function isTrusted(rows: TrustedProxies, client: Client, ourselves: Ourselves): boolean {
  const { word0, word1, word2, word3 } = client;
  // A prefix of IPv6 contains no IPv4 address, which is in its mapped form.
  const isIpv4 = isMapped(word0, word1, word2);
  for (let at = 0; at < rows.length; at += ROW_WORDS) {
    if (isIpv4 && rows[at + 6] !== -1) continue;
    if (
      ((word3 ^ rows[at + 3]) & rows[at + 7]) === 0 &&
      ((word0 ^ rows[at]) & rows[at + 4]) === 0 &&
      ((word1 ^ rows[at + 1]) & rows[at + 5]) === 0 &&
      ((word2 ^ rows[at + 2]) & rows[at + 6]) === 0
    )
      return !isOwnHost(ourselves, word0, word1, word2, word3);
  }
  return false;
}
