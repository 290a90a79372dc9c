/** NAT64 as a service: translates while it is enabled, and follows changes of the machine's addresses. */
import type { Nat64Config } from '../../../config/schema.ts';
import type { PortRange } from '../../../config/values.ts';
import { type Changes, watchNetworkChanges } from '../../../os/network-changes.ts';
import { createCounters, readCounters } from '../../../runtime/counters.ts';
import { report, wasRemoved } from '../../../runtime/kernel-keeper.ts';
import {
  type Trouble,
  contestsOf,
  fights,
  isCalm,
  isWaiting,
  newTrouble,
  noteRepair,
  programText,
} from '../../../runtime/kernel-trouble.ts';
import type { Nat64Queries } from '../questions.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { ServiceStatus } from '../../../runtime/report.ts';
import type { Service, ServiceContext } from '../../../runtime/service.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { NAT64_COUNTERS } from '../counters.ts';
import { removeLeftBehind } from '../kernel/steering-rules.ts';
import { type SessionKeeper, createSessionKeeper } from './session-keeper.ts';
import { type Translation, createMachineMemory, needsRestart, startTranslation } from './translation.ts';
import { type Text, type Value, english, reasonOf, say } from '../../../texts/text.ts';
import { createInTurn } from '../../../os/in-turn.ts';

export interface Nat64Options {
  readonly nat64: Nat64Config;
  /** Ports that this process listens on. */
  readonly listenPorts: readonly PortRange[];
}

export interface Nat64Service extends Service<Nat64Options> {
  /** Queries about the tables; undefined while there is no translation. */
  readonly queries: Nat64Queries | undefined;
}

/** How soon a change of the machine's addresses is noticed. DHCP may change them at any time. */
const FOLLOW_INTERVAL_MS = 1000;
/** How often everything is checked without a report from the kernel: it does not report all kernel parameters, nor BPF programs. */
const LOOK_INTERVAL_MS = 60_000;

const NOBODY: Changes['by'] = new Map();

const NO_POOL4 = say(
  'There is no IPv4 address to translate to: the appliance has no IPv4 default route, and not exactly one IPv4 address. Connect it to the IPv4 network, or set nat64.pool4[0].address.',
);

/**
 * Starts NAT64. Only a missing IPv4 address does not make the start fail: until there is one, the service is degraded.
 * Stopping removes the device, the routes, the rules, the nftables table and the changes to kernel parameters.
 */
export async function startNat64(options: Nat64Options, context: ServiceContext): Promise<Nat64Service> {
  const service = new Nat64(options, context);
  await service.start();
  return service;
}

class Nat64 implements Nat64Service {
  readonly name = 'nat64';
  readonly counterTable = NAT64_COUNTERS;
  readonly #context: ServiceContext;
  readonly #log: Logger;
  readonly #counters = createCounters(NAT64_COUNTERS);
  readonly #memory = createMachineMemory();
  readonly #keeper: SessionKeeper;
  readonly #changes = watchNetworkChanges();
  /** A reconfiguration and the regular check of the addresses must not run at the same time. */
  readonly #inTurn = createInTurn();
  #config: Nat64Config;
  #listenPorts: readonly PortRange[];
  #translation: Translation | undefined;
  /** Why changes of the machine could not be followed, or the device could not be replaced. */
  #failure: Text | undefined;
  /** The state of the device, for the case that another program deletes it. The translation keeps the rest in the kernel in place. */
  #device: Trouble;
  #earlierRestarts = 0;
  #isStopping = false;
  #lookedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ nat64, listenPorts }: Nat64Options, context: ServiceContext) {
    this.#config = nat64;
    this.#listenPorts = listenPorts;
    this.#log = context.log;
    this.#context = { ...context, log: this.#log };
    this.#keeper = createSessionKeeper(context, this.#log);
    this.#device = newTrouble(deviceName(nat64));
    const err = this.#changes.problem;
    if (err !== undefined)
      this.#log.warn(
        { err },
        'nat64: the kernel does not tell of changes of the network; looking every second',
      );
  }

  async start(): Promise<void> {
    const { enabled, keepSessions, device } = this.#config;
    if (enabled) {
      await this.#keeper.readLeft(keepSessions);
      try {
        await this.#begin();
      } catch (error) {
        this.#changes[Symbol.dispose]();
        // Keep the sessions for the next attempt to start.
        await this.#keeper.end(true);
        throw error;
      }
    } else
      await removeLeftBehind(device, this.#context).catch((error: unknown) =>
        this.#log.warn(
          { err: error },
          'nat64: what another process left in the kernel could not be taken back',
        ),
      );
    this.#timer = setInterval(() => void this.#inTurn(() => this.#follow()), FOLLOW_INTERVAL_MS);
    this.#timer.unref();
  }

  get queries(): Nat64Queries | undefined {
    return this.#translation?.queries;
  }

  counters = () => readCounters(this.#counters);
  limits = () => this.#translation?.limits ?? [];
  kernelContests = () => [...contestsOf([this.#device]), ...(this.#translation?.kernelContests ?? [])];
  failWorker = () => this.#translation?.failWorker();
  reconfigure = (options: Nat64Options) => this.#inTurn(() => this.#reconfigure(options));

  status = (): ServiceStatus => {
    const translation = this.#translation;
    const { enabled, mode } = this.#config;
    const restarts = this.#earlierRestarts + (translation?.restarts ?? 0);
    if (!enabled) return { state: 'disabled', restarts, figures: {} };
    const addresses = (translation?.pool4Addresses ?? []).map(formatIpv4);
    const problem =
      this.#failure ??
      this.#deviceProblem() ??
      translation?.kernelProblem ??
      (addresses.length === 0 && mode === 'stateful' ? NO_POOL4 : undefined);
    const figures = {
      sessions: translation?.sessions ?? 0,
      bibEntries: translation?.bibEntries ?? 0,
      pool4Address: addresses.length === 0 ? say('none') : addresses.join(', '),
      fastPath: fastPath(translation),
    };
    return problem === undefined
      ? { state: 'running', restarts, figures }
      : { state: 'degraded', problem, restarts, figures };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#inTurn(() => this.#end(this.#config.keepSessions));
    this.#changes[Symbol.dispose]();
    await this.#keeper.end(this.#config.keepSessions);
  }

  async #begin(): Promise<void> {
    const counters = this.#counters;
    this.#translation = await startTranslation(
      this.#config,
      this.#listenPorts,
      this.#memory,
      counters,
      this.#context,
    );
    await this.#keeper.restoreInto(this.#translation);
  }

  /** `keepsSessions`: keeps the sessions for the next translation, or for the file. */
  async #end(keepsSessions: boolean): Promise<void> {
    const ending = this.#translation;
    this.#translation = undefined;
    if (ending === undefined) return;
    this.#earlierRestarts += ending.restarts;
    if (keepsSessions) await this.#keeper.hold(ending);
    await ending[Symbol.asyncDispose]();
    if (keepsSessions) this.#keeper.keep(ending);
  }

  #deviceProblem(): Text | undefined {
    const device = this.#device;
    if (device.missing === undefined) return undefined;
    if (isWaiting(device, performance.now())) return fights([device]);
    return say('{who} removed {items}; it is being created again.', { who: device.who, items: device.what });
  }

  /** Makes the device again after another program has deleted it. If that happens repeatedly, it waits before it tries again. */
  async #replaceDevice(by: Changes['by']): Promise<void> {
    const nowMs = performance.now();
    const who = programText(by.get('link'));
    if (this.#translation !== undefined) {
      if (isCalm(this.#device, nowMs)) this.#device = newTrouble(deviceName(this.#config));
      await this.#end(true);
      this.#device.missing = 'contested';
      this.#device.who = who;
    }
    const device = this.#device;
    if (isWaiting(device, nowMs)) return;
    await this.#begin();
    const reporter = { service: 'nat64', events: this.#context.events, log: this.#log, now: Date.now };
    const isFight = noteRepair(device, device.who, nowMs);
    report(reporter, 'ok', wasRemoved(device.who, device.what));
    if (isFight) report(reporter, 'warn', fights([device]));
  }

  async #follow(): Promise<void> {
    const config = this.#config;
    if (this.#isStopping || !config.enabled) return;
    try {
      const nowMs = performance.now();
      // Not part of the condition below: the reports of the kernel must be taken in any case.
      const { hasChanged, by } = this.#changes.take();
      if (this.#device.missing !== undefined) await this.#replaceDevice(by);
      else if (this.#translation === undefined) await this.#begin();
      else if (
        hasChanged ||
        this.#failure !== undefined ||
        this.#translation.isRepairDue ||
        nowMs - this.#lookedMs >= LOOK_INTERVAL_MS
      ) {
        this.#lookedMs = nowMs;
        await this.#translation.refresh(config, this.#listenPorts, by);
        if (!this.#translation.hasDevice) await this.#replaceDevice(by);
      }
      if (this.#translation !== undefined) {
        await this.#keeper.restoreInto(this.#translation);
        await this.#keeper.save(this.#translation, nowMs, config.keepSessions);
      }
      this.#failure = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (english(reason) !== english(this.#failure ?? ''))
        this.#log.error({ err: error }, 'nat64: cannot follow a change of the machine');
      this.#failure = reason;
    }
  }

  async #reconfigure({ nat64, listenPorts }: Nat64Options): Promise<void> {
    const previous = this.#config;
    const previousPorts = this.#listenPorts;
    this.#config = nat64;
    this.#listenPorts = listenPorts;
    try {
      if (!nat64.enabled) {
        await this.#end(false);
        await this.#keeper.forget();
      } else if (this.#translation === undefined) await this.#begin();
      else if (needsRestart(previous, nat64)) {
        await this.#end(true);
        await this.#begin();
      } else await this.#translation.refresh(nat64, listenPorts, NOBODY);
      this.#device = newTrouble(deviceName(nat64));
      this.#failure = undefined;
    } catch (error) {
      this.#config = previous;
      this.#listenPorts = previousPorts;
      this.#lookedMs = Number.NEGATIVE_INFINITY;
      await this.#follow();
      throw new Error('nat64: the new configuration could not be applied', { cause: error });
    }
  }
}

/** The devices that the fast path runs on, or why it is off. */
function fastPath(translation: Translation | undefined): Value {
  const reason = translation?.fastPathProblem;
  if (reason !== undefined) return say('off: {reason}', { reason });
  return translation?.fastPathDevices.join(', ') || say('off');
}

const deviceName = ({ device }: Nat64Config): Text => say('the device {device}', { device });
