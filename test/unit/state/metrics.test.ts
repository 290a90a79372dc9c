import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ADMIN_COUNTERS } from '../../../src/admin/counters.ts';
import type { CounterTable } from '../../../src/runtime/counters.ts';
import type { AddressHealthFound } from '../../../src/runtime/address-health.ts';
import type { ServiceReport } from '../../../src/runtime/report.ts';
import { DNS64_COUNTERS } from '../../../src/services/dns64/counters.ts';
import { forwardCounterTable } from '../../../src/services/forward/counters.ts';
import { NAT64_COUNTERS } from '../../../src/services/nat64/counters.ts';
import { proxyCounterTable } from '../../../src/services/proxy/counters.ts';
import { openMachine } from '../../../src/state/machine.ts';
import { counterMetric, renderMetrics } from '../../../src/state/metrics.ts';
import { processFigures } from '../../../src/state/process.ts';
import { TOKEN, assertError, testAdmin } from '../admin/fixture.ts';
import { parseExposition } from './exposition.ts';

/** Every service with its real counters and the figures of its status. */
const TABLES: Record<string, [CounterTable, ServiceReport['status']['figures']]> = {
  proxy: [proxyCounterTable, { connections: 3, openings: 1, pipes: 2, listeners: 2, maxConnections: 9 }],
  forward: [forwardCounterTable, { connections: 0, openings: 0, pipes: 0, listeners: 1, maxConnections: 9 }],
  dns64: [
    DNS64_COUNTERS,
    { cacheEntries: 5, hitPercent: 80, inFlight: 0, tcpConnections: 0, 'udp://[::1]': 'up' },
  ],
  nat64: [NAT64_COUNTERS, { sessions: 7, bibEntries: 6, pool4Address: '192.0.2.1' }],
  admin: [ADMIN_COUNTERS, { listening: '127.0.0.1:8064' }],
};

/** The counters of two services for three servers. */
const traffic = (up: number, down: number, accepted: number, connections: number) => ({
  'bytes-up': up,
  'bytes-down': down,
  accepted,
  connections,
});
const HOSTS: Record<string, ServiceReport['hosts']> = {
  proxy: { web1: traffic(10, 200, 3, 1), web2: traffic(0, 0, 0, 0) },
  forward: { web1: traffic(1, 2, 1, 1), gone: traffic(5, 6, 1, 1) },
};

const reports = Object.entries(TABLES).map(
  ([name, [counterTable, figures]], i): ServiceReport => ({
    name,
    status: { state: i === 2 ? 'degraded' : 'running', restarts: i, figures },
    counterTable,
    counters: Object.fromEntries(Object.keys(counterTable).map((counter, at) => [counter, at * 1e15 + 0.5])),
    hosts: HOSTS[name],
  }),
);

const render = (of: readonly ServiceReport[] = reports) =>
  renderMetrics({
    reports: of,
    process: processFigures(),
    machine: { ...openMachine(), temperatureCelsius: () => 48.3 },
    version: '1.2.3 "quoted" \\ \n',
    startedAt: new Date('2026-01-02T03:04:05Z'),
  });

test('the strict reader is strict', () => {
  const good = '# HELP a_total What\n# TYPE a_total counter\na_total{b="c"} 1\n';
  assert.equal(parseExposition(good).get('a_total')?.samples[0].labels['b'], 'c');
  for (const bad of [
    good.slice(0, -1),
    good.replace('a_total{', 'b_total{'),
    good.replace('counter', 'meter'),
    good.replace(' 1', ' one'),
    good.replace('b="c"', 'b=c'),
    good.replace('b="c"', 'b="\\c"'),
    good.replace('What', 'Wh\\at'),
    good.replace(/a_total/g, 'a-total'),
    good + good,
    `${good}a_total{b="c"} 2\n`,
    '# HELP a What\n# TYPE a gauge\n',
    'a 1\n',
  ]) {
    assert.throws(() => parseExposition(bad), bad);
  }
});

test('every counter of every service, with its explanation, under a name with its unit', () => {
  const families = parseExposition(render());
  for (const { name, counterTable, counters } of reports) {
    for (const [counter, explanation] of Object.entries(counterTable)) {
      const family = families.get(counterMetric(name, counter));
      assert.ok(family, `${name} ${counter}`);
      assert.equal(family.type, 'counter');
      assert.equal(family.help, explanation);
      assert.deepEqual(family.samples, [{ labels: {}, value: counters[counter] }]);
    }
  }
  for (const { name, type } of families.values()) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.match(name, /^(tombolo|process)_[a-z0-9_]*[a-z0-9]$/);
    assert.doesNotMatch(name, /__/);
  }
});

test('health checks: 1, 0, or NaN before the first one; nothing without them', () => {
  const address = (last: number, state: 'ok' | 'fail' | 'unknown', falls = 0): AddressHealthFound => ({
    ...{ service: 'https', address: `2001:db8:1::${last}`, port: 443, check: 'tcp', hostname: null },
    ...{ state, since: null, checkedAt: null, latencyMs: null, reason: null, detail: null, falls },
  });
  const health = { web1: [address(1, 'ok', 2), address(2, 'fail', 3)], web2: [address(3, 'unknown')] };
  assert.ok(!parseExposition(render()).has('tombolo_host_address_up'));
  const families = parseExposition(render(reports.map((each, i) => (i === 0 ? { ...each, health } : each))));
  const up = families.get('tombolo_host_address_up')!.samples;
  assert.deepEqual(
    up.map(({ value }) => value),
    [1, 0, Number.NaN],
  );
  assert.deepEqual(up[1].labels, { host: 'web1', listener: 'https', address: '2001:db8:1::2' });
  assert.deepEqual(
    families.get('tombolo_host_address_falls_total')!.samples.map(({ value }) => value),
    [2, 3, 0],
  );
});

test('names, gauges and labels', () => {
  const families = parseExposition(render());
  const value = (name: string) => families.get(name)?.samples[0].value;
  assert.equal(counterMetric('proxy', 'bytes-up'), 'tombolo_proxy_up_bytes_total');
  assert.equal(counterMetric('nat64', 'bytes-6to4'), 'tombolo_nat64_6to4_bytes_total');
  assert.equal(counterMetric('nat64', 'drop-ttl'), 'tombolo_nat64_drop_ttl_total');
  assert.equal(value('tombolo_proxy_connections'), 3);
  assert.equal(value('tombolo_proxy_max_connections'), 9);
  assert.equal(value('tombolo_nat64_sessions'), 7);
  assert.equal(value('tombolo_temperature_celsius'), 48.3);
  assert.equal(value('process_start_time_seconds'), 1767323045);
  assert.ok(!families.has('tombolo_dns64_hit_percent'), 'computed from two counters, so it is not a metric');
  assert.deepEqual(families.get('tombolo_service_up')?.samples, [
    { labels: { service: 'proxy' }, value: 1 },
    { labels: { service: 'forward' }, value: 1 },
    { labels: { service: 'dns64' }, value: 0 },
    { labels: { service: 'nat64' }, value: 1 },
    { labels: { service: 'admin' }, value: 1 },
  ]);
  assert.equal(families.get('tombolo_build_info')?.samples[0].labels['version'], '1.2.3 "quoted" \\ \n');
});

test('traffic of each server, summed over services', () => {
  const families = parseExposition(render());
  const of = (name: string) =>
    families.get(name)?.samples.map(({ labels, value }) => `${labels['host']} ${value}`);
  assert.deepEqual(of('tombolo_host_up_bytes_total'), ['web1 11', 'web2 0', 'gone 5']);
  assert.deepEqual(of('tombolo_host_down_bytes_total'), ['web1 202', 'web2 0', 'gone 6']);
  assert.deepEqual(of('tombolo_host_accepted_total'), ['web1 4', 'web2 0', 'gone 1']);
  assert.deepEqual(of('tombolo_host_connections'), ['web1 2', 'web2 0', 'gone 1']);
});

test('GET /metrics needs a token of scope read', async (t) => {
  const { request } = await testAdmin(t);
  const answer = await request('GET', '/metrics');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  parseExposition(answer.body);
  assertError(await request('GET', '/metrics', { authorization: '' }), 401, 'unauthorized');
  assertError(await request('GET', `/metrics?token=${TOKEN}`, { authorization: '' }), 401, 'unauthorized');
});

test('the Grafana dashboard queries only existing metrics', () => {
  const families = parseExposition(render());
  const dashboard = JSON.parse(
    readFileSync(new URL('../../../docs/grafana-dashboard.json', import.meta.url), 'utf8'),
  ) as { panels: { title: string; targets?: { expr: string }[] }[] };
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length >= 15);
  for (const expression of expressions) {
    const names = expression.match(/\b(?:tombolo|process)_[a-z0-9_]+/g) ?? [];
    const patterns = [...expression.matchAll(/__name__=~"([^"]+)"/g)].map(([, pattern]) => pattern);
    assert.ok(names.length + patterns.length > 0, expression);
    for (const name of names.filter((each) => !patterns.some((pattern) => pattern.includes(each)))) {
      assert.ok(families.has(name), `${name} in ${expression}`);
      assert.equal(/rate\(|increase\(/.test(expression), families.get(name)?.type === 'counter', expression);
    }
    for (const pattern of patterns) {
      const matching = [...families.keys()].filter((name) => new RegExp(`^(?:${pattern})$`).test(name));
      assert.ok(matching.length > 1, pattern);
    }
  }
});
