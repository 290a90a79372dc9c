/**
 * What NAT64 does with traffic, from either side. Without the tables of the running translator it is asked of tables of
 * its own, which hold what the configuration says and nothing else: so the answer depends on nothing that comes and goes.
 */
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

/** A translator as it would be at its start. */
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

/** Where in the configuration it says what makes a counter count. */
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
 * A function that says what NAT64 does with traffic; undefined when it has nothing to do with it. `live` is the running
 * translator, where the answer is to know of the sessions there are.
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
    // As the tables see it: from the address that it has been given.
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

/** A server of the configuration, or a host behind the translator that is none. */
function reaches({ hosts }: Fresh, address: string, port: number | null, text: Text): WayOutcome {
  const server = hosts.find((host) => isSameAddress(host.address, address));
  return server === undefined
    ? { kind: 'nat64', server: null, address, port, text }
    : arrives(address, port, text, server.name);
}

const COUNTER_NAMES = Object.keys(NAT64_COUNTERS) as Nat64Counter[];

/** From the IPv4 side: what the kernel steers to the translator, and what that does with it. */
function explainIncoming(config: Nat64Config, fresh: Fresh, flow: Flow): Leg | undefined {
  const target = steeredTarget(fresh, flow);
  if (target === undefined || flow.protocol === 'icmp') return undefined;
  const { settings, tables } = fresh;
  const translator = createTranslator(settings, tables, createCounters(NAT64_COUNTERS), () => 0);
  const { packet } = translator;
  writeProbePacket4(packet, { ...flow, to: target });
  // From pool4 only the leg before can have led here.
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
      say('{there} is of pool4, and no static mapping has it: only answers to what servers sent get in.', {
        there,
      }),
      wait,
    );
    const counter = verdict === HELD ? 'syns-stored' : 'drop-no-bib-entry';
    return endsRefused([], text, { counter, configPath: '/nat64/static' });
  }
  // What the kernel gets is no matter of ours.
  if (!isDrop(verdict)) return undefined;
  const counter = COUNTER_NAMES[verdict];
  const configPath = CONFIG_PATHS[counter];
  return endsRefused([], say('{there}: {reason}.', { there, reason: asIs(NAT64_COUNTERS[counter]) }), {
    counter,
    ...(configPath !== undefined && { configPath }),
  });
}

/** The IPv4 address under which the translator gets it; undefined when the kernel keeps it. */
function steeredTarget({ settings, steered }: Fresh, { to, port = 0, protocol }: Flow): number | undefined {
  const address = to === undefined ? undefined : parseIpv4(to);
  if (address !== undefined && findEam4(settings.eam, address | 0) !== undefined) return address;
  const known = steered.find((each) => each.address === address);
  // Another address is that of a router before us, or none at all: then it comes to one of our own.
  const candidates = known === undefined ? steered.filter(({ isOwn }) => isOwn) : [known];
  return candidates.find(
    ({ isOwn, ranges, tcpPorts, udpPorts }) =>
      !isOwn ||
      ranges[protocol].some(({ first, last }) => port >= first && port <= last) ||
      (protocol === 'tcp' ? tcpPorts : udpPorts).includes(port),
  )?.address;
}
