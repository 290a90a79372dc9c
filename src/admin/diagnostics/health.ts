/**
 * Measures the health of the servers: each is probed about once a minute while a panel is open, and rarely otherwise. One
 * timer, few connections at a time; only the last reports are kept.
 */
import type { HostConfig } from '../../config/schema.ts';
import type { FindingState } from '../contract/checks.ts';
import type { HealthFound, ProbeFound } from './found.ts';
import { createLimit } from './limit.ts';
import type { ProbeTarget } from '../../services/check.ts';
import { type SharedRun, sharedRun } from './shared-run.ts';

export interface HealthDeps {
  /** The present servers, each with the targets to probe. */
  readonly hosts: () => readonly { readonly host: HostConfig; readonly targets: readonly ProbeTarget[] }[];
  /** Probes one port; rejects only if `signal` is aborted. */
  readonly probe: (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeFound[]>;
  readonly now: () => Date;
  /** A clock that is never set. */
  readonly monotonicMs: () => number;
  /** Called for a bug of ours: what a server does is not an error. */
  readonly onError: (error: unknown) => void;
  /** The state of a server differs from the previous measurement. */
  readonly onChange?: (name: string, health: HealthFound, before: HealthFound) => void;
}

export interface HealthMonitor extends Disposable {
  /** The last measurement. */
  report(name: string): HealthFound;
  /** Probes a server; the result was measured after the call. undefined if there is no such server. */
  check(name: string): Promise<HealthFound | undefined>;
  /** A panel is open: probes become frequent for a while, and old results are renewed soon. */
  watch(): void;
}

export const WATCHED_INTERVAL_MS = 60_000;
export const UNWATCHED_INTERVAL_MS = 900_000;
/** How long after the last call of `watch`. */
export const WATCH_LASTS_MS = 150_000;
/** The gap between two servers that are due at the same time. */
const SPREAD_MS = 500;
const MAX_CONNECTIONS = 4;

interface Entry {
  readonly name: string;
  /** The configuration that was probed: a change makes the report invalid. */
  key: string;
  targets: readonly ProbeTarget[];
  health: HealthFound;
  /** Kept when the configuration changes, so that a server that was failing is reported when it is well again. */
  lastMeasured: HealthFound;
  checkedMs: number | undefined;
  dueMs: number;
  readonly measurement: SharedRun<HealthFound>;
}

const UNKNOWN: HealthFound = { state: 'unknown', checkedAt: null, probes: [] };

/** Starts probing: servers that have no report yet are probed for the first time within the long interval. */
export function startHealthMonitor({
  hosts,
  probe,
  now,
  monotonicMs,
  onError,
  onChange,
}: HealthDeps): HealthMonitor {
  const entries = new Map<string, Entry>();
  const aborter = new AbortController();
  const limit = createLimit(MAX_CONNECTIONS);
  let watchedUntilMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  const intervalMs = (nowMs: number) =>
    nowMs < watchedUntilMs ? WATCHED_INTERVAL_MS : UNWATCHED_INTERVAL_MS;

  /** Follows the configuration. New and changed servers become due one after the other. */
  function sync(nowMs: number): void {
    const configured = hosts();
    const names = new Set(configured.map(({ host }) => host.name));
    for (const name of entries.keys()) if (!names.has(name)) entries.delete(name);
    const gapMs = nowMs < watchedUntilMs ? SPREAD_MS : UNWATCHED_INTERVAL_MS / Math.max(configured.length, 1);
    let turn = 0;
    for (const { host, targets } of configured) {
      const key = JSON.stringify([host, targets]);
      const known = entries.get(host.name);
      if (known?.key === key) continue;
      const dueMs = nowMs + turn++ * gapMs;
      const entry: Entry = {
        name: host.name,
        key,
        targets,
        health: UNKNOWN,
        lastMeasured: known?.lastMeasured ?? UNKNOWN,
        checkedMs: undefined,
        dueMs,
        measurement: sharedRun(() => measure(entry)),
      };
      entries.set(host.name, entry);
    }
  }

  function schedule(): void {
    clearTimeout(timer);
    if (aborter.signal.aborted) return;
    // Without servers too: the configuration is read again from time to time.
    const dueMs = Math.min(...[...entries.values()].map((entry) => entry.dueMs));
    const waitMs = Math.min(Math.max(dueMs - monotonicMs(), 0), UNWATCHED_INTERVAL_MS);
    timer = setTimeout(tick, waitMs).unref();
  }

  function tick(): void {
    const nowMs = monotonicMs();
    sync(nowMs);
    for (const entry of entries.values())
      if (entry.dueMs <= nowMs) entry.measurement.current().catch(onError);
    schedule();
  }

  async function measure(entry: Entry): Promise<HealthFound> {
    const { signal } = aborter;
    const startedMs = monotonicMs();
    entry.dueMs = startedMs + intervalMs(startedMs);
    try {
      const all = await Promise.all(entry.targets.map((target) => limit(() => probe(target, signal))));
      const probes = all.flat();
      const before = entry.lastMeasured;
      entry.health = { state: serverState(probes), checkedAt: now().toISOString(), probes };
      entry.lastMeasured = entry.health;
      entry.checkedMs = monotonicMs();
      if (before.state !== entry.health.state) onChange?.(entry.name, entry.health, before);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return entry.health;
  }

  sync(monotonicMs());
  schedule();
  return {
    report: (name) => entries.get(name)?.health ?? UNKNOWN,
    async check(name) {
      sync(monotonicMs());
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const health = await entry.measurement.fresh();
      schedule();
      return health;
    },
    watch() {
      const nowMs = monotonicMs();
      const wasWatched = nowMs < watchedUntilMs;
      watchedUntilMs = nowMs + WATCH_LASTS_MS;
      sync(nowMs);
      let turn = 0;
      if (!wasWatched) {
        for (const entry of entries.values()) {
          const soonMs = (entry.checkedMs ?? -Infinity) + WATCHED_INTERVAL_MS;
          if (entry.dueMs <= soonMs) continue;
          entry.dueMs = Math.max(soonMs, nowMs + turn++ * SPREAD_MS);
        }
      }
      schedule();
    },
    [Symbol.dispose]() {
      aborter.abort();
      clearTimeout(timer);
    },
  };
}

const SEVERITY: readonly FindingState[] = ['ok', 'unknown', 'warn', 'fail'];

/**
 * The state of a server. If one of several addresses fails where another one works, clients are served by that: it is a warning.
 */
export const serverState = (probes: readonly ProbeFound[]): FindingState =>
  worstOf(
    probes.map(({ name, service, address, state }) => {
      const isServed = probes.some(
        (other) =>
          other.state === 'ok' &&
          other.name === name &&
          other.service === service &&
          other.address !== address,
      );
      return { state: state === 'fail' && isServed ? 'warn' : state };
    }),
  );

/** The worst of the states; "unknown" if there are none. */
export function worstOf(items: readonly { readonly state: FindingState }[]): FindingState {
  if (items.length === 0) return 'unknown';
  return SEVERITY[Math.max(...items.map(({ state }) => SEVERITY.indexOf(state)))];
}
