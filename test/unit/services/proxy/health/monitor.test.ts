/** The schedule of health checks, with a clock that the test moves, and answers that the test gives. */
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { failingKey } from '../../../../../src/services/proxy/host-table.ts';
import type { HealthResult } from '../../../../../src/services/proxy/health/check.ts';
import { type HealthChange, createHealthMonitor } from '../../../../../src/services/proxy/health/monitor.ts';
import type { HealthGroup, HealthTarget } from '../../../../../src/services/proxy/health/targets.ts';
import { say } from '../../../../../src/texts/text.ts';

const FAILURE: HealthResult = { kind: 'fail', reason: 'refused', detail: say('No.') };
const WELL: HealthResult = { kind: 'ok', latencyMs: 1 };
const INTERVAL_MS = 10_000;
/** With chance 0.5, intervals are exact. */
const CHANCE = 0.5;

const target = (server: string, listener: string, address: string, more: Partial<HealthTarget> = {}) => ({
  server,
  listener,
  address,
  port: 80,
  clientAddress: 'none' as const,
  check: 'tcp' as const,
  isTls: false,
  hostname: undefined,
  request: undefined,
  intervalMs: INTERVAL_MS,
  failures: 3,
  successes: 2,
  ...more,
});

const groupOf = (server: string, listener: string, ...addresses: string[]): HealthGroup =>
  addresses.map((address) => target(server, listener, address));

function createWorld(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  /** The answers of addresses; others are well. A function is asked at each check. */
  const answers = new Map<string, HealthResult | (() => Promise<HealthResult>)>();
  const checked: { atMs: number; target: HealthTarget }[] = [];
  const changes: HealthChange[] = [];
  const monitor = createHealthMonitor({
    async check(of) {
      checked.push({ atMs: nowMs, target: of });
      const answer = answers.get(`${of.listener} ${of.address}`) ?? answers.get(of.address) ?? WELL;
      return typeof answer === 'function' ? answer() : answer;
    },
    monotonicMs: () => nowMs,
    now: () => Date.UTC(2026, 10, 30) + nowMs,
    chance: () => CHANCE,
    onChange: (change) => changes.push(change),
  });
  t.after(() => monitor[Symbol.dispose]());
  return {
    monitor,
    answers,
    checked,
    changes,
    /** The clock goes on in small steps. */
    async pass(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 10) {
        nowMs += 10;
        t.mock.timers.tick(10);
        for (let i = 0; i < 5; i++) await Promise.resolve();
      }
    },
    configure(...groups: HealthGroup[]) {
      const plan = monitor.prepare(groups);
      monitor.commit(plan);
      return (server: string, listener: string) =>
        new Int32Array(plan.failing.get(failingKey(server, listener))!)[0];
    },
    states: () =>
      Object.fromEntries(
        Object.entries(monitor.report()).map(([server, all]) => [
          server,
          all.map(({ state }) => state).join(' '),
        ]),
      ),
  };
}

describe('health checks', () => {
  test('a dead address gets its bit, an event and a reason; after its recovery neither', async (t) => {
    const world = createWorld(t);
    world.answers.set('b', FAILURE);
    const bits = world.configure(groupOf('web1', 'http', 'a', 'b'));
    assert.deepEqual(world.states(), { web1: 'unknown unknown' });
    await world.pass(1000);
    assert.deepEqual(world.states(), { web1: 'ok unknown' });
    assert.equal(bits('web1', 'http'), 0);
    await world.pass(4000);
    assert.deepEqual(world.states(), { web1: 'ok fail' });
    assert.equal(bits('web1', 'http'), 0b10);
    const [, b] = world.monitor.report()['web1'];
    assert.deepEqual([b.reason, b.falls, b.latencyMs], ['refused', 1, null]);
    assert.equal(b.since, '2026-11-30T00:00:04.030Z');
    assert.deepEqual(
      world.changes.map(({ address, failing, failingAddresses, addresses }) => [
        address,
        failing?.port,
        failingAddresses,
        addresses,
      ]),
      [['b', 80, 1, 2]],
    );
    world.answers.set('b', WELL);
    await world.pass(INTERVAL_MS + 2000);
    assert.equal(bits('web1', 'http'), 0);
    assert.deepEqual(world.states(), { web1: 'ok ok' });
    assert.equal(world.changes.length, 2);
    assert.deepEqual([world.changes[1].failing, world.changes[1].failingAddresses], [undefined, 0]);
  });

  test('a well server is checked once in an interval, and says nothing', async (t) => {
    const world = createWorld(t);
    world.configure(groupOf('web1', 'http', 'a'));
    await world.pass(5 * INTERVAL_MS);
    assert.equal(world.checked.length, 5);
    assert.deepEqual(world.changes, []);
  });

  test('the port of one listener may fail: only its clients go elsewhere; an address has one event for all its ports', async (t) => {
    const world = createWorld(t);
    world.answers.set('https b', FAILURE);
    const bits = world.configure(groupOf('web1', 'http', 'a', 'b'), groupOf('web1', 'https', 'a', 'b'));
    await world.pass(6000);
    assert.deepEqual([bits('web1', 'http'), bits('web1', 'https')], [0, 0b10]);
    world.answers.set('http b', FAILURE);
    await world.pass(INTERVAL_MS + 5000);
    assert.deepEqual([bits('web1', 'http'), bits('web1', 'https')], [0b10, 0b10]);
    assert.equal(world.changes.length, 1);
    world.answers.set('http b', WELL);
    await world.pass(INTERVAL_MS + 5000);
    assert.deepEqual([bits('web1', 'http'), bits('web1', 'https')], [0, 0b10]);
    assert.equal(world.changes.length, 1, 'it still fails at the other port');
    world.answers.set('https b', WELL);
    await world.pass(INTERVAL_MS + 5000);
    assert.equal(world.changes.length, 2);
  });

  test('a check that this process was too busy for counts neither way', async (t) => {
    const world = createWorld(t);
    world.answers.set('a', { kind: 'late' });
    world.configure(groupOf('web1', 'http', 'a'));
    await world.pass(10_000);
    assert.deepEqual(world.states(), { web1: 'unknown' });
    assert.ok(world.checked.length >= 4, 'it is repeated soon');
  });

  test('a change of the configuration: the same address with the same settings keeps its state, in its new place', async (t) => {
    const world = createWorld(t);
    world.answers.set('b', FAILURE);
    world.configure(groupOf('web1', 'http', 'a', 'b'), groupOf('web2', 'http', 'c'));
    await world.pass(6000);
    const bits = world.configure(groupOf('web1', 'http', 'b', 'a'));
    assert.equal(bits('web1', 'http'), 0b01);
    assert.deepEqual(world.states(), { web1: 'fail ok' });
    assert.equal(world.changes.length, 1, 'nothing new has happened');
    const other = world.configure([target('web1', 'http', 'b', { port: 81 }), target('web1', 'http', 'a')]);
    assert.equal(other('web1', 'http'), 0, 'another port is another thing');
    assert.deepEqual(world.states(), { web1: 'unknown ok' });
  });

  test('a configuration that was prepared but never came into force changes nothing', async (t) => {
    const world = createWorld(t);
    world.answers.set('b', FAILURE);
    const bits = world.configure(groupOf('web1', 'http', 'a', 'b'));
    world.monitor.prepare([groupOf('web1', 'http', 'x', 'y')]);
    await world.pass(6000);
    assert.equal(bits('web1', 'http'), 0b10);
    assert.deepEqual(new Set(world.checked.map(({ target: { address } }) => address)), new Set(['a', 'b']));
  });

  test('an address that left while it was checked is not heard of again', async (t) => {
    const world = createWorld(t);
    const { promise, resolve } = Promise.withResolvers<HealthResult>();
    world.answers.set('a', () => promise);
    world.configure(groupOf('web1', 'http', 'a'));
    await world.pass(100);
    world.configure();
    resolve(FAILURE);
    await world.pass(5 * INTERVAL_MS);
    assert.equal(world.checked.length, 1);
    assert.deepEqual([world.monitor.report(), world.changes], [{}, []]);
  });

  test('500 servers: spread over time, and few at the same time even if none answers', async (t) => {
    const world = createWorld(t);
    let [running, most] = [0, 0];
    const waiting: (() => void)[] = [];
    const silent = () =>
      new Promise<HealthResult>((resolve) => {
        most = Math.max(most, ++running);
        waiting.push(() => {
          running--;
          resolve(FAILURE);
        });
      });
    const servers = Array.from({ length: 500 }, (_, i) => `web${i}`);
    world.configure(...servers.map((name) => groupOf(name, 'http', name)));
    await world.pass(INTERVAL_MS + 100);
    assert.equal(new Set(world.checked.map(({ target: { server } }) => server)).size, 500);
    const starts = world.checked.map(({ atMs }) => atMs);
    assert.ok(
      starts.every((atMs, i) => i === 0 || atMs - starts[i - 1] >= 20),
      'never two at once',
    );
    for (const name of servers) world.answers.set(name, silent);
    await world.pass(INTERVAL_MS);
    assert.equal(most, 32);
    assert.equal(running, 32);
    world.answers.clear();
    while (waiting.length > 0) waiting.shift()!();
    await world.pass(2 * INTERVAL_MS);
    assert.equal(running, 0);
    assert.ok(Object.values(world.states()).every((state) => state === 'ok'));
  });
});
