/** The resolvers of a configuration: the upstreams, and our own. */
import { mappedIpv4, formatSocketAddress } from '../wire/ip-address.ts';
import type { Config } from './schema.ts';
import { parseDnsUpstream } from './values.ts';

type Resolvers = Pick<Config, 'dns64'>;

/** The check whose failure explains that upstreams do not answer. */
export const UPSTREAMS_CHECK = 'dns64-upstreams';

/** As configured, and as "[2001:db8::53]:53", with the family of the address. */
export const upstreamServers = ({ dns64: { upstreams } }: Resolvers) =>
  resolversOf(upstreams).map(({ text, target }) => {
    const family = mappedIpv4(target.address) === undefined ? (6 as const) : (4 as const);
    return { text, ...target, family, server: formatSocketAddress(target) };
  });

/** Resolvers as configured, and their sockets. The schema has validated the texts. */
export const resolversOf = (upstreams: readonly string[]) =>
  upstreams.flatMap((text) => {
    const target = parseDnsUpstream(text);
    return target === undefined ? [] : [{ text, target }];
  });

/** Whether the user chose these upstreams: while the resolver is off, they may be the defaults. */
export const mayAskUpstreams = ({ dns64 }: Resolvers): boolean => dns64.enabled;

/** Whom to ask for a name, and where our own resolver listens, which makes addresses up (undefined while it is off). */
export const lookUpSettings = ({ dns64: { enabled, listen, port, upstreams } }: Resolvers) => ({
  resolvers: resolversOf(upstreams),
  own: enabled ? { listen, port } : undefined,
});

/** The address at which this machine reaches its own resolver; undefined while that is off. */
export function ownResolver({ dns64: { enabled, listen, port } }: Resolvers): string | undefined {
  if (!enabled) return undefined;
  const [address = '::1'] = listen;
  const local = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return local.includes(':') ? `[${local}]:${port}` : `${local}:${port}`;
}
