/** A running translation: its device, the steering of packets to it, its worker, and the addresses that it follows. */
import { isDeepStrictEqual } from 'node:util';
import type { Nat64Config } from '../../../config/schema.ts';
import type { PortRange } from '../../../config/values.ts';
import { close } from '../../../os/libc.ts';
import type { Changes } from '../../../os/network-changes.ts';
import { openTun } from '../../../os/tun.ts';
import type { Counters } from '../../../runtime/counters.ts';
import type { Limit } from '../../../runtime/limits.ts';
import type { Nat64Queries } from '../questions.ts';
import type { KernelContest } from '../../../runtime/kernel-trouble.ts';
import type { ServiceContext } from '../../../runtime/service.ts';
import { startTogether } from '../../../runtime/start-together.ts';
import { type SupervisedWorker, superviseWorker } from '../../../runtime/supervise-worker.ts';
import type { Text } from '../../../texts/text.ts';
import type { NAT64_COUNTERS } from '../counters.ts';
import { type Pool4, choosePool4, steeredAddresses } from '../settings/choose-pool4.ts';
import { type FastPath, startFastPath } from '../kernel/fast-path.ts';
import { holdPorts } from '../kernel/hold.ts';
import { type Machine, readMachine } from '../settings/machine.ts';
import { createLimits } from './limits.ts';
import { type MappingLogReader, createMappingRing, readMappingLog } from '../tables/mapping-log.ts';
import { createQueries } from './queries.ts';
import { type KeptSessions, type Snapshot, takeSnapshot } from './snapshot.ts';
import {
  type Steering,
  type SteeringOptions,
  type DesiredSteering,
  startSteering,
} from '../kernel/steering.ts';
import { CONTROL, type SharedTables, createSharedTables, tableClockSeconds } from '../tables/tables.ts';
import type { Nat64Init, Nat64Message } from './worker.ts';
import { prefixesOf, resolveSettings } from '../settings/resolve.ts';
import type { Settings } from '../settings/settings.ts';
import { routesToDevice } from '../settings/routes-to-device.ts';

export interface Translation extends AsyncDisposable {
  readonly restarts: number;
  /** The pool4 addresses, unsigned. An automatic address that is missing is not listed, but its sessions are kept (outage.ts). */
  readonly pool4Addresses: readonly number[];
  readonly sessions: number;
  readonly bibEntries: number;
  readonly queries: Nat64Queries;
  readonly limits: readonly Limit[];
  /** Whether every address of nat64.pool4 is known. */
  readonly isPoolComplete: boolean;
  /** Devices on which the kernel translates established flows itself. */
  readonly fastPathDevices: readonly string[];
  /** Why the kernel does not do so although it is configured. */
  readonly fastPathProblem: Text | undefined;
  /** False if the device was missing at the last check: then only a new translation helps. */
  readonly hasDevice: boolean;
  /** What is missing in the kernel, and why. */
  readonly kernelProblem: Text | undefined;
  readonly kernelContests: readonly KernelContest[];
  /** Something is missing in the kernel, and it is time to restore it. */
  readonly isRepairDue: boolean;
  /**
   * Applies new pools and access lists, and changes of the machine's addresses; repairs what other programs changed in the kernel
   * (`by`: which programs). Sessions continue. Throws if the kernel refuses a change.
   */
  refresh(config: Nat64Config, listenPorts: readonly PortRange[], by: Changes['by']): Promise<void>;
  /** Restores the sessions of a snapshot, as far as they fit the current settings. */
  restore(snapshot: Snapshot): void;
  /** A snapshot of the sessions; after the translation has stopped, of its last sessions. */
  snapshot(kept?: KeptSessions): Snapshot;
  /** Drops packets to the pool from now on, until `releasePorts` is called or half a minute has passed (hold.ts). */
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
 * What is known about the machine. One translation passes it on to the next, which may begin during an outage, or just after
 * another program has removed basic policy rules that every machine needs.
 */
export interface MachineMemory {
  machine: Machine | undefined;
  readonly basicRules: SteeringOptions['basicRules'];
}

export const createMachineMemory = (): MachineMemory => ({ machine: undefined, basicRules: new Map() });

/** Starts translating. A start that fails closes and removes everything that it has made. */
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
  const machine = (memory.machine = await readMachine(config, memory.machine));
  const pool4 = choosePool4(config, machine, new Int32Array());
  const settings = resolveSettings(config, pool4, machine);
  const desired = desiredSteering(config, listenPorts, pool4, machine);
  const followed: Followed = { machine, pool4, settings, desired };
  const started = config.fastPath
    ? startFastPath(config.device, config.maxSessions, context.log)
    : { off: undefined };
  const fastPath: FastPath | undefined = 'off' in started ? undefined : cleanUp.use(started);
  // In parallel: starting the thread takes as long as setting the rules with the kernel's tools.
  const [worker, steering] = await startTogether(
    superviseWorker<Nat64Init, Nat64Message>({
      name: 'nat64',
      entry: new URL('worker.ts', import.meta.url),
      init: () => ({
        tun,
        offload: config.offload,
        settings: followed.settings,
        tables,
        counters: counters.buffer,
        log: ring.buffer,
        flowMaps: fastPath?.maps,
      }),
      log: context.log,
    }),
    startSteering({ device: config.device, prefixes: prefixesOf(config), basicRules, context }, desired),
  );
  cleanUp.use(steering);
  cleanUp.use(worker);
  if (fastPath !== undefined) steering.keepPrograms(fastPath);
  return createTranslation({
    config,
    memory,
    counters,
    tables,
    log,
    followed,
    fastPath,
    fastPathProblem: 'off' in started ? started.off : undefined,
    worker,
    steering,
    running: cleanUp.move(),
  });
}

/** What changes with the machine and with the configuration while a translation runs. */
interface Followed {
  machine: Machine;
  pool4: Pool4;
  settings: Settings;
  desired: DesiredSteering;
}

/** The parts of a running translation. */
interface Parts {
  readonly config: Nat64Config;
  readonly memory: MachineMemory;
  readonly counters: Counters<typeof NAT64_COUNTERS>;
  readonly tables: SharedTables;
  readonly log: MappingLogReader;
  readonly followed: Followed;
  readonly fastPath: FastPath | undefined;
  readonly fastPathProblem: Text | undefined;
  readonly worker: SupervisedWorker<Nat64Message>;
  readonly steering: Steering;
  readonly running: AsyncDisposableStack;
}

function createTranslation(parts: Parts): Translation {
  const { config, counters, tables, followed, fastPath, fastPathProblem, worker, steering, running } = parts;
  const limits = createLimits(() => counters.values[counters.index['icmp-errors-withheld']]);
  return {
    get restarts() {
      return worker.restarts;
    },
    get pool4Addresses() {
      const { addresses, keptAddress } = followed.pool4;
      return [...addresses]
        .filter((address) => address !== 0 && address !== keptAddress)
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
    fastPathProblem,
    queries: createQueries(() => ({ tables, settings: followed.settings }), tableClockSeconds),
    get limits() {
      return limits(tables, followed.settings);
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
    refresh: (newConfig, listenPorts, by) => refresh(parts, newConfig, listenPorts, by),
    get isPoolComplete() {
      return followed.pool4.configured.every(({ slot }) => slot !== -1);
    },
    restore(snapshot) {
      const own = prefixesOf(config);
      worker.send({
        restore: {
          snapshot,
          prefixes: snapshot.prefixes.map((prefix) => own.indexOf(prefix)),
          // The clock may have gone back, on a machine that does not keep the time while it is off.
          elapsedSeconds: Math.max(0, Math.floor((Date.now() - snapshot.savedAtMs) / 1000)),
        },
      });
    },
    snapshot: (kept) => takeSnapshot(tables, prefixesOf(config), tableClockSeconds(), Date.now(), kept),
    holdPorts: () => holdPorts(steeredAddresses(followed.pool4)),
    failWorker: () => worker.fail(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function refresh(
  { memory, log, followed, fastPath, worker, steering }: Parts,
  config: Nat64Config,
  listenPorts: readonly PortRange[],
  by: Changes['by'],
): Promise<void> {
  log.setLevel(config.log);
  followed.machine = memory.machine = await readMachine(config, followed.machine);
  const pool4 = choosePool4(config, followed.machine, followed.pool4.addresses);
  const desired = desiredSteering(config, listenPorts, pool4, followed.machine);
  if (isDeepStrictEqual(desired, followed.desired)) await steering.look(by);
  else await steering.change(desired, by);
  followed.desired = desired;
  followed.pool4 = pool4;
  fastPath?.follow();
  const settings = resolveSettings(config, pool4, followed.machine);
  if (isDeepStrictEqual(settings, followed.settings)) return;
  followed.settings = settings;
  worker.send({ settings });
}

const desiredSteering = (
  config: Nat64Config,
  listenPorts: readonly PortRange[],
  pool4: Pool4,
  machine: Machine,
): DesiredSteering => ({
  mtuBytes: deviceMtuBytes(config),
  addresses: steeredAddresses(pool4),
  listenPorts,
  routes: routesToDevice(config, pool4, machine),
  clampsSegments: config.clampSegmentSize,
});

/** The larger of both MTUs: packets that are too big for the other side must reach us, so that we can report the right size. */
const deviceMtuBytes = ({ mtu4Bytes, mtu6Bytes }: Nat64Config): number => Math.max(mtu4Bytes, mtu6Bytes);
