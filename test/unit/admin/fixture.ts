/** An admin application with a store in its own directory, and requests to it. */
import assert from 'node:assert/strict';
import { asIs } from '../../../src/texts/text.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAuth } from '../../../src/admin/auth/auth.ts';
import { tokenPath } from '../../../src/admin/auth/bootstrap-token.ts';
import { buildAdmin } from '../../../src/admin/build.ts';
import type { AdminDeps } from '../../../src/admin/deps.ts';
import { ADMIN_COUNTERS } from '../../../src/admin/counters.ts';
import type { Route } from '../../../src/admin/route-table.ts';
import { openConfigChanges } from '../../../src/config/changes.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import { validate } from '../../../src/config/validate.ts';
import { NO_ACTIONS } from '../../../src/os/appliance-actions.ts';
import { createCounters, readCounters } from '../../../src/runtime/counters.ts';
import { type Logger, silentLog } from '../../../src/runtime/log.ts';
import type { ServiceReport } from '../../../src/runtime/report.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { EVENT_KINDS } from '../../../src/state/event-kinds.ts';
import { createEventLog } from '../../../src/state/event-log.ts';
import { openHistoryFile } from '../../../src/state/history-file.ts';
import { HISTORY_SERIES } from '../../../src/state/history-series.ts';
import { startHistory } from '../../../src/state/history.ts';
import { createLogRing } from '../../../src/state/log-ring.ts';
import { NO_HARDWARE } from '../../../src/state/hardware.ts';
import { openMachine } from '../../../src/state/machine.ts';

export const TOKEN = 'abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE';

export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tombolo-admin-'));
  t.after(() => rm(directory, { recursive: true, maxRetries: 5 }));
  return directory;
}

export const report = (name: string, status: Partial<ServiceReport['status']> = {}): ServiceReport => ({
  name,
  status: { state: 'running', restarts: 0, figures: { sessions: 3 }, ...status },
  counterTable: { 'drop-ttl': 'Packets whose TTL ended here', sent: 'Packets sent' },
  counters: { 'drop-ttl': 7, sent: 0 },
});

const PUBLIC_IPV4 = { address: '192.0.2.1', kind: 'own', text: asIs('It is 192.0.2.1.') } as const;
const NO_CHECKS = { open: 0, isRunning: false, items: [] };

/** Diagnostics that check nothing. */
export const idleDiagnostics: AdminDeps['diagnostics'] = {
  hosts: async () => ({ publicIpv4: PUBLIC_IPV4, hosts: [] }),
  checkHost: async () => undefined,
  dnsRecords: async () => undefined,
  checks: async () => NO_CHECKS,
  runChecks: async (id) => (id === undefined ? NO_CHECKS : undefined),
  network: async () => ({
    hostname: 'tombolo',
    interfaces: [],
    addresses: [],
    gateway4: null,
    gateway6: null,
    hasIpv6: false,
    publicIpv4: PUBLIC_IPV4,
    portConflicts: [],
    dns: { resolvers: [], upstreams: [] },
  }),
  neighbours: async () => ({ neighbours: [] }),
  probeNeighbours: async () => ({ neighbours: [] }),
  [Symbol.dispose]: () => {},
};

/** An event log, a history and so on without anything behind them. */
export function testLive(t: TestContext, stateDirectory: string): AdminDeps['live'] {
  const events = createEventLog({ kinds: EVENT_KINDS, serverAt: () => undefined });
  const series = Object.keys(HISTORY_SERIES);
  const history = startHistory({
    series,
    sampleHosts: () => new Map(),
    sample: () => series.map((_, i) => i),
    openFile: () =>
      openHistoryFile(join(stateDirectory, 'history.sqlite'), series, openStorage(stateDirectory)),
    onTrouble: () => {},
    log: silentLog,
  });
  t.after(async () => {
    events[Symbol.dispose]();
    await history[Symbol.asyncDispose]();
  });
  return {
    events,
    history,
    noteServices: () => {},
    logs: createLogRing(),
    machine: openMachine(),
    hardware: async () => NO_HARDWARE,
    places: { configPath: join(stateDirectory, 'config.json'), stateDirectory },
    unwritten: () => undefined,
    parsers: {},
    actions: NO_ACTIONS,
    restart: undefined,
    stopping: new AbortController().signal,
  };
}

/** The data that the API shows in these tests; services and ports can be replaced. */
export async function testDeps(t: TestContext): Promise<AdminDeps & { services: () => ServiceReport[] }> {
  const stateDirectory = await temporaryDirectory(t);
  const store = openConfigStore(join(stateDirectory, 'config.json'), silentLog);
  const changes = await openConfigChanges({
    store,
    storage: openStorage(stateDirectory),
    log: silentLog,
  });
  t.after(() => changes[Symbol.dispose]());
  return {
    store,
    changes,
    explainers: async () => [],
    services: () => [report('proxy'), report('nat64')],
    sshPorts: () => ({ web1: 22_001 }),
    queries: () => undefined,
    diagnostics: idleDiagnostics,
    live: testLive(t, stateDirectory),
    version: '1.2.3',
    startedAt: new Date('2026-01-02T03:04:05Z'),
  };
}

/** A logger that keeps all its lines. */
export function keepingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: keep, info: keep, warn: keep, error: keep, lines, child: () => log };
  return log;
}

export async function testAdmin(t: TestContext, changes: Partial<AdminDeps> = {}, requestsPerMinute = 1e9) {
  const deps = { ...(await testDeps(t)), ...changes };
  const counters = createCounters(ADMIN_COUNTERS);
  const log = keepingLog();
  let isAdmitted = true;
  let isLocal = true;
  const clock = {
    nowMs: Date.parse('2026-01-02T03:04:05Z'),
    monotonicMs: 1000,
    /** Advances both clocks. A test that changes only one of them sets it itself. */
    pass(ms: number) {
      clock.nowMs += ms;
      clock.monotonicMs += ms;
    },
  };
  const stateDirectory = await temporaryDirectory(t);
  await writeFile(tokenPath(stateDirectory), `${TOKEN}\n`, { mode: 0o600 });
  const openTestAuth = () =>
    openAuth({
      storage: openStorage(stateDirectory, { log }),
      log,
      now: () => clock.nowMs,
      monotonicNow: () => clock.monotonicMs,
    });
  const auth = await openTestAuth();
  const app = await buildAdmin(deps, {
    admin: () => deps.store.current.admin,
    admitsSource: () => isAdmitted,
    isLocal: () => isLocal,
    auth,
    onClaimed: () => {},
    certificateFingerprint: () => undefined,
    counters,
    log,
    requestsPerMinute,
  });
  t.after(() => app.close());
  t.after(() => auth.audit.settled());

  /** An authorised request from localhost, unless the headers say otherwise. */
  async function request(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    url: string,
    headers = {},
    payload?: string,
  ) {
    const response = await app.inject({
      method,
      url,
      headers: { host: 'localhost:8064', authorization: `Bearer ${TOKEN}`, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    assertAsDescribed(app.routeTable, method, url, response.statusCode, response.body);
    // Only the fields that tests read: light-my-request's own type is recursive.
    return {
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
      // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it reads.
      json: () => JSON.parse(response.body) as Record<string, any>,
    };
  }
  const post = (url: string, body: object = {}) =>
    request('POST', url, { 'content-type': 'application/json' }, JSON.stringify(body));
  /** Applied without a countdown, unless `more` says otherwise. */
  const apply = (document: unknown, more: object = {}) =>
    post('/api/config/apply', { document, revision: deps.store.revision, confirmSeconds: 0, ...more });
  return {
    app,
    deps,
    log,
    request,
    post,
    apply,
    counters: () => readCounters(counters),
    auth,
    clock,
    stateDirectory,
    /** The data that a process started now would read. */
    openTestAuth,
    setLocal: (local: boolean) => {
      isLocal = local;
    },
    setAdmitted: (admitted: boolean) => {
      isAdmitted = admitted;
    },
  };
}

/** Asserts that an answer has the shape that its route declares, if it declares one. */
function assertAsDescribed(
  routes: readonly Route[],
  method: string,
  url: string,
  status: number,
  body: string,
): void {
  const path = url.split('?')[0].split('/');
  const route = routes.find((each) => {
    const parts = each.url.split('/');
    const fits = (part: string, i: number) => part.startsWith(':') || part === path[i];
    return each.method === method && parts.length === path.length && parts.every(fits);
  });
  const schema = route?.schema.response?.[String(status)];
  // Refusals have several shapes; `assertError` checks them.
  if (schema !== undefined && status < 300)
    assert.deepEqual(validate(schema, JSON.parse(body)), [], `${method} ${url}`);
}

/** Every refusal has this shape, and reveals nothing about the inside of the process. */
export function assertError(
  response: { status: number; body: string; json: () => Record<string, unknown> },
  status: number,
  error: string,
): void {
  assert.equal(response.status, status, response.body);
  const answer = response.json();
  assert.equal(answer['error'], error);
  assert.equal(typeof answer['message'], 'string');
  assert.doesNotMatch(response.body, /node_modules|\.ts:\d|at async/);
}
