/**
 * Servers and upstreams at an address of this appliance itself. Apart from `checkConfig`, because it depends on the machine:
 * a file that was right may become wrong when an address changes. A change of the configuration is refused for it; a start
 * is not, and the data planes refuse such addresses themselves.
 */
import { compileOurselves, isOurselves, isOwnAddress, leadsToListener } from '../os/ourselves.ts';
import { say } from '../texts/text.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { nat64PrefixesOf } from './check-nat64.ts';
import { type ConfigProblem, problem } from './problem.ts';
import type { Config } from './schema.ts';
import { parseDnsUpstream, parseIpv6Endpoint } from './values.ts';

const HOST_BITS = 128;

/** The problems of a valid configuration on a machine with these own addresses (`readOwn`). */
export function checkOurselves(config: Config, own: readonly IpPrefix[]): ConfigProblem[] {
  const { hosts, nat64, dns64 } = config;
  const ourselves = compileOurselves([...own, ...declaredOwn(config)], nat64PrefixesOf(config));
  const ours = say('is an address of this appliance itself');
  const servers = hosts.flatMap(({ address }, i) => {
    if (!isOwnAddress(ourselves, address)) return [];
    return [problem(`/hosts/${i}/address`, address, ours, say('the address of another machine'))];
  });
  const mappings = nat64.static.flatMap(({ ipv6 }, i) => {
    const server = parseIpv6Endpoint(ipv6);
    if (server === undefined || !isOurselves(ourselves, server.address)) return [];
    return [problem(`/nat64/static/${i}/ipv6`, ipv6, ours, say('the address of another machine'))];
  });
  const upstreams = dns64.upstreams.flatMap((text, i) => {
    const upstream = parseDnsUpstream(text);
    if (!dns64.enabled || upstream?.port !== dns64.port) return [];
    if (!leadsToListener(ourselves, upstream.address, dns64.listen)) return [];
    const sentence = say('is this resolver itself: it would ask itself for ever');
    return [problem(`/dns64/upstreams/${i}`, text, sentence, say('another resolver, or another port'))];
  });
  return [...servers, ...mappings, ...upstreams];
}

/** What the configuration says that this appliance has, whether it has it already or not. */
function declaredOwn({ proxy, forward, dns64, admin }: Config): IpPrefix[] {
  const texts = [...proxy.listen, ...forward.listen, ...dns64.listen, ...admin.listen];
  return texts.flatMap((text) => {
    const address = parseIpAddress(text);
    return address === undefined ? [] : [{ address, prefixBits: HOST_BITS }];
  });
}
