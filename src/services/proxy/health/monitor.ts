/**
 * Checks the addresses of servers regularly. It runs in the main thread; the threads that dial read one number for each server
 * and listener (`FailingAddresses`). Clock, chance and network are arguments.
 */
import { type FailingAddresses, createFailingAddresses } from '../../../net/server-addresses.ts';
import type { AddressHealthFound, HealthByServer, HealthReason } from '../../../runtime/address-health.ts';
import type { Text } from '../../../texts/text.ts';
import { failingKey } from '../host-table.ts';
import type { HealthResult } from './check.ts';
import { GAP_MS, createSchedule } from './schedule.ts';
import { type AddressState, judge, newAddressState, nextCheckMs } from './state.ts';
import type { HealthGroup, HealthTarget } from './targets.ts';

export interface MonitorDeps {
  /** Never rejects. */
  readonly check: (target: HealthTarget, signal: AbortSignal) => Promise<HealthResult>;
  /** A clock that is never set. */
  readonly monotonicMs: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** An address of a server has begun to fail (at one port at least), or is well again (at all ports). */
  readonly onChange: (change: HealthChange) => void;
}

export interface HealthChange {
  readonly server: string;
  readonly address: string;
  /** fail: with the port that fails first. */
  readonly failing:
    | Pick<AddressHealthFound, 'service' | 'port' | 'check' | 'hostname' | 'detail'>
    | undefined;
  /** How many addresses of the server fail now. */
  readonly failingAddresses: number;
  /** How many it has. */
  readonly addresses: number;
}

/** What is to be checked from a change of the configuration on; the memory is for the threads that dial. */
export interface HealthPlan {
  readonly groups: readonly PlannedGroup[];
  /** By `failingKey`; only servers with several addresses. */
  readonly failing: ReadonlyMap<string, FailingAddresses>;
}

interface PlannedGroup {
  readonly entries: readonly Entry[];
  readonly bits: Int32Array;
}

export interface HealthMonitor extends Disposable {
  /** Prepares new groups. What is known of an address stays known if address and settings are the same. */
  prepare(groups: readonly HealthGroup[]): HealthPlan;
  /** The plan is in force. */
  commit(plan: HealthPlan): void;
  report(): HealthByServer;
}

interface Entry {
  readonly key: string;
  readonly target: HealthTarget;
  readonly state: AddressState;
  dueMs: number;
  checkedMs: number | undefined;
  latencyMs: number | null;
  reason: HealthReason | null;
  detail: Text | null;
}

export function createHealthMonitor(deps: MonitorDeps): HealthMonitor {
  const { monotonicMs } = deps;
  const aborter = new AbortController();
  let entries = new Map<string, Entry>();
  let groups: readonly PlannedGroup[] = [];

  const schedule = createSchedule<Entry>(monotonicMs, async (entry) => {
    const result = await deps.check(entry.target, aborter.signal);
    if (entries.get(entry.key) !== entry) return; // it is not checked any more
    takeIn(entry, result);
    entry.dueMs = monotonicMs() + nextCheckMs(entry.state, entry.target, deps.chance());
    schedule.add(entry);
  });

  function takeIn(entry: Entry, result: HealthResult): void {
    if (result.kind === 'late') return;
    const nowMs = monotonicMs();
    const isWell = result.kind === 'ok';
    entry.checkedMs = nowMs;
    entry.latencyMs = isWell ? result.latencyMs : null;
    entry.reason = isWell ? null : result.reason;
    entry.detail = isWell ? null : result.detail;
    if (!judge(entry.state, isWell, entry.target, nowMs)) return;
    writeBits(groups);
    tellChange(entry);
  }

  /** One event for an address, however many of its ports fail. */
  function tellChange(changed: Entry): void {
    const { target, state, detail } = changed;
    const { server, address, listener, port, check, hostname = null } = target;
    const all = [...entries.values()].filter((each) => each.target.server === server);
    const failing = all.filter((each) => each !== changed && each.state.state === 'fail');
    const isFailing = state.state === 'fail';
    // Another port of the address fails, so it was failing before, and is failing now. The first success tells nothing new.
    if (failing.some((each) => each.target.address === address)) return;
    if (state.state === 'ok' && state.falls === 0) return;
    const failingAddresses = new Set(failing.map((each) => each.target.address));
    deps.onChange({
      server,
      address,
      failing: isFailing ? { service: listener, port, check, hostname, detail } : undefined,
      failingAddresses: failingAddresses.size + Number(isFailing),
      addresses: new Set(all.map((each) => each.target.address)).size,
    });
  }

  function prepare(wanted: readonly HealthGroup[]): HealthPlan {
    const nowMs = monotonicMs();
    let turn = 0;
    const failing = new Map<string, FailingAddresses>();
    const planned = wanted.map((group): PlannedGroup => {
      const memory = createFailingAddresses();
      if (group.length > 1) failing.set(failingKey(group[0].server, group[0].listener), memory);
      const members = group.map((target) => {
        const key = JSON.stringify(target);
        return entries.get(key) ?? newEntry(key, target, nowMs, nowMs + GAP_MS * turn++);
      });
      return { entries: members, bits: new Int32Array(memory) };
    });
    writeBits(planned);
    return { groups: planned, failing };
  }

  function commit(plan: HealthPlan): void {
    const next = new Map(plan.groups.flatMap((group) => group.entries.map((entry) => [entry.key, entry])));
    const fresh = [...next.values()].filter(({ key }) => !entries.has(key));
    entries = next;
    groups = plan.groups;
    writeBits(groups); // states may have changed since `prepare`
    schedule.keepOnly(new Set(next.values()));
    fresh.forEach(schedule.add);
  }

  return {
    prepare,
    commit,
    report() {
      const found: Record<string, AddressHealthFound[]> = {};
      const timeOf = (ms: number) => new Date(deps.now() - (monotonicMs() - ms)).toISOString();
      for (const entry of entries.values()) (found[entry.target.server] ??= []).push(shown(entry, timeOf));
      return found;
    },
    [Symbol.dispose]() {
      aborter.abort();
      schedule[Symbol.dispose]();
    },
  };
}

function shown(
  { target, state: { state, sinceMs, falls }, checkedMs, latencyMs, reason, detail }: Entry,
  timeOf: (ms: number) => string,
): AddressHealthFound {
  const { listener: service, address, port, check, hostname = null } = target;
  return {
    ...{ service, address, port, check, hostname, state },
    since: state === 'unknown' ? null : timeOf(sinceMs),
    checkedAt: checkedMs === undefined ? null : timeOf(checkedMs),
    ...{ latencyMs, reason, detail, falls },
  };
}

const newEntry = (key: string, target: HealthTarget, nowMs: number, dueMs: number): Entry => ({
  key,
  target,
  state: newAddressState(nowMs),
  dueMs,
  checkedMs: undefined,
  latencyMs: null,
  reason: null,
  detail: null,
});

function writeBits(groups: readonly PlannedGroup[]): void {
  for (const { entries, bits } of groups)
    bits[0] = entries.reduce((sum, { state }, at) => sum | (Number(state.state === 'fail') << at), 0);
}
