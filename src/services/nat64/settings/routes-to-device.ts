/** Which destinations of the machine are routed to the NAT64 device. */
import type { Nat64Config } from '../../../config/schema.ts';
import { attachedPrefixes } from '../../../os/interfaces.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { formatIpPrefix } from '../../../wire/ip-prefix.ts';
import type { Pool4 } from './choose-pool4.ts';
import { embeddedPrefixes } from './embedded.ts';
import type { Machine } from './machine.ts';

/**
 * What is routed to the device in addition to the NAT64 prefixes: IPv4 addresses of hosts of ours, IPv6 addresses that represent
 * nodes on the IPv4 side, and addresses of pool4 that are not the appliance's own. The latter are routed with all their ports:
 * otherwise packets to ports outside the pool would go back to the router that they came from, in a loop.
 */
export function routesToDevice(
  config: Nat64Config,
  { addresses, isOwn }: Pool4,
  { routes6 }: Machine,
): string[] {
  const routed = [...addresses].filter((address, slot) => address !== 0 && !isOwn[slot]);
  // If the same prefix is on one of our links, it already has a route, which our route would replace.
  const attached = new Set(attachedPrefixes().map(formatIpPrefix));
  const embedded = embeddedPrefixes(config, routes6).map(formatIpPrefix);
  const all = [
    ...config.eam.map(({ ipv4, ipv6, side }) => (side === 'ipv4' ? ipv6 : ipv4)),
    ...embedded.filter((text) => !attached.has(text)),
    ...routed.map((address) => `${formatIpv4(address)}/32`),
  ];
  return [...new Set(all)];
}
