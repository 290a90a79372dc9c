/** Problems that no single field shows: conflicting names and ports, references to missing entries, inconsistent prefixes. */
import { formatIpv6, isSameAddress, parseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains, prefixesOverlap } from '../wire/ip-prefix.ts';
import { SERVICES } from '../services/all.ts';
import { embeddingPrefixes } from '../services/configured.ts';
import { type Text, either, say } from '../texts/text.ts';
import { checkPorts } from './check-ports.ts';
import { type ConfigProblem, duplicates, missing, problem } from './problem.ts';
import type { Config, HostConfig } from './schema.ts';

/** The problems of a complete, schema-valid configuration. */
export function checkConfig(config: Config): ConfigProblem[] {
  return [
    ...config.hosts.flatMap((host, i) => checkHost(config, host, `/hosts/${i}`)),
    ...checkUnique(config),
    ...SERVICES.flatMap((service) => service.check?.(config, embeddingPrefixes(config)) ?? []),
    ...checkPromisedPrefixes(config),
    ...checkOwnedPrefixes(config),
    ...checkPorts(config),
    ...checkAssertions(config),
  ];
}

/** Addresses that no server can have (RFC 4291 sections 2.4 and 2.5). */
const UNREACHABLE: readonly (readonly [prefix: string, sentence: Text])[] = [
  ['::/128', say('is the unspecified address')],
  ['::1/128', say('is the loopback address, which would be this appliance')],
  ['::ffff:0:0/96', say('is an IPv4 address in IPv6 form')],
  ['fe80::/10', say('is a link-local address, which has no meaning without an interface')],
  ['ff00::/8', say('is a multicast address')],
];

/** Prefixes that the appliance cannot have for itself. */
const RESERVED: readonly (readonly [prefix: string, sentence: Text])[] = [
  ['::/96', say('contains the loopback address')],
  ...UNREACHABLE.slice(2),
  // RFC 6052 section 3.1: it must not hold private addresses, and a translator of the provider may use it.
  ['64:ff9b::/96', say('is the well-known NAT64 prefix')],
];

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** Problems of one server: its addresses, and what services say about it. */
export function checkHost(config: Config, host: HostConfig, path: string): ConfigProblem[] {
  return [
    ...checkAddresses(config, host, path),
    ...SERVICES.flatMap((service) => service.checkHost?.(config, host, path) ?? []),
  ];
}

function checkAddresses(config: Config, host: HostConfig, path: string): ConfigProblem[] {
  const { address, addresses } = host;
  if (address === '')
    return [
      missing(`${path}/address`, say('an IPv6 address such as 2001:db8:1::10, or a list in "addresses"')),
    ];
  if (addresses === undefined) return checkAddress(config, address, `${path}/address`);
  if (!isSameAddress(address, addresses[0])) {
    const expected = say('no "address", or the first one of "addresses"');
    return [problem(`${path}/address`, address, say('is not the first one of "addresses"'), expected)];
  }
  const keys = addresses.map((text, i) => ({ key: canonical(text), path: `${path}/addresses/${i}` }));
  return [
    ...addresses.flatMap((text, i) => checkAddress(config, text, `${path}/addresses/${i}`)),
    ...duplicates(keys, say('each address once')),
  ];
}

const canonical = (text: string): string => formatIpv6(parseIpv6(text) as Uint8Array);

function checkAddress(config: Config, text: string, path: string): ConfigProblem[] {
  const address = parseIpv6(text) as Uint8Array;
  const expected = say('the global or unique local IPv6 address of the server');
  const unreachable = UNREACHABLE.find(([prefix]) => prefixContains(parsed(prefix), address));
  const translated = embeddingPrefixes(config).find(
    ({ text: prefix, isOff }) => isOff !== true && prefixContains(parsed(prefix), address),
  );
  const prefix = translated?.text ?? '';
  const sentence =
    translated?.ownedAt === undefined
      ? say('lies in the NAT64 prefix {prefix}, where IPv4 addresses are', { prefix })
      : say('lies in the prefix {prefix}, where the addresses of clients are', { prefix });
  return [
    ...(unreachable === undefined ? [] : [problem(path, text, unreachable[1], expected)]),
    ...(translated === undefined ? [] : [problem(path, text, sentence, expected)]),
  ];
}

/** The addresses that clients are given must be translated (RFC 6147 section 5.2: DNS64 and NAT64 share their prefixes). */
function checkPromisedPrefixes(config: Config): ConfigProblem[] {
  const prefixes = embeddingPrefixes(config);
  const translated = prefixes.flatMap(({ text, isTranslated, isOff }) =>
    isTranslated === true && isOff !== true ? [text] : [],
  );
  if (translated.length === 0) return [];
  return prefixes.flatMap(({ text, promisedAt }) => {
    if (promisedAt === undefined) return [];
    if (translated.some((other) => isSame(parsed(other), parsed(text)))) return [];
    const sentence = say('is a prefix that NAT64 does not translate');
    const expected = say('{prefixes}, of nat64.prefix and nat64.extraPrefixes', {
      prefixes: either(translated),
    });
    return [problem(promisedAt, text, sentence, expected)];
  });
}

/** What is expected of a prefix that the appliance has as a whole. */
export const UNUSED_PREFIX = say('an unused prefix of 96 bits such as 64:ff9b:1:fffe::/96');

/** Packets to these addresses reach the appliance itself, so no translator may use them, nor may they be on a network. */
function checkOwnedPrefixes(config: Config): ConfigProblem[] {
  const prefixes = embeddingPrefixes(config).filter(({ isOff }) => isOff !== true);
  return prefixes.flatMap(({ text, ownedAt }) => {
    if (ownedAt === undefined) return [];
    const reserved = RESERVED.find(([prefix]) => prefixesOverlap(parsed(prefix), parsed(text)));
    if (reserved !== undefined) return [problem(ownedAt, text, reserved[1], UNUSED_PREFIX)];
    const other = prefixes.find(
      ({ isTranslated, promisedAt, ...each }) =>
        (isTranslated === true || promisedAt !== undefined) &&
        prefixesOverlap(parsed(each.text), parsed(text)),
    );
    if (other === undefined) return [];
    const sentence = say('overlaps the NAT64 prefix {prefix}', { prefix: other.text });
    return [problem(ownedAt, text, sentence, UNUSED_PREFIX)];
  });
}

const isSame = (a: IpPrefix, b: IpPrefix): boolean =>
  a.prefixBits === b.prefixBits && prefixContains(a, b.address);

function checkUnique(config: Config): ConfigProblem[] {
  const hosts = config.hosts.map((host, i) => ({ key: host.name, path: `/hosts/${i}/name` }));
  return duplicates(hosts, say('a name that no other server has'));
}

/** Whether assertions hold is checked before a change, not here: a file whose assertions fail is valid. */
function checkAssertions({ assertions }: Config): ConfigProblem[] {
  const keys = assertions.map(({ name }, i) => ({ key: name, path: `/assertions/${i}/name` }));
  const ports = assertions.flatMap(({ protocol, port }, i) => {
    if ((protocol === 'icmp') === (port === undefined)) return [];
    const path = `/assertions/${i}/port`;
    if (port !== undefined)
      return [problem(path, port, say('is a port, but icmp has no ports'), say('no port'))];
    return [missing(path, say('a port number from 1 to 65535'))];
  });
  return [...duplicates(keys, say('a name that no other assertion has')), ...ports];
}
