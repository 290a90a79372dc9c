/** Checks of NAT64's part of the configuration that concern more than one field. */
import { type ConfigProblem, duplicates, problem } from '../../config/problem.ts';
import type { Config, Nat64Config } from '../../config/schema.ts';
import { type PortRange, parseIpv6Endpoint, parsePortRange } from '../../config/values.ts';
import { asIs, say } from '../../texts/text.ts';
import { parseIpv4 } from '../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { isNeverRouted } from '../../wire/ipv4-scope.ts';
import type { OwnAddresses } from '../description.ts';

export function checkNat64(config: Config): ConfigProblem[] {
  return [
    ...checkExtraPrefixes(config),
    ...checkMtus(config),
    ...checkStaticEntries(config),
    ...checkEam(config),
    ...checkNeverRouted(config),
    ...checkPortBlocks(config),
  ];
}

/** All prefixes that NAT64 translates, the main one first. */
export const translatedPrefixes = ({ prefix, extraPrefixes }: Nat64Config): string[] => [
  prefix,
  ...extraPrefixes,
];

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** Mappings to this machine itself, which the translator cannot reach. */
export const checkMappings = ({ nat64 }: Config, own: OwnAddresses): ConfigProblem[] =>
  nat64.static.flatMap(({ ipv6 }, i) => {
    const server = parseIpv6Endpoint(ipv6);
    if (server === undefined || !own.has(server.address)) return [];
    const ours = say('is an address of this appliance itself');
    return [problem(`/nat64/static/${i}/ipv6`, ipv6, ours, say('the address of another machine'))];
  });

/** RFC 7915 section 4.1: the lowest MTU of the IPv6 side must not be above the MTU of its first link. */
function checkMtus({ nat64 }: Config): ConfigProblem[] {
  const { lowestIpv6MtuBytes, mtu6Bytes } = nat64;
  if (lowestIpv6MtuBytes <= mtu6Bytes) return [];
  const expected = say('at most {mtu6Bytes}, which is nat64.mtu6Bytes', { mtu6Bytes });
  return [problem('/nat64/lowestIpv6MtuBytes', lowestIpv6MtuBytes, say('is above the MTU'), expected)];
}

/** RFC 7757 section 3.2; and an address of pool4, which is shared, must not belong to a single host. */
function checkEam({ nat64 }: Config): ConfigProblem[] {
  return nat64.eam.flatMap(({ ipv4, ipv6 }, i) => {
    const [prefix4, prefix6] = [parsed(ipv4), parsed(ipv6)];
    const path = `/nat64/eam/${i}`;
    const problems: ConfigProblem[] = [];
    // Both prefix lengths count in the 128 bits of an IPv6 address, so comparing them also compares the suffixes.
    if (prefix6.prefixBits > prefix4.prefixBits) {
      const expected = say('a prefix with at least the addresses of {ipv4}', { ipv4 });
      problems.push(problem(`${path}/ipv6`, ipv6, say('has too few addresses'), expected));
    }
    const shared = nat64.pool4.find(
      ({ address }) => address !== 'auto' && prefixContains(prefix4, parsed(address).address),
    );
    if (shared !== undefined)
      problems.push(
        problem(
          `${path}/ipv4`,
          ipv4,
          say('contains {address}', { address: shared.address }),
          say('addresses outside nat64.pool4'),
        ),
      );
    const own = translatedPrefixes(nat64);
    const inside = own.find((text) => prefixContains(parsed(text), prefix6.address));
    const around = own.find((text) => prefixContains(prefix6, parsed(text).address));
    // The address that results from the mapping would be in the prefix, and so would be translated again.
    const sentence =
      inside !== undefined
        ? say('lies in the NAT64 prefix {prefix}', { prefix: inside })
        : around === undefined
          ? undefined
          : say('overlaps {other}', { other: around });
    if (sentence !== undefined)
      problems.push(problem(`${path}/ipv6`, ipv6, sentence, say('addresses of servers')));
    return problems;
  });
}

/** Addresses that are never routed between networks (RFC 6890) reach no host, and must not be routed to the translator. */
function checkNeverRouted({ nat64 }: Config): ConfigProblem[] {
  const rows: [path: string, value: string][] = [
    ...nat64.pool4.map(({ address }, i): [string, string] => [`/nat64/pool4/${i}/address`, address]),
    ...nat64.eam.map(({ ipv4 }, i): [string, string] => [`/nat64/eam/${i}/ipv4`, ipv4]),
    ...nat64.embedded.map((text, i): [string, string] => [`/nat64/embedded/${i}`, text]),
    ...nat64.icmpSource4.map((text, i): [string, string] => [`/nat64/icmpSource4/${i}`, text]),
  ];
  return rows.flatMap(([path, value]) => {
    const address = parseIpv4(value.split('/')[0]);
    if (address === undefined || !isNeverRouted(address)) return [];
    const sentence = say('is an address that is never routed');
    return [problem(path, value, sentence, say('addresses of networks'))];
  });
}

/** The address of a static entry must be in pool4, and its port must be unique on each side. */
function checkStaticEntries({ nat64 }: Config): ConfigProblem[] {
  const addresses = nat64.pool4.map(({ address }) => address);
  const strangers = nat64.static.flatMap(({ ipv4 }, i) =>
    addresses.includes(ipv4.split('#')[0])
      ? []
      : [
          problem(
            `/nat64/static/${i}/ipv4`,
            ipv4,
            say('has an address that is not in nat64.pool4'),
            asIs(addresses.join(', ')),
          ),
        ],
  );
  const keys = (side: 'ipv4' | 'ipv6') =>
    nat64.static.map((entry, i) => ({
      key: `${entry.protocol} ${entry[side].toLowerCase()}`,
      path: `/nat64/static/${i}/${side}`,
    }));
  return [
    ...strangers,
    ...duplicates(keys('ipv4'), say('an address and port that no other mapping has')),
    ...duplicates(keys('ipv6'), say('a server and port that no other mapping has')),
  ];
}

/** An address must be in one prefix only; and without sessions, nothing determines which prefix an answer comes from. */
function checkExtraPrefixes({ nat64 }: Config): ConfigProblem[] {
  const all = translatedPrefixes(nat64);
  return nat64.extraPrefixes.flatMap((text, i) => {
    const path = `/nat64/extraPrefixes/${i}`;
    if (nat64.mode === 'stateless')
      return [
        problem(path, text, say('needs sessions, but nat64.mode "stateless" has none'), say('none there')),
      ];
    const own = parsed(text);
    const other = all
      .slice(0, i + 1)
      .find((each) => prefixContains(parsed(each), own.address) || prefixContains(own, parsed(each).address));
    if (other === undefined) return [];
    return [
      problem(
        path,
        text,
        say('overlaps {other}', { other }),
        say('a prefix apart from the other NAT64 prefixes'),
      ),
    ];
  });
}

/** RFC 7422: there must be a block for each client; otherwise the configuration is refused. */
function checkPortBlocks({ nat64 }: Config): ConfigProblem[] {
  const { portBlocks, clientPrefixBits, pool4, mode } = nat64;
  const { size, clients } = portBlocks;
  if (size === 0 || mode === 'stateless') return [];
  if (clients.length === 0)
    return [
      problem('/nat64/portBlocks/clients', clients, say('gives nobody a block'), say('at least one prefix')),
    ];
  const problems = clients.flatMap((text, i) => {
    const path = `/nat64/portBlocks/clients/${i}`;
    const own = parsed(text);
    if (own.prefixBits > clientPrefixBits) {
      const expected = say('a prefix of at most {clientPrefixBits} bits, which is nat64.clientPrefixBits', {
        clientPrefixBits,
      });
      return [problem(path, text, say('is less than one client'), expected)];
    }
    const other = clients.slice(0, i).find((each) => {
      const earlier = parsed(each);
      return prefixContains(earlier, own.address) || prefixContains(own, earlier.address);
    });
    return other === undefined
      ? []
      : [problem(path, text, say('overlaps {other}', { other }), say('a prefix apart from the others'))];
  });
  if (problems.length > 0) return problems;
  const wanted = clients.reduce((sum, text) => sum + 2 ** (clientPrefixBits - parsed(text).prefixBits), 0);
  for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
    const blocks = pool4
      .filter(({ protocols }) => protocols.includes(protocol))
      .map(({ ports }) => parsePortRange(ports) as PortRange)
      .reduce((sum, { first, last }) => sum + Math.floor((last - first + 1) / size), 0);
    if (blocks >= wanted) continue;
    const sentence = say(
      'ports for each of {wanted} clients (nat64.portBlocks.clients) are more than nat64.pool4 has: it has {blocks} such blocks for {protocol}',
      { wanted, blocks, protocol },
    );
    const expected = say(
      'fewer ports a client, fewer clients (shorter nat64.clientPrefixBits), or a larger pool',
    );
    return [problem('/nat64/portBlocks/size', size, sentence, expected)];
  }
  return [];
}
