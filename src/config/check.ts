/** What no single field can tell: names and ports that collide, references to nothing, prefixes that disagree. */
import { parseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import { checkPorts } from './check-ports.ts';
import { type ConfigProblem, quoteValue } from './problem.ts';
import type { Config, HostConfig } from './schema.ts';

/** The problems of a complete, schema-valid configuration. */
export function checkConfig(config: Config): ConfigProblem[] {
  return [
    ...config.hosts.flatMap((host, i) => checkHost(config, host, `/hosts/${i}`)),
    ...checkUnique(config),
    ...checkPrefixes(config),
    ...checkMtus(config),
    ...checkStaticEntries(config),
    ...checkEam(config),
    ...checkPorts(config),
  ];
}

/** `sentence` continues the quoted value: "is ...". */
const problem = (path: string, value: unknown, sentence: string, expected: string): ConfigProblem => ({
  path,
  value: quoteValue(value),
  expected,
  message: `${quoteValue(value)} ${sentence}; expected ${expected}`,
});

/** Addresses that no server can be reached at (RFC 4291 sections 2.4 and 2.5). */
const UNREACHABLE: readonly (readonly [prefix: string, what: string])[] = [
  ['::/128', 'the unspecified address'],
  ['::1/128', 'the loopback address, which would be this appliance'],
  ['::ffff:0:0/96', 'an IPv4 address in IPv6 form'],
  ['fe80::/10', 'a link-local address, which has no meaning without an interface'],
  ['ff00::/8', 'a multicast address'],
];

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** Of one server: its address, and the services that it names. */
export function checkHost(config: Config, host: HostConfig, path: string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const address = parseIpv6(host.address) as Uint8Array;
  const unreachable = UNREACHABLE.find(([prefix]) => prefixContains(parsed(prefix), address));
  const expected = 'the global or unique local IPv6 address of the server';
  if (unreachable !== undefined) {
    problems.push(problem(`${path}/address`, host.address, `is ${unreachable[1]}`, expected));
  }
  const prefixes = [...(config.nat64.enabled ? [config.nat64.prefix] : []), ...config.dns64.prefixes];
  const translated = prefixes.find((prefix) => prefixContains(parsed(prefix), address));
  if (translated !== undefined) {
    const sentence = `lies in the NAT64 prefix ${translated}, where IPv4 addresses are`;
    problems.push(problem(`${path}/address`, host.address, sentence, expected));
  }
  const names = config.proxy.listeners.map((listener) => listener.name);
  host.services.forEach((service, i) => {
    if (names.includes(service)) return;
    const known = names.length === 0 ? 'no service: proxy.listeners is empty' : `one of ${names.join(', ')}`;
    problems.push(problem(`${path}/services/${i}`, service, 'is the name of no listener', known));
  });
  return problems;
}

function checkUnique(config: Config): ConfigProblem[] {
  const hosts = config.hosts.map((host, i) => ({ key: host.name, path: `/hosts/${i}/name` }));
  const listeners = config.proxy.listeners.map(({ name }, i) => ({
    key: name,
    path: `/proxy/listeners/${i}/name`,
  }));
  const hostnames = config.hosts.flatMap((host, i) =>
    host.hostnames.map((name, j) => ({ key: name.toLowerCase(), path: `/hosts/${i}/hostnames/${j}` })),
  );
  return [
    ...duplicates(hosts, 'a name that no other server has'),
    ...duplicates(hostnames, 'a host name that leads to one server'),
    ...duplicates(listeners, 'a name that no other listener has'),
  ];
}

function duplicates(items: readonly { key: string; path: string }[], expected: string): ConfigProblem[] {
  const seen = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { key, path } of items) {
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else problems.push(problem(path, key, `is already at ${first}`, expected));
  }
  return problems;
}

/** RFC 7915 section 4.1: the least MTU of the IPv6 side is not above that of its first link. */
function checkMtus({ nat64 }: Config): ConfigProblem[] {
  const { lowestIpv6MtuBytes, mtu6Bytes } = nat64;
  if (lowestIpv6MtuBytes <= mtu6Bytes) return [];
  const expected = `at most ${mtu6Bytes}, which is nat64.mtu6Bytes`;
  return [problem('/nat64/lowestIpv6MtuBytes', lowestIpv6MtuBytes, 'is above the MTU', expected)];
}

/** RFC 7757 section 3.2, and what pool4 shares belongs to nobody alone. */
function checkEam({ nat64 }: Config): ConfigProblem[] {
  return nat64.eam.flatMap(({ ipv4, ipv6 }, i) => {
    const [prefix4, prefix6] = [parsed(ipv4), parsed(ipv6)];
    const path = `/nat64/eam/${i}`;
    const problems: ConfigProblem[] = [];
    // Both count from the 128 bits of an IPv6 address, so their suffixes compare as their prefixes do.
    if (prefix6.prefixBits > prefix4.prefixBits) {
      const expected = `a prefix with at least the addresses of ${ipv4}`;
      problems.push(problem(`${path}/ipv6`, ipv6, 'has too few addresses', expected));
    }
    const shared = nat64.pool4.find(
      ({ address }) => address !== 'auto' && prefixContains(prefix4, parsed(address).address),
    );
    if (shared !== undefined)
      problems.push(
        problem(`${path}/ipv4`, ipv4, `contains ${shared.address}`, 'addresses outside nat64.pool4'),
      );
    if (prefixContains(parsed(nat64.prefix), prefix6.address))
      problems.push(problem(`${path}/ipv6`, ipv6, 'lies in nat64.prefix', 'addresses of servers'));
    return problems;
  });
}

/** A static entry's address is one of pool4, and it has its port on both sides for itself. */
function checkStaticEntries({ nat64 }: Config): ConfigProblem[] {
  const addresses = nat64.pool4.map(({ address }) => address);
  const strangers = nat64.static.flatMap(({ ipv4 }, i) =>
    addresses.includes(ipv4.split('#')[0])
      ? []
      : [
          problem(
            `/nat64/static/${i}/ipv4`,
            ipv4,
            'has an address that is not in nat64.pool4',
            addresses.join(', '),
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
    ...duplicates(keys('ipv4'), 'an address and port that no other mapping has'),
    ...duplicates(keys('ipv6'), 'a server and port that no other mapping has'),
  ];
}

/** What DNS64 promises, NAT64 must keep (RFC 6147 section 5.2: the two share their prefix). */
function checkPrefixes({ dns64, nat64 }: Config): ConfigProblem[] {
  if (!dns64.enabled || !nat64.enabled) return [];
  const translated = parsed(nat64.prefix);
  return dns64.prefixes.flatMap((text, i) => {
    const prefix = parsed(text);
    const same = prefix.prefixBits === translated.prefixBits && prefixContains(translated, prefix.address);
    const sentence = 'is a prefix that NAT64 does not translate';
    return same
      ? []
      : [problem(`/dns64/prefixes/${i}`, text, sentence, `${nat64.prefix}, which is nat64.prefix`)];
  });
}
