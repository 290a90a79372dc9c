/** Who may reach a server: its list `allow`, as the data planes use it. Pure. */
import { type IpPrefix, anyPrefixContains, parseIpPrefix } from '../wire/ip-prefix.ts';

/** null: everybody. */
export type HostAccess = readonly IpPrefix[] | null;

/** `attached`: what "lan" stands for. The schema has validated the entries. */
export function compileAccess(entries: readonly string[], attached: readonly IpPrefix[]): HostAccess {
  if (entries.includes('any')) return null;
  return entries.flatMap((entry) => (entry === 'lan' ? attached : (parseIpPrefix(entry) ?? [])));
}

/** Whether a client with this address (16 bytes, IPv4 mapped) may reach the server. A client of unknown address may not. */
export const mayReach = (access: HostAccess, client: Uint8Array | undefined): boolean =>
  access === null || (client !== undefined && anyPrefixContains(access, client));
