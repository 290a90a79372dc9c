/** The network as found, in the shape of the API, and functions about it that several checks share. */
import { upstreamServers } from '../../config/resolvers.ts';
import type { Config, HostConfig } from '../../config/schema.ts';
import { ownDevices } from '../../services/configured.ts';
import { parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { isNeverRouted } from '../../wire/ipv4-scope.ts';
import type { DnsRecordFound, LiveDnsRecordFound, NetworkFound, PublicIpv4Found } from './found.ts';
import { compareRecord, nameToAsk, recordsToPublish } from './dns-records.ts';
import type { InterfaceState, Machine } from '../../os/machine.ts';
import { statesOfPorts, wantedPorts } from './ports.ts';
import { publicIpv4 } from './public-ipv4.ts';

const RESOLV_CONF = '/etc/resolv.conf';
/** How many names are looked up at the same time. */
const LOOKUPS_AT_ONCE = 4;

/** All own addresses except loopback and link-local ones. For IPv6, global ones come before unique-local ones (fc00::/7). */
export function globalAddresses(links: readonly InterfaceState[]): { ipv4: string[]; ipv6: string[] } {
  const all = links.flatMap(({ addresses }) => addresses.map(({ address }) => address));
  return {
    ipv4: all.filter((text) => {
      const address = parseIpv4(text);
      return address !== undefined && !isNeverRouted(address);
    }),
    ipv6: all
      .filter((text) => parseIpv6(text) !== undefined && !/^fe[89ab]/i.test(text))
      .sort((a, b) => Number(/^f[cd]/i.test(a)) - Number(/^f[cd]/i.test(b))),
  };
}

/** The links of the machine, without the devices that services make. */
export async function linksOf(machine: Machine, config: Config): Promise<InterfaceState[]> {
  const own = ownDevices(config);
  return (await machine.interfaces()).filter(({ name }) => !own.has(name));
}

/** Ports that the configuration needs and another program uses. */
export async function findPortConflicts(
  machine: Machine,
  config: Config,
  sshPorts: Readonly<Record<string, number>>,
): Promise<NetworkFound['portConflicts']> {
  const states = statesOfPorts(wantedPorts(config, sshPorts), machine.sockets(), machine.ownSockets());
  const conflicts = states.map(async ({ port, protocol, address, wantedBy, obstacle }) =>
    obstacle === undefined
      ? []
      : [{ port, protocol, address, wantedBy, owner: await machine.socketOwner(obstacle) }],
  );
  return (await Promise.all(conflicts)).flat();
}

/** How long an answer of the router, or a missing answer, is cached. */
const ROUTER_SAID_MS = 300_000;

/** Finds the public IPv4 address. If no own address is public, the router is queried, but not each time. */
export function createPublicIpv4Finder(machine: Machine, monotonicMs: () => number) {
  let said: { gateway: string; address: Promise<number | undefined>; atMs: number } | undefined;
  const askOnce = (gateway: string): Promise<number | undefined> => {
    const known = said;
    if (known?.gateway === gateway && monotonicMs() - known.atMs <= ROUTER_SAID_MS) return known.address;
    const address = machine.askRouter(gateway);
    said = { gateway, address, atMs: monotonicMs() };
    // A router that does not answer takes time to fail: the last answer is used until then.
    return known?.gateway === gateway ? known.address : address;
  };
  return async (config: Config): Promise<PublicIpv4Found> => {
    const links = await linksOf(machine, config);
    const { ipv4 } = globalAddresses(links);
    const own = publicIpv4(machine.sourceIpv4(), ipv4, undefined);
    const [gateway] = machine.gateways(4);
    if (own.kind !== 'nat' || gateway === undefined) return own;
    return publicIpv4(machine.sourceIpv4(), ipv4, await askOnce(gateway.address));
  };
}

/** Each record to publish with what is published now, from the upstreams: our own resolver would synthesise AAAA. */
export async function lookUpRecords(
  machine: Machine,
  config: Config,
  host: HostConfig,
  address: PublicIpv4Found,
): Promise<LiveDnsRecordFound[]> {
  const upstreams = upstreamServers(config);
  const servers = upstreams.map(({ server }) => server);
  const resolver = upstreams.map(({ text }) => text).join(', ');
  const records = recordsToPublish(host, address);
  const live: LiveDnsRecordFound[] = [];
  for (let at = 0; at < records.length; at += LOOKUPS_AT_ONCE) {
    const batch = records.slice(at, at + LOOKUPS_AT_ONCE);
    live.push(
      ...(await Promise.all(
        batch.map((record) => lookUpRecord(machine, servers, resolver, record, records)),
      )),
    );
  }
  return live;
}

async function lookUpRecord(
  machine: Machine,
  servers: readonly string[],
  resolver: string,
  record: DnsRecordFound,
  all: readonly DnsRecordFound[],
): Promise<LiveDnsRecordFound> {
  const lookup = await machine.lookUp(servers, nameToAsk(record.name), record.type);
  const siblings = all.filter(({ name, type }) => name === record.name && type === record.type);
  return compareRecord(
    record,
    lookup,
    resolver,
    siblings.map(({ value }) => value),
  );
}

export async function describeNetwork(
  machine: Machine,
  config: Config,
  sshPorts: Readonly<Record<string, number>>,
  publicIpv4: PublicIpv4Found,
): Promise<NetworkFound> {
  const links = await linksOf(machine, config);
  const { ipv4, ipv6 } = globalAddresses(links);
  const [gateway4, gateway6] = ([4, 6] as const).map((family) => {
    const [gateway] = machine.gateways(family);
    return gateway === undefined ? null : { address: gateway.address, interface: gateway.interface };
  });
  const resolvConf = (await machine.read(RESOLV_CONF)) ?? '';
  return {
    hostname: machine.hostname(),
    interfaces: links.map(({ name, isUp, mac, mtuBytes, addresses }) => ({
      name,
      isUp,
      mac: mac ?? null,
      mtuBytes,
      addresses: addresses.map(({ address, prefixBits }) => `${address}/${prefixBits}`),
    })),
    addresses: [...ipv4, ...ipv6],
    gateway4: gateway4 ?? null,
    gateway6: gateway6 ?? null,
    hasIpv6: ipv6.length > 0,
    publicIpv4,
    portConflicts: await findPortConflicts(machine, config, sshPorts),
    dns: {
      resolvers: [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address),
      upstreams: upstreamServers(config).map(({ text }) => text),
    },
  };
}
