/** A running translator: its device, the steering of packets to it, its worker, and the addresses that it follows. */
import { isDeepStrictEqual } from 'node:util';
import type { Nat64Config } from '../../config/schema.ts';
import type { PortRange } from '../../config/values.ts';
import { close } from '../../os/libc.ts';
import type { Changes } from '../../os/network-changes.ts';
import { openTun } from '../../os/tun.ts';
import type { Counters } from '../../runtime/counters.ts';
import type { Limit } from '../../runtime/limits.ts';
import type { Nat64Queries } from './questions.ts';
import type { KernelContest } from '../../runtime/kernel-trouble.ts';
import type { ServiceContext } from '../../runtime/service.ts';
import { startTogether } from '../../runtime/start-together.ts';
import { superviseWorker } from '../../runtime/supervise-worker.ts';
import type { Text } from '../../texts/text.ts';
import { parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import {
  type Nat64Prefix,
  isWellKnownPrefix,
  parseNat64Prefix,
  writeEmbeddedIpv4,
} from '../../wire/nat64-prefix.ts';
import type { NAT64_COUNTERS } from './counters.ts';
import { type Pool4, choosePool4, steeredAddresses } from './choose-pool4.ts';
import { compileEam } from './eam.ts';
import { embeddedPrefixes } from './embedded.ts';
import { type FastPath, startFastPath } from './fast-path.ts';
import { holdPorts } from './hold.ts';
import { type Machine, readMachine, routesToDevice } from './machine.ts';
import { createLimits } from './limits.ts';
import { createMappingRing, readMappingLog } from './mapping-log.ts';
import { createQueries } from './queries.ts';
import { compilePortBlocks } from './port-blocks.ts';
import {
  type Settings,
  type TranslatedPrefix,
  compileAccessList,
  compileList4,
  compileOwn4,
} from './settings.ts';
import { type KeptSessions, type Snapshot, takeSnapshot } from './snapshot.ts';
import { type SteeringOptions, type SteeringWish, startSteering } from './steering.ts';
import { CONTROL, createSharedTables, tableClockSeconds } from './tables.ts';
import type { Nat64Init, Nat64Message } from './worker.ts';

export interface Translation extends AsyncDisposable {
  readonly restarts: number;
  /** The pool4 addresses, unsigned; none while an automatic one cannot be found, though its sessions are kept (outage.ts). */
  readonly pool4Addresses: readonly number[];
  readonly sessions: number;
  readonly bibEntries: number;
  readonly queries: Nat64Queries;
  readonly limits: readonly Limit[];
  /** Whether every address of nat64.pool4 is there. */
  readonly isPoolComplete: boolean;
  /** Devices on which the kernel translates established flows itself. */
  readonly fastPathDevices: readonly string[];
  /** Why it does not, although it is to. */
  readonly fastPathProblem: Text | undefined;
  /** False when somebody had deleted the device at the last look: only a new translation helps. */
  readonly hasDevice: boolean;
  /** What is missing in the kernel, and why. */
  readonly kernelProblem: Text | undefined;
  readonly kernelContests: readonly KernelContest[];
  /** Something that is missing in the kernel may be put back now. */
  readonly isRepairDue: boolean;
  /**
   * Applies new pools and access lists, and what has changed in the machine's addresses; puts right what others changed in the
   * kernel (`by`: who did). Sessions go on. Throws when the kernel refuses what is new.
   */
  refresh(config: Nat64Config, listenPorts: readonly PortRange[], by: Changes['by']): Promise<void>;
  /** Brings the sessions of a snapshot back, as far as they fit the settings of today. */
  restore(snapshot: Snapshot): void;
  /** The sessions; when it is stopped, they are those that it had. */
  snapshot(kept?: KeptSessions): Snapshot;
  /** Drops what comes to the pool from now on, until `releasePorts` or half a minute has passed (hold.ts). */
  holdPorts(): Promise<void>;
  failWorker(): void;
}

/** Whether a change of configuration needs a new translation; any other is applied by `refresh`. */
export const needsRestart = (a: Nat64Config, b: Nat64Config): boolean =>
  a.device !== b.device ||
  a.offload !== b.offload ||
  a.maxSessions !== b.maxSessions ||
  a.fastPath !== b.fastPath ||
  a.prefix !== b.prefix ||
  !isDeepStrictEqual(a.extraPrefixes, b.extraPrefixes);

/**
 * What has been seen of the machine. One translation leaves it to the next, which may begin in an outage, or when another program has just
 * removed what everybody needs.
 */
export interface MachineMemory {
  machine: Machine | undefined;
  readonly basicRules: SteeringOptions['basicRules'];
}

export const createMachineMemory = (): MachineMemory => ({ machine: undefined, basicRules: new Map() });

/** Starts translating; a start that fails closes and removes what it had made. */
export async function startTranslation(
  config: Nat64Config,
  listenPorts: readonly PortRange[],
  memory: MachineMemory,
  counters: Counters<typeof NAT64_COUNTERS>,
  context: ServiceContext,
): Promise<Translation> {
  const { basicRules } = memory;
  const tables = createSharedTables(config.maxSessions);
  await using cleanUp = new AsyncDisposableStack();
  const ring = createMappingRing();
  const log = cleanUp.use(readMappingLog(ring, context.log, context.events));
  log.setLevel(config.log);
  const tun = cleanUp.adopt(openTun(config.device, config.offload), ({ fd }) => void close(fd));
  let machine = (memory.machine = await readMachine(config, memory.machine));
  let pool4 = choosePool4(config, machine, new Int32Array());
  let settings = resolveSettings(config, pool4, machine);
  let wish = steeringWish(config, listenPorts, pool4, machine);
  const started = config.fastPath
    ? startFastPath(config.device, config.maxSessions, context.log)
    : { off: undefined };
  const fastPath: FastPath | undefined = 'off' in started ? undefined : cleanUp.use(started);
  // The thread needs as long to start as the kernel's tools need for the rules.
  const [worker, steering] = await startTogether(
    superviseWorker<Nat64Init, Nat64Message>({
      name: 'nat64',
      entry: new URL('worker.ts', import.meta.url),
      init: () => ({
        tun,
        offload: config.offload,
        settings,
        tables,
        counters: counters.buffer,
        log: ring.buffer,
        flowMaps: fastPath?.maps,
      }),
      log: context.log,
    }),
    startSteering({ device: config.device, prefixes: prefixesOf(config), basicRules, context }, wish),
  );
  cleanUp.use(steering);
  cleanUp.use(worker);
  if (fastPath !== undefined) steering.keepPrograms(fastPath);
  const limits = createLimits(() => counters.values[counters.index['icmp-errors-withheld']]);
  const running = cleanUp.move();
  return {
    get restarts() {
      return worker.restarts;
    },
    get pool4Addresses() {
      return [...pool4.addresses]
        .filter((address) => address !== 0 && address !== pool4.keptAddress)
        .map((address) => address >>> 0);
    },
    get sessions() {
      return tables.control[CONTROL.SESSION_COUNT];
    },
    get bibEntries() {
      return tables.control[CONTROL.BIB_COUNT];
    },
    get fastPathDevices() {
      return fastPath?.devices ?? [];
    },
    fastPathProblem: 'off' in started ? started.off : undefined,
    queries: createQueries(() => ({ tables, settings }), tableClockSeconds),
    get limits() {
      return limits(tables, settings);
    },
    get hasDevice() {
      return steering.hasDevice;
    },
    get kernelProblem() {
      return steering.problem();
    },
    get kernelContests() {
      return steering.contests();
    },
    get isRepairDue() {
      return steering.isDue();
    },
    async refresh(newConfig, newListenPorts, by) {
      log.setLevel(newConfig.log);
      machine = memory.machine = await readMachine(newConfig, machine);
      const newPool4 = choosePool4(newConfig, machine, pool4.addresses);
      const newWish = steeringWish(newConfig, newListenPorts, newPool4, machine);
      if (isDeepStrictEqual(newWish, wish)) await steering.look(by);
      else await steering.change(newWish, by);
      wish = newWish;
      pool4 = newPool4;
      fastPath?.refresh();
      const newSettings = resolveSettings(newConfig, pool4, machine);
      if (isDeepStrictEqual(newSettings, settings)) return;
      settings = newSettings;
      worker.send({ settings });
    },
    get isPoolComplete() {
      return pool4.configured.every(({ slot }) => slot !== -1);
    },
    restore(snapshot) {
      const own = prefixesOf(config);
      worker.send({
        restore: {
          snapshot,
          prefixes: snapshot.prefixes.map((prefix) => own.indexOf(prefix)),
          // The clock may have been set back, on a machine that keeps no time while it is off.
          elapsedSeconds: Math.max(0, Math.floor((Date.now() - snapshot.savedAtMs) / 1000)),
        },
      });
    },
    snapshot: (kept) => takeSnapshot(tables, prefixesOf(config), tableClockSeconds(), Date.now(), kept),
    holdPorts: () => holdPorts(steeredAddresses(pool4)),
    failWorker: () => worker.fail(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const steeringWish = (
  config: Nat64Config,
  listenPorts: readonly PortRange[],
  pool4: Pool4,
  machine: Machine,
): SteeringWish => ({
  mtuBytes: deviceMtuBytes(config),
  addresses: steeredAddresses(pool4),
  listenPorts,
  routes: routesToDevice(config, pool4, machine),
  clampsSegments: config.clampSegmentSize,
});

/** In a TCP SYN: no segment size is above it. */
const NO_LIMIT_BYTES = 65_535;
/** Of the TOS octet, or the traffic class. */
const WHOLE_OCTET = 0xff;
const TCP_AND_IPV4_HEADER_BYTES = 40;
const TCP_AND_IPV6_HEADER_BYTES = 60;

/** The largest segment that fits the MTU of both sides. */
const largestSegmentBytes = ({ mtu4Bytes, mtu6Bytes }: Nat64Config): number =>
  Math.min(mtu4Bytes - TCP_AND_IPV4_HEADER_BYTES, mtu6Bytes - TCP_AND_IPV6_HEADER_BYTES);

/** What is too big for the other side must reach us, so that its sender is told the right size. */
const deviceMtuBytes = ({ mtu4Bytes, mtu6Bytes }: Nat64Config): number => Math.max(mtu4Bytes, mtu6Bytes);

/** What the worker is told: the configuration with everything that depends on the machine looked up. */
export function resolveSettings(config: Nat64Config, pool4: Pool4, machine: Machine): Settings {
  const prefixes = prefixesOf(config).map((text) => translatedPrefix(text, config.privateAddresses));
  const [prefix] = prefixes;
  const { portBlocks, clientPrefixBits } = config;
  return {
    prefix,
    prefixes,
    privatePrefix: prefixes.findIndex(({ refusesPrivate }) => !refusesPrivate),
    denied4: compileList4(config.denyIpv4.map(parsed)),
    own4: compileOwn4(machine.own),
    embedded4: compileList4(embeddedPrefixes(config, machine.routes6)),
    poolAddresses: pool4.addresses,
    isOwnAddress: pool4.isOwn,
    pools: pool4.pools,
    isPoolAway: pool4.keptAddress !== 0 && pool4.pools.every(({ slot }) => isKept(pool4, slot)),
    staticEntries: pool4.staticEntries,
    eam: compileEam(
      config.eam.map(({ ipv4, ipv6, side }) => ({
        ipv4: parsed(ipv4),
        ipv6: parsed(ipv6),
        isOnIpv4Side: side === 'ipv4',
      })),
    ),
    isStateless: config.mode === 'stateless',
    eamHairpinning: config.eamHairpinning,
    icmpSources4: Int32Array.from(config.icmpSource4, (text) => (parseIpv4(text) ?? 0) | 0),
    portRestSeconds: config.portRestSeconds,
    keepsPortParity: config.keepPortParity,
    keepsPortClass: config.keepPortClass,
    portBlocks:
      portBlocks.size === 0
        ? undefined
        : compilePortBlocks(
            portBlocks.size,
            clientPrefixBits,
            portBlocks.clients.map(parsed),
            pool4.configured,
          ),
    maxMappingsPerClient: config.maxMappingsPerClient,
    maxSessionsPerClient: config.maxSessionsPerClient,
    clientPrefixBits: config.clientPrefixBits,
    // The appliance's own programs may always: they have its IPv4 address anyway.
    allow: compileAccessList(
      [
        ...config.allow.flatMap((entry) => (entry === 'lan' ? [...machine.attached.keys()] : [entry])),
        ...machine.own6.keys(),
      ].map(parsed),
    ),
    ownIpv6: ownIpv6(prefix, machine, pool4.addresses[0] ?? 0),
    mtu4Bytes: config.mtu4Bytes,
    mtu6Bytes: config.mtu6Bytes,
    lowestIpv6MtuBytes: config.lowestIpv6MtuBytes,
    maxSegmentBytes: config.clampSegmentSize ? largestSegmentBytes(config) : NO_LIMIT_BYTES,
    maxSessions: config.maxSessions,
    lifetimes: config.lifetimes,
    isAddressDependent: config.filtering === 'address-dependent',
    dropsZeroUdpChecksum: config.zeroUdpChecksum === 'drop',
    dropsZeroUdpChecksum6: config.zeroUdpChecksumFromIpv6 === 'drop',
    tellsRefused4: config.refusedFromIpv4 === 'prohibited',
    tellsRefused6: config.refusedFromIpv6 === 'prohibited',
    copiedClassTo6: config.trafficClass === 'copy' ? WHOLE_OCTET : 0,
    copiedClassTo4: config.typeOfService === 'copy' ? WHOLE_OCTET : 0,
    setClassTo4: config.typeOfService === 'copy' ? 0 : config.typeOfServiceValue,
    storesSyns: config.unsolicitedSyn === 'store',
  };
}

const isKept = ({ addresses, keptAddress }: Pool4, slot: number) => addresses[slot] === keptAddress;

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** The prefix that is always there first. */
const prefixesOf = ({ prefix, extraPrefixes }: Nat64Config): string[] => [prefix, ...extraPrefixes];

function translatedPrefix(text: string, privateAddresses: Nat64Config['privateAddresses']): TranslatedPrefix {
  const prefix = parseNat64Prefix(text);
  if (prefix === undefined) throw new Error(`nat64.prefix: "${text}" is no NAT64 prefix`);
  const refusesPrivate =
    privateAddresses === 'by-prefix' ? isWellKnownPrefix(prefix) : privateAddresses === 'refuse';
  return { ...prefix, refusesPrivate };
}

/** An address of the machine; one that stands for the pool4 address when it has none of its own. */
function ownIpv6(prefix: Nat64Prefix, { own6 }: Machine, pool4Address: number): Int32Array {
  const [text] = own6.keys();
  const address = text === undefined ? undefined : parseIpv6(text);
  const view = new DataView(address?.buffer ?? new ArrayBuffer(16));
  if (address === undefined) writeEmbeddedIpv4(prefix, pool4Address, view, 0);
  return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(i * 4));
}
