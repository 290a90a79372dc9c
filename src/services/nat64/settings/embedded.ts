/**
 * Which IPv4 addresses belong to hosts of ours that have them embedded in their own IPv6 addresses (RFC 6052 section 2.2). In
 * stateless mode, these are routed to the translator and translated (RFC 7915 section 1.3).
 */
import type { Nat64Config } from '../../../config/schema.ts';
import type { Ipv6Route } from '../../../os/routes.ts';
import { type IpPrefix, maskAddress, parseIpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { ipv4Inside } from '../../../wire/rfc6052.ts';
import { mapIpv4 } from '../../../wire/ip-address.ts';

const IPV4_OFFSET_BITS = 96;
/** The first of bits 64 to 71, which the embedded address skips. */
const U_OCTET_FIRST_BIT = 64;
const U_OCTET_BITS = 8;

/**
 * The prefixes of `nat64.embedded`; only in stateless mode. "auto" stands for all destinations inside `nat64.prefix` that the
 * machine has a route for, except our own routes to the device: such a host needs a route to its IPv6 address to be reachable.
 */
export function embeddedPrefixes(
  { mode, embedded, prefix, device }: Nat64Config,
  routes: readonly Ipv6Route[],
): IpPrefix[] {
  const nat64Prefix = parseIpPrefix(prefix);
  if (mode !== 'stateless' || nat64Prefix === undefined) return [];
  return embedded.flatMap((text) => {
    if (text !== 'auto') return parseIpPrefix(text) ?? [];
    return routes
      .filter((route) => route.device !== device)
      .flatMap(({ destination }) => ipv4Of(nat64Prefix, destination) ?? []);
  });
}

/** The IPv4 addresses that are embedded in an IPv6 prefix inside the NAT64 prefix; undefined for any other prefix. */
function ipv4Of(nat64Prefix: IpPrefix, { address, prefixBits }: IpPrefix): IpPrefix | undefined {
  const behind = prefixBits - nat64Prefix.prefixBits;
  if (behind <= 0 || !prefixContains(nat64Prefix, address)) return undefined;
  const ofUOctet =
    nat64Prefix.prefixBits > U_OCTET_FIRST_BIT
      ? 0
      : Math.min(Math.max(prefixBits - U_OCTET_FIRST_BIT, 0), U_OCTET_BITS);
  const bits = IPV4_OFFSET_BITS + Math.min(behind - ofUOctet, 32);
  if (bits === IPV4_OFFSET_BITS) return undefined;
  return { address: maskAddress(mapIpv4(ipv4Inside(nat64Prefix, address)), bits), prefixBits: bits };
}
