/** What of the machine's packets NAT64 wants led to its device. */
import type { Nat64Config } from '../../../config/schema.ts';
import { attachedPrefixes } from '../../../os/interfaces.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { formatIpPrefix } from '../../../wire/ip-prefix.ts';
import type { Pool4 } from './choose-pool4.ts';
import { embeddedPrefixes } from './embedded.ts';
import type { Machine } from './machine.ts';

/**
 * What is led to the device beside the NAT64 prefixes: IPv4 addresses of hosts of ours, IPv6 addresses that stand for nodes
 * of the IPv4 side, and addresses of pool4 that are not the appliance's own, with all their ports: what is in no pool would
 * otherwise go back to the router that it came from, and so on.
 */
export function routesToDevice(
  config: Nat64Config,
  { addresses, isOwn }: Pool4,
  { routes6 }: Machine,
): string[] {
  const routed = [...addresses].filter((address, slot) => address !== 0 && !isOwn[slot]);
  // The same prefix on a link of ours has its route already; ours would take its place.
  const attached = new Set(attachedPrefixes().map(formatIpPrefix));
  const embedded = embeddedPrefixes(config, routes6).map(formatIpPrefix);
  const all = [
    ...config.eam.map(({ ipv4, ipv6, side }) => (side === 'ipv4' ? ipv6 : ipv4)),
    ...embedded.filter((text) => !attached.has(text)),
    ...routed.map((address) => `${formatIpv4(address)}/32`),
  ];
  return [...new Set(all)];
}
