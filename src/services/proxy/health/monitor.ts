/**
 * Checks the addresses of servers regularly, one timer for all of them. It runs in the main thread; the threads that dial read
 * one number for each server and listener (`FailingAddresses`). Clock, chance and network are arguments.
 */
import { type FailingAddresses, createFailingAddresses } from '../../../net/server-addresses.ts';
import type { AddressHealthFound, HealthByServer, HealthReason } from '../../../runtime/address-health.ts';
import type { Text } from '../../../texts/text.ts';
import { failingKey } from '../host-table.ts';
import type { HealthResult } from './check.ts';
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

/** More checks at the same time would cost memory: a TLS connection needs about 50 KB. */
const MOST_AT_ONCE = 32;
/** The least time between two starts: with very many addresses, the intervals become longer. */
const GAP_MS = 20;

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
  const { monotonicMs, chance } = deps;
  const aborter = new AbortController();
  let entries = new Map<string, Entry>();
  let groups: readonly PlannedGroup[] = [];
  /** The entries that wait for their next check, the most urgent first. */
  const queue: Entry[] = [];
  let running = 0;
  let lastStartMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  function enqueue(entry: Entry): void {
    let [low, high] = [0, queue.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (queue[middle].dueMs <= entry.dueMs) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, entry);
  }

  /** Sets the timer for the next start, if there may be one. */
  function schedule(): void {
    clearTimeout(timer);
    if (queue.length === 0 || running >= MOST_AT_ONCE || aborter.signal.aborted) return;
    const atMs = Math.max(queue[0].dueMs, lastStartMs + GAP_MS);
    timer = setTimeout(startNext, Math.max(atMs - monotonicMs(), 0)).unref();
  }

  function startNext(): void {
    const nowMs = monotonicMs();
    const entry = queue[0];
    if (entry !== undefined && entry.dueMs <= nowMs) {
      queue.shift();
      lastStartMs = nowMs;
      running++;
      void deps.check(entry.target, aborter.signal).then((result) => {
        running--;
        if (entries.get(entry.key) === entry) takeIn(entry, result);
        schedule();
      });
    }
    schedule();
  }

  function takeIn(entry: Entry, result: HealthResult): void {
    const { target, state } = entry;
    const nowMs = monotonicMs();
    if (result.kind !== 'late') {
      entry.checkedMs = nowMs;
      entry.latencyMs = result.kind === 'ok' ? result.latencyMs : null;
      entry.reason = result.kind === 'ok' ? null : result.reason;
      entry.detail = result.kind === 'ok' ? null : result.detail;
      if (judge(state, result.kind === 'ok', target, nowMs)) {
        writeBits(groups);
        tellChange(entry);
      }
    }
    entry.dueMs = nowMs + nextCheckMs(state, target, chance());
    enqueue(entry);
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
    const left = queue.filter((entry) => next.get(entry.key) === entry);
    queue.splice(0, queue.length, ...left);
    entries = next;
    groups = plan.groups;
    writeBits(groups); // states may have changed since `prepare`
    fresh.forEach(enqueue);
    schedule();
  }

  function describe({ target, state: { state, sinceMs, falls }, ...entry }: Entry): AddressHealthFound {
    const { listener: service, address, port, check, hostname = null } = target;
    const timeOf = (ms: number) => new Date(deps.now() - (monotonicMs() - ms)).toISOString();
    return {
      service,
      address,
      port,
      check,
      hostname,
      state,
      since: state === 'unknown' ? null : timeOf(sinceMs),
      checkedAt: entry.checkedMs === undefined ? null : timeOf(entry.checkedMs),
      latencyMs: entry.latencyMs,
      reason: entry.reason,
      detail: entry.detail,
      falls,
    };
  }

  return {
    prepare,
    commit,
    report() {
      const found: Record<string, AddressHealthFound[]> = {};
      for (const entry of entries.values()) (found[entry.target.server] ??= []).push(describe(entry));
      return found;
    },
    [Symbol.dispose]() {
      aborter.abort();
      clearTimeout(timer);
    },
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
