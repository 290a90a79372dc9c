/** What all services together derive from a configuration. */
import type { Config } from '../config/schema.ts';
import { say } from '../texts/text.ts';
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import { SERVICES } from './all.ts';
import { type EmbeddingPrefix, type PortUse, singlePort } from './description.ts';

export interface OwnedPortUse extends PortUse {
  /** Name of the service. */
  readonly service: string;
}

/** Every port that the configuration assigns, in the order of the services; the admin page is last. */
export const portUses = (config: Config): OwnedPortUse[] => [
  ...SERVICES.flatMap(({ name, ports }) =>
    (ports?.(config) ?? []).map((use): OwnedPortUse => ({ ...use, service: name })),
  ),
  { ...adminPort(config), service: 'admin' },
];

const adminPort = ({ admin: { port, listen } }: Config): PortUse => ({
  use: 'listens',
  path: '/admin/port',
  value: port,
  what: say('the admin page'),
  protocols: ['tcp'],
  addresses: listen,
  range: singlePort(port),
});

/** Ports that the configuration assigns to something other than this service. */
export const portsOfOthers = (config: Config, name: string): OwnedPortUse[] =>
  portUses(config).filter(({ service }) => service !== name);

/** Addresses that the configuration declares as this appliance's own. */
export const declaredAddresses = (config: Config): string[] => [
  ...SERVICES.flatMap((service) => service.ownAddresses?.(config) ?? []),
  ...config.admin.listen,
];

export const embeddingPrefixes = (config: Config): EmbeddingPrefix[] =>
  SERVICES.flatMap((service) => service.prefixes?.(config) ?? []);

/** The same, as text: for services that must keep out of all of them. */
export const embeddingTexts = (config: Config): string[] => [
  ...new Set(embeddingPrefixes(config).map(({ text }) => text)),
];

/** Every prefix that IPv4 addresses are embedded in, even if the service is off: no server can be there. */
export const prefixesOf = (config: Config): IpPrefix[] =>
  embeddingPrefixes(config).map(({ text }) => parseIpPrefix(text) as IpPrefix);

/** Prefixes of which the appliance has every address itself. */
export const ownedPrefixes = (config: Config): IpPrefix[] =>
  embeddingPrefixes(config).flatMap(({ text, ownedAt, isOff }) =>
    ownedAt !== undefined && isOff !== true ? [parseIpPrefix(text) as IpPrefix] : [],
  );

/** Devices that services make: they are not links of the machine. */
export const ownDevices = (config: Config): ReadonlySet<string> =>
  new Set(SERVICES.flatMap((service) => service.devices?.(config) ?? []));
