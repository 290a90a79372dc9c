/** NAT64 as a service: translation while it is enabled, following the addresses of the machine. */
import type { Nat64Config } from '../../../config/schema.ts';
import type { PortRange } from '../../../config/values.ts';
import { type Changes, watchNetworkChanges } from '../../../os/network-changes.ts';
import { createCounters, readCounters } from '../../../runtime/counters.ts';
import { tell, wasRemoved } from '../../../runtime/kernel-keeper.ts';
import {
  contestsOf,
  fights,
  isCalm,
  isWaiting,
  newTrouble,
  noteRepair,
  programText,
} from '../../../runtime/kernel-trouble.ts';
import type { Nat64Queries } from '../questions.ts';
import type { ServiceStatus } from '../../../runtime/report.ts';
import type { Service, ServiceContext } from '../../../runtime/service.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { NAT64_COUNTERS } from '../counters.ts';
import { releasePorts } from '../kernel/hold.ts';
import { type Snapshot, snapshotSessions } from './snapshot.ts';
import { removeLeftBehind } from '../kernel/steering-rules.ts';
import { FILE_NAME, createSessionFile, readSessions } from './snapshot-file.ts';
import { type Translation, createMachineMemory, needsRestart, startTranslation } from './translation.ts';
import { type Text, type Value, english, reasonOf, say } from '../../../texts/text.ts';
import { createInTurn } from '../../../os/in-turn.ts';

export interface Nat64Options {
  readonly nat64: Nat64Config;
  /** Ports that this process listens on. */
  readonly listenPorts: readonly PortRange[];
}

export interface Nat64Service extends Service<Nat64Options> {
  /** Questions about the tables; undefined while there is no translation. */
  readonly queries: Nat64Queries | undefined;
}

/** Sessions that wait for the addresses of the pool are restored after this time, as far as they can be. */
const RESTORE_WAIT_MS = 60_000;

/** How soon a change of the machine's addresses is noticed. DHCP may change them at any time. */
const FOLLOW_INTERVAL_MS = 1000;
/** How often all is looked at although the kernel tells of no change: it does not tell of every kernel parameter, nor of programs. */
const LOOK_INTERVAL_MS = 60_000;

const NOBODY: Changes['by'] = new Map();

const NO_POOL4 = say(
  'There is no IPv4 address to translate to: the appliance has no IPv4 default route, and not exactly one IPv4 address. Connect it to the IPv4 network, or set nat64.pool4[0].address.',
);

/**
 * Starts NAT64. The only thing that it waits for without failing is an IPv4 address: until there is one it is degraded.
 * Stopping removes the device, the routes, the rules, the nftables table and the changes to kernel parameters.
 */
export async function startNat64(options: Nat64Options, context: ServiceContext): Promise<Nat64Service> {
  const counters = createCounters(NAT64_COUNTERS);
  const log = context.log.child({ service: 'nat64' });
  let config = options.nat64;
  let { listenPorts } = options;
  let translation: Translation | undefined;
  const memory = createMachineMemory();
  /** Why the addresses could not be followed, or the device not be replaced. */
  let failure: Text | undefined;
  /** Sessions of a translation that has ended, to go on in the next one, until that has its addresses. */
  let kept: { readonly snapshot: Snapshot; readonly sinceMs: number } | undefined;
  const sessionFile = createSessionFile({ ...context, log, nowMs: performance.now() });
  /** The translation before, perhaps of another process, may have left the pool's ports held (hold.ts). */
  let mayBeHeld = true;
  let earlierRestarts = 0;
  let stopping = false;
  /** The device, when somebody deletes it: what else is in the kernel is the translation's to keep. */
  let device = newTrouble(deviceName(config));
  const changes = watchNetworkChanges();
  if (changes.problem !== undefined) {
    const err = changes.problem;
    log.warn({ err }, 'nat64: the kernel does not tell of changes of the network; looking every second');
  }
  let lookedMs = 0;
  /** A reconfiguration and the regular look at the addresses must not cross. */
  const inTurn = createInTurn();

  async function start(): Promise<void> {
    translation = await startTranslation(config, listenPorts, memory, counters, { ...context, log });
    await restoreKept();
  }

  /** `keepsSessions`: for the next translation, or for the file. */
  async function stop(keepsSessions: boolean): Promise<void> {
    const ending = translation;
    translation = undefined;
    earlierRestarts += ending?.restarts ?? 0;
    if (ending === undefined) return;
    // Connections that the next translation goes on with are not to be reset meanwhile.
    if (keepsSessions && snapshotSessions(ending.snapshot('established')) > 0) {
      mayBeHeld = true;
      await ending.holdPorts().catch((error: unknown) => {
        log.warn({ err: error }, 'nat64: the kernel may reset connections until NAT64 is back');
      });
    }
    await ending[Symbol.asyncDispose]();
    if (keepsSessions) kept ??= { snapshot: ending.snapshot(), sinceMs: performance.now() };
  }

  /** Once the addresses are there that the sessions had, which after a start of the machine may take a while. */
  async function restoreKept(): Promise<void> {
    if (translation === undefined) return;
    if (kept !== undefined) {
      const hasWaited = performance.now() - kept.sinceMs > RESTORE_WAIT_MS;
      if (!translation.isPoolComplete && !hasWaited) return;
      translation.restore(kept.snapshot);
      kept = undefined;
    }
    if (!mayBeHeld) return;
    mayBeHeld = false;
    await releasePorts().catch((error: unknown) => {
      log.warn({ err: error }, 'nat64: the ports of the pool stay held for up to half a minute');
    });
  }

  async function keepSessions(nowMs: number): Promise<void> {
    const running = translation;
    // Sessions that wait to be restored are not in the tables yet.
    if (running === undefined || kept !== undefined) return;
    if (config.keepSessions) await sessionFile.keepNowAndThen(nowMs, (which) => running.snapshot(which));
    else await sessionFile.remove();
  }

  function deviceProblem(): Text | undefined {
    if (device.missing === undefined) return undefined;
    if (isWaiting(device, performance.now())) return fights([device]);
    return say('{who} removed {items}; it is being made again.', { who: device.who, items: device.what });
  }

  /** Makes the device again that another program has deleted; not for ever as soon as it is gone. */
  async function replaceDevice(by: Changes['by']): Promise<void> {
    const nowMs = performance.now();
    const who = programText(by.get('link'));
    if (translation !== undefined) {
      if (isCalm(device, nowMs)) device = newTrouble(deviceName(config));
      await stop(true);
      device.missing = 'contested';
      device.who = who;
    }
    if (isWaiting(device, nowMs)) return;
    await start();
    const teller = { service: 'nat64', events: context.events, log, now: Date.now };
    const isFight = noteRepair(device, device.who, nowMs);
    tell(teller, 'ok', wasRemoved(device.who, device.what));
    if (isFight) tell(teller, 'warn', fights([device]));
  }

  async function follow(): Promise<void> {
    if (stopping || !config.enabled) return;
    try {
      const nowMs = performance.now();
      // Not in one expression: what the kernel has told so far is to be taken in any case.
      const { hasChanged, by } = changes.take();
      if (device.missing !== undefined) await replaceDevice(by);
      else if (translation === undefined) await start();
      else if (
        hasChanged ||
        failure !== undefined ||
        translation.isRepairDue ||
        nowMs - lookedMs >= LOOK_INTERVAL_MS
      ) {
        lookedMs = nowMs;
        await translation.refresh(config, listenPorts, by);
        if (!translation.hasDevice) await replaceDevice(by);
      }
      await restoreKept();
      await keepSessions(nowMs);
      failure = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (english(reason) !== english(failure ?? ''))
        log.error({ err: error }, 'nat64: cannot follow a change of the machine');
      failure = reason;
    }
  }

  async function reconfigure({ nat64, listenPorts: nextPorts }: Nat64Options): Promise<void> {
    const previous = { config, listenPorts };
    config = nat64;
    listenPorts = nextPorts;
    try {
      if (!nat64.enabled) {
        await stop(false);
        kept = undefined;
        await sessionFile.remove();
      } else if (translation === undefined) await start();
      else if (needsRestart(previous.config, nat64)) {
        await stop(true);
        await start();
      } else await translation.refresh(nat64, listenPorts, NOBODY);
      device = newTrouble(deviceName(config));
      failure = undefined;
    } catch (error) {
      ({ config, listenPorts } = previous);
      lookedMs = Number.NEGATIVE_INFINITY;
      await follow();
      throw new Error('nat64: the new configuration could not be applied', { cause: error });
    }
  }

  function status(): ServiceStatus {
    const restarts = earlierRestarts + (translation?.restarts ?? 0);
    if (!config.enabled) return { state: 'disabled', restarts, figures: {} };
    const addresses = (translation?.pool4Addresses ?? []).map(formatIpv4);
    const problem =
      failure ??
      deviceProblem() ??
      translation?.kernelProblem ??
      (addresses.length === 0 && config.mode === 'stateful' ? NO_POOL4 : undefined);
    const figures = {
      sessions: translation?.sessions ?? 0,
      bibEntries: translation?.bibEntries ?? 0,
      pool4Address: addresses.length === 0 ? say('none') : addresses.join(', '),
      fastPath: fastPath(translation),
    };
    return problem === undefined
      ? { state: 'running', restarts, figures }
      : { state: 'degraded', problem, restarts, figures };
  }

  if (config.enabled) {
    const isOurs = context.storage?.isOurs ?? true;
    const snapshot = isOurs
      ? await readSessions(context.stateDirectory, config.keepSessions, log, (error, aside) =>
          context.storage?.noteAside(FILE_NAME, error, aside),
        )
      : undefined;
    if (snapshot !== undefined) kept = { snapshot, sinceMs: performance.now() };
    try {
      await start();
    } catch (error) {
      changes[Symbol.dispose]();
      // The next attempt shall have them too.
      if (kept !== undefined) await sessionFile.keepLast(kept.snapshot);
      throw error;
    }
  } else
    await removeLeftBehind(config.device, context).catch((error: unknown) =>
      log.warn({ err: error }, 'nat64: what another process left in the kernel could not be taken back'),
    );
  const timer = setInterval(() => void inTurn(follow), FOLLOW_INTERVAL_MS);
  timer.unref();
  return {
    name: 'nat64',
    counterTable: NAT64_COUNTERS,
    get queries() {
      return translation?.queries;
    },
    reconfigure: (newOptions) => inTurn(() => reconfigure(newOptions)),
    status,
    counters: () => readCounters(counters),
    limits: () => translation?.limits ?? [],
    kernelContests: () => [...contestsOf([device]), ...(translation?.kernelContests ?? [])],
    failWorker: () => translation?.failWorker(),
    async [Symbol.asyncDispose]() {
      stopping = true;
      clearInterval(timer);
      await inTurn(() => stop(config.keepSessions));
      changes[Symbol.dispose]();
      if (!config.keepSessions) await sessionFile.remove();
      else if (kept !== undefined) await sessionFile.keepLast(kept.snapshot);
    },
  };
}

/** The devices that it is on, or why it is off. */
function fastPath(translation: Translation | undefined): Value {
  const reason = translation?.fastPathProblem;
  if (reason !== undefined) return say('off: {reason}', { reason });
  return translation?.fastPathDevices.join(', ') || say('off');
}

const deviceName = ({ device }: Nat64Config): Text => say('the device {device}', { device });
