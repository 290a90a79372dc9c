/**
 * What NAT64 does with traffic from either side. If the tables of the running translator are not given, separate tables are used
 * that only contain what is configured: so the answer does not depend on anything temporary.
 */
import { addressesOf } from '../../../config/host-services.ts';
import type { HostConfig, Nat64Config } from '../../../config/schema.ts';
import { createCounters } from '../../../runtime/counters.ts';
import {
  type Flow,
  type Leg,
  type WayOutcome,
  type WayStep,
  arrives,
  endsRefused,
} from '../../../runtime/explain.ts';
import type { Arrival, Explanation, Nat64Queries } from '../questions.ts';
import { formatIpv4, isSameAddress, parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';
import { parseIpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { attachTables } from '../tables/attach-tables.ts';
import { choosePool4, steeredAddresses } from '../settings/choose-pool4.ts';
import {
  CONTINUE,
  COUNTER,
  HELD,
  NAT64_COUNTERS,
  type Nat64Counter,
  type Verdict,
  isDrop,
} from '../counters.ts';
import { findEam4 } from '../settings/eam.ts';
import { explain } from './explain.ts';
import { SYN_KEPT } from './explain-parts.ts';
import { computeOutgoingTuple } from '../steps/outgoing-tuple.ts';
import { determineTuple4, mayPass4 } from '../steps/incoming-tuple-4.ts';
import { formatHost } from '../tables/inspect.ts';
import { readMachine } from '../settings/machine.ts';
import { writeProbePacket4 } from './probe-packet.ts';
import { type Settings, isOurs4 } from '../settings/settings.ts';
import type { SteeredAddress } from '../settings/steered-ports.ts';
import { applyStaticEntries } from '../tables/static-entries.ts';
import { type Tables, createSharedTables } from '../tables/tables.ts';
import { createTranslator } from '../steps/translator.ts';
import { type Text, asIs, say, sentences } from '../../../texts/text.ts';
import { resolveSettings } from '../settings/resolve.ts';
import { filterFrom4 } from '../steps/filter-from4.ts';

/** A translator in the state right after a start. */
interface Fresh {
  readonly settings: Settings;
  readonly tables: Tables;
  readonly steered: readonly SteeredAddress[];
  readonly hosts: readonly HostConfig[];
}

const FRESH_SESSIONS = 1024;

async function createFresh(config: Nat64Config, hosts: readonly HostConfig[]): Promise<Fresh> {
  const machine = await readMachine(config);
  const pool4 = choosePool4(config, machine, new Int32Array());
  const settings = resolveSettings(config, pool4, machine);
  const tables = attachTables(createSharedTables(FRESH_SESSIONS), 0, settings);
  applyStaticEntries(tables, settings.staticEntries, 0);
  return { settings, tables, steered: steeredAddresses(pool4), hosts };
}

/** By counter: the path of the setting that makes it count. */
const CONFIG_PATHS: Partial<Record<Nat64Counter, string>> = {
  'drop-not-allowed': '/nat64/allow',
  'drop-destination': '/nat64/prefix',
  'drop-denied': '/nat64/denyIpv4',
  'drop-no-port-block': '/nat64/portBlocks',
  'drop-non-global': '/nat64/prefix',
  'drop-no-pool4': '/nat64/pool4',
  'drop-pool4-exhausted': '/nat64/pool4',
  'drop-no-bib-entry': '/nat64/static',
  'drop-filtered': '/nat64/filtering',
  'drop-untranslatable': '/nat64/mode',
};

/**
 * Makes a function that says what NAT64 does with traffic; its result is undefined if NAT64 does not handle the traffic. `live` is
 * the running translator, if the answer should take its current sessions into account.
 */
export function explainNat64(
  config: Nat64Config,
  hosts: readonly HostConfig[],
  live?: Nat64Queries,
): (flow: Flow) => Promise<Leg | undefined> {
  let made: Promise<Fresh> | undefined;
  const fresh = () => (made ??= createFresh(config, hosts));
  const prefixes = [config.prefix, ...config.extraPrefixes].flatMap((text) => parseIpPrefix(text) ?? []);
  return async (flow) => {
    const { from, to } = flow;
    if (!from.includes(':')) return config.enabled ? explainIncoming(config, await fresh(), flow) : undefined;
    if (to === undefined || flow.isLocal) return undefined;
    const to6 = parseIpv6(to);
    const isForUs = to6 === undefined || prefixes.some((prefix) => prefixContains(prefix, to6));
    if (!isForUs) return undefined;
    if (!config.enabled) {
      const text = say('NAT64 is switched off: nothing translates to {to}.', { to });
      return endsRefused([], text, { configPath: '/nat64/enabled' });
    }
    const request = { client: from, destination: to, protocol: flow.protocol, destinationPort: flow.port };
    const explanation = await (live?.explain(request) ?? explain(await fresh(), request, 0));
    return outgoingLeg(flow, explanation, await fresh());
  };
}

function outgoingLeg(flow: Flow, { steps: found, isTranslated }: Explanation, fresh: Fresh): Leg {
  const steps = found.map(({ isOk, text, counter }): WayStep => {
    const configPath = counter === null ? undefined : CONFIG_PATHS[counter as Nat64Counter];
    return {
      isOk,
      text,
      ...(counter !== null && { counter }),
      ...(configPath !== undefined && { configPath }),
    };
  });
  const last = found.at(-1);
  const arrival = last?.arrival;
  if (!isTranslated || arrival === undefined)
    return { steps, outcome: endsRefused([], last?.text ?? asIs('')).outcome };
  return arrivalLeg(flow, steps, arrival, fresh);
}

function arrivalLeg(flow: Flow, steps: readonly WayStep[], arrival: Arrival, fresh: Fresh): Leg {
  const { address } = arrival;
  const port = flow.port ?? null;
  if (arrival.kind === 'translator') {
    // From here on, its source is the pool4 address that it has been given.
    const source = fresh.settings.poolAddresses.find((each) => each !== 0);
    return { steps, next: { ...flow, from: formatIpv4(source ?? 0), to: address, isLocal: true } };
  }
  if (arrival.kind === 'host') {
    return {
      steps,
      outcome: reaches(
        fresh,
        address,
        arrival.port ?? null,
        say('It reaches [{address}] through NAT64.', { address }),
      ),
    };
  }
  const text = say('NAT64 translates it, and it leaves for {address}.', { address });
  return { steps, outcome: { kind: 'nat64', server: null, address, port, text } };
}

/** The outcome that a host is reached: a server of the configuration, or another host behind the translator. */
function reaches({ hosts }: Fresh, address: string, port: number | null, text: Text): WayOutcome {
  const server = hosts.find((host) => addressesOf(host).some((each) => isSameAddress(each, address)));
  return server === undefined
    ? { kind: 'nat64', server: null, address, port, text }
    : arrives(address, port, text, server.name);
}

const COUNTER_NAMES = Object.keys(NAT64_COUNTERS) as Nat64Counter[];

/** From the IPv4 side: what the kernel steers to the translator, and what the translator does with it. */
function explainIncoming(config: Nat64Config, fresh: Fresh, flow: Flow): Leg | undefined {
  const target = steeredTarget(fresh, flow);
  if (target === undefined || flow.protocol === 'icmp') return undefined;
  const { settings, tables } = fresh;
  const translator = createTranslator(settings, tables, createCounters(NAT64_COUNTERS), () => 0);
  const { packet } = translator;
  writeProbePacket4(packet, { ...flow, to: target });
  // If the source is ours, the packet can only come from the previous leg.
  packet.isHairpinned = isOurs4(settings, (parseIpv4(flow.from) ?? 0) | 0);
  let verdict: Verdict = determineTuple4(settings, packet);
  if (verdict === CONTINUE) verdict = mayPass4(settings, packet);
  if (verdict === CONTINUE) verdict = filterFrom4(translator);
  const there = say('{address} port {port}', { address: formatIpv4(target), port: flow.port ?? 0 });
  if (verdict !== CONTINUE) return refusedLeg(verdict, there);
  computeOutgoingTuple(translator, false);
  const { hostPort, isStateless } = packet;
  const host = formatHost(packet.host);
  const entry = config.static.findIndex(
    ({ protocol, ipv4 }) => protocol === flow.protocol && ipv4.endsWith(`#${flow.port}`),
  );
  const text = isStateless
    ? say('{address} belongs to [{host}] as a whole (RFC 7757).', { address: formatIpv4(target), host })
    : say('A static mapping leads {there} to [{host}]:{hostPort}.', { there, host, hostPort });
  const configPath = isStateless ? '/nat64/eam' : `/nat64/static/${entry}`;
  return {
    steps: [{ isOk: true, text, configPath }],
    outcome: reaches(fresh, host, hostPort, text),
  };
}

function refusedLeg(verdict: Verdict, there: Text): Leg | undefined {
  if (verdict === HELD || verdict === COUNTER['drop-no-bib-entry']) {
    const wait = verdict === HELD ? SYN_KEPT : undefined;
    const text = sentences(
      say(
        '{there} belongs to pool4 and has no static mapping: only answers to traffic from the servers get in.',
        {
          there,
        },
      ),
      wait,
    );
    const counter = verdict === HELD ? 'syns-stored' : 'drop-no-bib-entry';
    return endsRefused([], text, { counter, configPath: '/nat64/static' });
  }
  // Packets that go to the kernel are not handled by NAT64.
  if (!isDrop(verdict)) return undefined;
  const counter = COUNTER_NAMES[verdict];
  const configPath = CONFIG_PATHS[counter];
  return endsRefused([], say('{there}: {reason}.', { there, reason: asIs(NAT64_COUNTERS[counter]) }), {
    counter,
    ...(configPath !== undefined && { configPath }),
  });
}

/** The IPv4 address at which the translator gets the traffic; undefined if it stays with the kernel. */
function steeredTarget({ settings, steered }: Fresh, { to, port = 0, protocol }: Flow): number | undefined {
  const address = to === undefined ? undefined : parseIpv4(to);
  if (address !== undefined && findEam4(settings.eam, address | 0) !== undefined) return address;
  const known = steered.find((each) => each.address === address);
  // Any other address belongs to a router before us, or is not given: then the traffic arrives at one of our own addresses.
  const candidates = known === undefined ? steered.filter(({ isOwn }) => isOwn) : [known];
  return candidates.find(
    ({ isOwn, ranges, tcpPorts, udpPorts }) =>
      !isOwn ||
      ranges[protocol].some(({ first, last }) => port >= first && port <= last) ||
      (protocol === 'tcp' ? tcpPorts : udpPorts).includes(port),
  )?.address;
}
