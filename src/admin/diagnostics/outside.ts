/** What past connections show about the way in from the Internet. From inside, there is no other proof. Pure. */
import type { ConnectionEvent } from '../../net/connection-event.ts';
import { mappedIpv4, parseIpAddress } from '../../wire/ip-address.ts';
import { type IpPrefix, anyPrefixContains, maskAddress } from '../../wire/ip-prefix.ts';
import { isNeverRouted, isNonGlobal } from '../../wire/ipv4-scope.ts';
import type { InterfaceState } from '../../os/machine.ts';

export type SeenConnection = Pick<ConnectionEvent, 'service' | 'listener' | 'client'> & {
  readonly at: string;
};

/**
 * When a client of the Internet last connected, by what accepted it ("proxy https", "forward web1"). `connections` are newest
 * first.
 */
export function lastSeenFromOutside(
  connections: readonly SeenConnection[],
  links: readonly InterfaceState[],
): ReadonlyMap<string, string> {
  const attached = links.flatMap(({ addresses }) => addresses.flatMap(prefixOf));
  const seen = new Map<string, string>();
  for (const { service, listener, client, at } of connections) {
    const key = `${service} ${listener}`;
    if (!seen.has(key) && isOutside(client, attached)) seen.set(key, at);
  }
  return seen;
}

/** A public IPv4 address that is not in any network that the appliance is attached to. */
function isOutside(client: string, attached: readonly IpPrefix[]): boolean {
  const bytes = parseIpAddress(client);
  const address = bytes === undefined ? undefined : mappedIpv4(bytes);
  if (bytes === undefined || address === undefined) return false;
  return !isNonGlobal(address) && !isNeverRouted(address) && !anyPrefixContains(attached, bytes);
}

function prefixOf({ address, prefixBits }: InterfaceState['addresses'][number]): IpPrefix[] {
  const bytes = parseIpAddress(address);
  if (bytes === undefined) return [];
  const bits = prefixBits + (mappedIpv4(bytes) === undefined ? 0 : 96);
  return [{ address: maskAddress(bytes, bits), prefixBits: bits }];
}
