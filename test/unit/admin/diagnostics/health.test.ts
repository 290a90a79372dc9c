import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ProbeReport } from '../../../../src/admin/contract/checks.ts';
import {
  startHealthMonitor,
  UNWATCHED_INTERVAL_MS,
  WATCH_LASTS_MS,
  WATCHED_INTERVAL_MS,
} from '../../../../src/admin/diagnostics/health.ts';
import { planProbes } from '../../../../src/admin/diagnostics/of-services.ts';
import { asIs } from '../../../../src/texts/text.ts';
import { configOf, NOW } from './machine.ts';

const hostsNamed = (...names: string[]) =>
  names.map((name, i) => ({ name, address: `2001:db8:1::${i + 1}`, hostnames: [], services: [] }));

function setUp(t: TestContext, ...names: string[]) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  let config = configOf({ hosts: hostsNamed(...names) });
  const probed: { address: string; atMs: number }[] = [];
  const changes: string[] = [];
  const errors: unknown[] = [];
  let isBroken = false;
  let running = 0;
  let most = 0;
  let state: ProbeReport['state'] = 'ok';
  let hold: Promise<void> | undefined;
  const monitor = startHealthMonitor({
    hosts: () => config.hosts.map((host) => ({ host, targets: planProbes(config, host) })),
    probe: async (target) => {
      probed.push({ address: target.address, atMs: nowMs });
      most = Math.max(most, ++running);
      await hold;
      running--;
      if (isBroken) throw new Error('a defect');
      return [
        {
          name: 'ssh',
          service: target.service,
          port: target.port,
          hostname: null,
          state,
          latencyMs: 1,
          detail: asIs('x'),
          certificate: null,
        },
      ];
    },
    now: () => new Date(NOW.getTime() + nowMs),
    monotonicMs: () => nowMs,
    onError: (error) => errors.push(error),
    onChange: (name, health, before) => changes.push(`${name}: ${before.state} to ${health.state}`),
  });
  t.after(() => monitor[Symbol.dispose]());
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    monitor,
    probed,
    changes,
    errors,
    breakProbes: () => (isBroken = true),
    most: () => most,
    settle,
    setState: (next: ProbeReport['state']) => (state = next),
    setHold: (next: Promise<void> | undefined) => (hold = next),
    setHosts: (...next: string[]) => (config = configOf({ hosts: hostsNamed(...next) })),
    /** In steps of a second, so that the work that a timer starts can finish. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        nowMs += Math.min(left, 1000);
        t.mock.timers.tick(Math.min(left, 1000));
        await settle();
      }
    },
  };
}

test('nobody watches: each server is probed once per long interval, not all at once', async (t) => {
  const { probed, pass } = setUp(t, 'a', 'b', 'c');
  await pass(UNWATCHED_INTERVAL_MS - 1000);
  assert.deepEqual(
    probed.map(({ address }) => address),
    ['2001:db8:1::1', '2001:db8:1::2', '2001:db8:1::3'],
  );
  const [first, second, third] = probed.map(({ atMs }) => atMs);
  assert.ok(second - first > 200_000 && third - second > 200_000);
  await pass(UNWATCHED_INTERVAL_MS);
  assert.equal(probed.length, 6);
});

test('somebody watches: probed soon, then once a minute; rarely again when nobody watches any more', async (t) => {
  const { monitor, probed, pass } = setUp(t, 'a', 'b', 'c');
  await pass(1000);
  probed.length = 0;
  monitor.watch();
  await pass(3000);
  // The first server has just been probed.
  assert.deepEqual(
    probed.map(({ address }) => address),
    ['2001:db8:1::2', '2001:db8:1::3'],
  );
  probed.length = 0;
  for (let minute = 0; minute < 5; minute++) {
    await pass(WATCHED_INTERVAL_MS);
    monitor.watch();
  }
  assert.equal(probed.length, 15);
  probed.length = 0;
  await pass(UNWATCHED_INTERVAL_MS);
  assert.ok(probed.length <= 3 * (Math.ceil(WATCH_LASTS_MS / WATCHED_INTERVAL_MS) + 1), `${probed.length}`);
});

test('a request gets a measurement that began after it; requests that arrive meanwhile share one', async (t) => {
  const { monitor, probed, setState, setHold } = setUp(t, 'a');
  assert.deepEqual(monitor.report('a'), { state: 'unknown', checkedAt: null, probes: [] });
  setState('fail');
  const { promise, resolve } = Promise.withResolvers<void>();
  setHold(promise);
  const first = monitor.check('a');
  const later = [monitor.check('a'), monitor.check('a')];
  resolve();
  const health = await first;
  assert.equal(health?.state, 'fail');
  assert.equal(health?.checkedAt, NOW.toISOString());
  setState('ok');
  const [fixed, same] = await Promise.all(later);
  assert.equal(probed.length, 2);
  assert.equal(fixed?.state, 'ok', 'the server was fixed before this measurement began');
  assert.equal(fixed, same);
  assert.equal(monitor.report('a'), fixed);
  assert.equal(await monitor.check('nobody'), undefined);
});

test('a changed server is unknown again; a removed server is forgotten', async (t) => {
  const { monitor, setHosts } = setUp(t, 'a', 'b');
  await monitor.check('b');
  assert.equal(monitor.report('b').state, 'ok');
  // "b" gets another address.
  setHosts('b');
  monitor.watch();
  assert.equal(monitor.report('b').state, 'unknown');
  assert.equal(await monitor.check('a'), undefined);
});

test('only changes are reported', async (t) => {
  const { monitor, changes, setState } = setUp(t, 'a');
  for (const state of ['ok', 'ok', 'fail', 'fail', 'ok'] as const) {
    setState(state);
    await monitor.check('a');
  }
  assert.deepEqual(changes, ['a: unknown to ok', 'a: ok to fail', 'a: fail to ok']);
});

test('a change of the configuration does not hide that a server has recovered', async (t) => {
  const { monitor, changes, setState, setHosts } = setUp(t, 'a', 'b');
  setState('fail');
  await monitor.check('b');
  // "b" gets another address.
  setHosts('b');
  setState('ok');
  await monitor.check('b');
  assert.deepEqual(changes, ['b: unknown to fail', 'b: fail to ok']);
});

test('a defect of a probe is reported, and does not end the others', async (t) => {
  const { monitor, errors, breakProbes, probed, pass } = setUp(t, 'a', 'b');
  breakProbes();
  await pass(UNWATCHED_INTERVAL_MS);
  assert.ok(probed.length >= 2 && errors.length === probed.length);
  await assert.rejects(monitor.check('a'), /a defect/);
});

test('servers that are added later are found although nobody watches', async (t) => {
  const { probed, setHosts, pass } = setUp(t);
  setHosts('a');
  await pass(UNWATCHED_INTERVAL_MS + 1000);
  assert.equal(probed.length, 1);
});

test('few connections at a time, whatever the number of servers', async (t) => {
  const names = Array.from({ length: 50 }, (_, i) => `s${i}`);
  const { monitor, most, probed } = setUp(t, ...names);
  await Promise.all(names.map((name) => monitor.check(name)));
  assert.equal(probed.length, 50);
  assert.equal(most(), 4);
});

test('nothing is probed after the end', async (t) => {
  const { monitor, probed, pass } = setUp(t, 'a', 'b');
  await pass(1000);
  probed.length = 0;
  monitor[Symbol.dispose]();
  await pass(UNWATCHED_INTERVAL_MS);
  assert.deepEqual(probed, []);
});
