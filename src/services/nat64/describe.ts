/** How NAT64 describes itself. */
import type { Nat64Config } from '../../config/schema.ts';
import { type PortRange, parseIpv4Endpoint, parsePortRange } from '../../config/values.ts';
import { asIs, say } from '../../texts/text.ts';
import { formatIpv4 } from '../../wire/ip-address.ts';
import { type PortUse, describeService, figureOf, rateOf, singlePort } from '../description.ts';
import { checkMappings, checkNat64, translatedPrefixes } from './check-config.ts';
import { nat64Kind } from './contract.ts';
import { NAT64_COUNTERS } from './counters.ts';
import type { Nat64Options, Nat64Service } from './control/service.ts';

export const nat64 = describeService<Nat64Options, Nat64Service>({
  name: 'nat64',
  title: asIs('NAT64'),
  counters: NAT64_COUNTERS,
  gauges: {
    sessions: 'NAT64 sessions',
    bibEntries: 'NAT64 mappings of an IPv6 host and port to an IPv4 port',
  },
  series: {
    nat64UpBytesPerSecond: rateOf('bytes/s', 'bytes-6to4'),
    nat64DownBytesPerSecond: rateOf('bytes/s', 'bytes-4to6'),
    nat64Sessions: figureOf('sessions', 'sessions'),
    nat64DropsPerSecond: { unit: '1/s', rateOf: (counter) => counter.startsWith('drop-') },
  },
  events: [nat64Kind],
  options: ({ nat64 }, others) => ({
    nat64,
    listenPorts: others.filter(({ isOff }) => isOff !== true).map(({ range }) => range),
  }),
  start: async (options, context) => (await import('./control/service.ts')).startNat64(options, context),
  explain: {
    isBeforeSockets: true,
    async load({ config, isLive, running }) {
      const { explainNat64 } = await import('./explain/explain-step.ts');
      return explainNat64(config.nat64, config.hosts, isLive ? running?.queries : undefined);
    },
  },
  outcomes: { nat64: say('translation by NAT64') },
  ports: ({ nat64 }) => (nat64.enabled ? [...pools(nat64), ...staticPorts(nat64)] : []),
  prefixes: ({ nat64 }) =>
    translatedPrefixes(nat64).map((text) => ({ text, isTranslated: true, isOff: !nat64.enabled })),
  diagnostics: async () => (await import('./diagnostics.ts')).diagnostics,
  place: { area: 'nat64', needs: ['default-route-4', 'addresses', 'kernel-state'] },
  queries: {
    routes: async () => (await import('./routes.ts')).routes,
    whyNone: ({ nat64 }) =>
      nat64.enabled
        ? {
            error: 'nat64-not-running',
            text: say('NAT64 is not running; the status of the service says why.'),
          }
        : { error: 'nat64-disabled', text: say('NAT64 is switched off; set nat64.enabled to true.') },
  },
  example: {
    config: { allow: ['2001:db8:1::/64'] },
    assertion: {
      name: 'servers reach IPv4',
      from: '2001:db8:1::10',
      to: '198.51.100.7',
      port: 443,
      expect: 'nat64',
    },
  },
  devices: ({ nat64 }) => [nat64.device],
  check: checkNat64,
  checkOurselves: checkMappings,
});

const pools = ({ pool4 }: Nat64Config): PortUse[] =>
  pool4.map(({ address, ports, protocols }, i) => ({
    use: 'steers',
    path: `/nat64/pool4/${i}/ports`,
    value: ports,
    what: asIs('pool4'),
    protocols,
    addresses: [textOf(address)],
    range: parsePortRange(ports) as PortRange,
  }));

const staticPorts = (nat64: Nat64Config): PortUse[] =>
  nat64.static.flatMap(({ protocol, ipv4 }, i): PortUse[] => {
    const { address, port } = parseIpv4Endpoint(ipv4) as { address: number | 'auto'; port: number };
    if (protocol !== 'tcp') return [];
    return [
      {
        use: 'steers',
        path: `/nat64/static/${i}/ipv4`,
        value: ipv4,
        what: say('a NAT64 mapping'),
        protocols: [protocol],
        addresses: [textOf(typeof address === 'number' ? formatIpv4(address) : address)],
        range: singlePort(port),
      },
    ];
  });

/** "auto" means an address of this appliance, never a loopback address. */
const textOf = (address: string): string => (address === 'auto' ? '0.0.0.0' : address);
