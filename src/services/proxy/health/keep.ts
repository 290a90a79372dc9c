/** The proxy's health checks, as it starts them, changes them and reports what they find. Their code is loaded at the first need. */
import type { HostConfig, ListenerConfig } from '../../../config/schema.ts';
import type { FailingAddresses } from '../../../net/server-addresses.ts';
import type { FollowedOurselves } from '../../../os/follow-ourselves.ts';
import { isOwnAddress } from '../../../os/ourselves.ts';
import type { HealthByServer } from '../../../runtime/address-health.ts';
import type { EventSink } from '../../../runtime/events.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { HealthFound } from '../../../runtime/own-events.ts';
import { english, say } from '../../../texts/text.ts';
import type { HealthChange, HealthMonitor, HealthPlan } from './monitor.ts';

export interface HealthKeeper extends Disposable {
  /** What to check under a configuration. `commit` puts it in force. */
  prepare(hosts: readonly HostConfig[], listeners: readonly ListenerConfig[]): Promise<PreparedHealth>;
  report(): HealthByServer;
}

export interface PreparedHealth {
  readonly failing: ReadonlyMap<string, FailingAddresses>;
  commit(): void;
}

export interface KeeperContext {
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  readonly events?: EventSink | undefined;
}

const NOTHING: PreparedHealth = { failing: new Map(), commit() {} };

export function keepHealth(context: KeeperContext): HealthKeeper {
  let monitor: HealthMonitor | undefined;
  let isDisposed = false;
  return {
    async prepare(hosts, listeners) {
      if (monitor === undefined) {
        if (!hosts.some(({ health, enabled }) => health !== false && enabled)) return NOTHING;
        monitor = await startMonitor(context);
      }
      const { planHealth } = await import('./targets.ts');
      const current = monitor;
      const plan: HealthPlan = current.prepare(planHealth(hosts, listeners));
      return {
        failing: plan.failing,
        commit() {
          if (!isDisposed) current.commit(plan);
        },
      };
    },
    report: () => monitor?.report() ?? {},
    [Symbol.dispose]() {
      isDisposed = true;
      monitor?.[Symbol.dispose]();
    },
  };
}

async function startMonitor(context: KeeperContext): Promise<HealthMonitor> {
  const [{ createHealthMonitor }, { checkAddress }] = await Promise.all([
    import('./monitor.ts'),
    import('./check.ts'),
  ]);
  return createHealthMonitor({
    check: async (target, signal) =>
      isOwnAddress(context.ourselves.current, target.address)
        ? {
            kind: 'fail',
            reason: 'ourselves',
            detail: say(
              '{address} is an address of this appliance itself: the appliance never connects to it.',
              { address: target.address },
            ),
          }
        : checkAddress(target, signal),
    monotonicMs: () => performance.now(),
    now: Date.now,
    chance: Math.random,
    onChange: (change) => tell(context, change),
  });
}

function tell({ log, events }: KeeperContext, change: HealthChange): void {
  const { server, address, failing, failingAddresses, addresses } = change;
  const event: HealthFound = {
    kind: 'health',
    server,
    address,
    state: failing === undefined ? 'ok' : failingAddresses < addresses ? 'warn' : 'fail',
    before: failing === undefined ? 'fail' : 'ok',
    probe: failing?.check ?? null,
    service: failing?.service ?? null,
    port: failing?.port ?? null,
    hostname: failing?.hostname ?? null,
    detail: failing?.detail ?? null,
    failing: failingAddresses,
  };
  events?.put(event, Date.now());
  if (failing === undefined) return log.info({ server, address }, 'health: the address is well again');
  const { service: listener, port, detail } = failing;
  log.warn(
    { server, address, listener, port, detail: detail === null ? undefined : english(detail) },
    'health: the address fails its checks',
  );
}
