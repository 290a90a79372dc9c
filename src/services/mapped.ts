/**
 * `clientAddress: "mapped"`: the connection to the server comes from an IPv6 address that embeds the client's IPv4 address, so
 * that an unmodified server logs it, limits it or bans it. Not the NAT64 prefix: a server may reach a provider's NAT64 through it,
 * and 64:ff9b::/96 must not hold private addresses (RFC 6052 section 3.1). 64:ff9b:1::/48 is for such local uses (RFC 8215).
 *
 * IPv6 clients, if the proxy listens for them, come from the appliance's own address. With their own addresses, the server would
 * need its default route to lead here, and its provider would have to let the appliance send with addresses of others, which
 * ingress filters drop (RFC 2827). And IPv6 clients normally connect to the server directly.
 */
import type { HostConfig, MappedConfig } from '../config/schema.ts';
import { type Text, say } from '../texts/text.ts';
import { formatIpAddress, mappedIpv4, parseIpAddress, parseIpv4, parseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import { embedIpv4 } from '../wire/rfc6052.ts';

/** An address of the documentation range (RFC 5737): a client that nobody is. */
const NO_CLIENT = parseIpv4('192.0.2.1')!;
/** One route on a server covers this prefix: the default of proxy.mappedPrefix, and its neighbour for forwarded ports. */
const SERVERS_ROUTE = parseIpPrefix('64:ff9b:1:fffe::/63')!;

export type { MappedConfig } from '../config/schema.ts';

/** Whether the forwarder connects to this server from mapped addresses. */
export const isMappedSsh = ({ clientAddress, ssh }: HostConfig): boolean =>
  clientAddress === 'mapped' && ssh !== false;

/** Whether proxy or forwarder do. */
export const isMapped = (host: HostConfig): boolean =>
  host.enabled &&
  (isMappedSsh(host) ||
    host.services.some((service) => {
      const own = typeof service === 'string' ? undefined : service.clientAddress;
      return (own ?? host.clientAddress) === 'mapped';
    }));

export const usesMapped = (hosts: readonly HostConfig[]): boolean => hosts.some(isMapped);

/**
 * The servers whose way back matters, with a port that connections from mapped addresses go to (undefined: none), if a missing way
 * is not an error (`mappedFallback`).
 */
export function waysToTry(
  { mappedFallback }: Pick<MappedConfig, 'mappedFallback'>,
  hosts: readonly HostConfig[],
  portOf: (host: HostConfig) => number | undefined,
): { readonly address: Uint8Array; readonly port: number }[] {
  if (mappedFallback !== 'none') return [];
  return hosts.flatMap((host) => {
    const port = host.enabled ? portOf(host) : undefined;
    if (port === undefined) return [];
    return (host.addresses ?? [host.address]).flatMap((text) => {
      const address = parseIpv6(text);
      return address === undefined ? [] : [{ address, port }];
    });
  });
}

const prefixOf = ({ mappedPrefix }: Pick<MappedConfig, 'mappedPrefix'>): IpPrefix =>
  parseIpPrefix(mappedPrefix) as IpPrefix;

/** The address that stands for a client (16 bytes); undefined for an IPv6 client. */
export function mappedAddress(
  settings: Pick<MappedConfig, 'mappedPrefix'>,
  client: Uint8Array,
): Uint8Array | undefined {
  const ipv4 = mappedIpv4(client);
  return ipv4 === undefined ? undefined : embedIpv4(prefixOf(settings), ipv4);
}

/** The mapped address of a client that nobody is, for probes. */
export const probeAddress = (settings: Pick<MappedConfig, 'mappedPrefix'>): Uint8Array =>
  embedIpv4(prefixOf(settings), NO_CLIENT);

/** `Source.withoutCounter`: the counter, or -1. */
export const withoutCounterOf = ({ mappedFallback }: MappedConfig, counter: number): number =>
  mappedFallback === 'none' ? counter : -1;

/** The prefix that a server must route to the appliance. */
export function routePrefix(settings: Pick<MappedConfig, 'mappedPrefix'>): string {
  const prefix = prefixOf(settings);
  return formatIpPrefix(prefixContains(SERVERS_ROUTE, prefix.address) ? SERVERS_ROUTE : prefix);
}

/** The line that gives a server the way back to the appliance (an address on the server's link). */
export const routeLine = (settings: Pick<MappedConfig, 'mappedPrefix'>, applianceAddress: string): string =>
  `ip -6 route add ${routePrefix(settings)} via ${applianceAddress}`;

/** What a server learns of a client with this address, for explanations. */
export function whatServerSees(mapped: MappedConfig, from: string): Text {
  const client = parseIpAddress(from);
  const address = client && mappedAddress(mapped, client);
  if (address === undefined)
    return say(
      'The server sees the address of this appliance, not that of the client: only IPv4 addresses are mapped.',
    );
  const values = { address: formatIpAddress(address), prefix: routePrefix(mapped) };
  return mapped.mappedFallback === 'none'
    ? say(
        'The server sees the client as {address}. If it has no route for {prefix} to this appliance, it sees the address of this appliance.',
        values,
      )
    : say(
        'The server sees the client as {address}. If it has no route for {prefix} to this appliance, the client is refused.',
        values,
      );
}
