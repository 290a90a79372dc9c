/** Panel, health, metrics, screen and command line report the same at the same moment, whatever is wrong. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { consoleState } from '../../../src/admin/console-file.ts';
import { startAdmin } from '../../../src/admin/server.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import { type ConditionPart, createConditions } from '../../../src/runtime/conditions.ts';
import type { ServiceStatus, ServiceReport } from '../../../src/runtime/report.ts';
import type { Service, ServiceContext } from '../../../src/runtime/service.ts';
import { ServiceSlot } from '../../../src/runtime/service-slot.ts';
import { superviseWorker } from '../../../src/runtime/supervise-worker.ts';
import { startProxy } from '../../../src/services/proxy/service.ts';
import { asIs, english } from '../../../src/texts/text.ts';
import { report, testAdmin, testDeps } from '../admin/fixture.ts';
import { Cleanup, freePort, hostAt } from '../net/support.ts';
import { parseExposition } from './exposition.ts';
import { waitUntil } from '../../../lab/wait.ts';

interface World {
  readonly cleanup: Cleanup;
  readonly deps: Parameters<typeof startAdmin>[1];
}

type State = ServiceReport['status']['state'];
interface Row {
  readonly title: string;
  readonly overall: 'ok' | 'degraded' | 'failed';
  /** The faulty part, its state and its problem. */
  readonly part?: readonly [name: string, state: State, problem: RegExp];
  /** Causes the fault in the real part, and returns the reports of that part. */
  readonly reports: (world: World) => Promise<() => readonly ServiceReport[]>;
}

async function takenPort(cleanup: Cleanup): Promise<number> {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  cleanup.defer(() => void holder.close());
  await once(holder, 'listening');
  return port;
}

/** A service in its slot, as in the app. */
async function inSlot<Options, S extends Omit<Service<Options>, 'failWorker'>>(
  { cleanup }: World,
  name: string,
  options: Options,
  start: (options: Options, context: ServiceContext) => Promise<S>,
): Promise<() => ServiceReport[]> {
  const slot = new ServiceSlot(name, (all: Options) => all, start, options, cleanup.context);
  cleanup.use(slot);
  await slot.start();
  return () => [slot.report()];
}

const condition =
  (part: ConditionPart, problem: string): Row['reports'] =>
  async () => {
    const conditions = createConditions();
    conditions.set(part, 'test', asIs(problem));
    return conditions.reports;
  };

const adminOptions = (listen: string[], port: number) => ({
  admin: { ...fillDefaults({}).admin, listen, port, allow: ['127.0.0.0/8'] },
});

const ROWS: readonly Row[] = [
  { title: 'all is well', overall: 'ok', reports: async () => createConditions().reports },
  {
    title: 'a port of the proxy is taken',
    overall: 'degraded',
    part: ['proxy', 'degraded', /listen on 127\.0\.0\.1:[0-9]+: EADDRINUSE/],
    reports: async (world) => {
      const listeners = [
        { name: 'a', port: await takenPort(world.cleanup), protocol: 'tls' as const },
        { name: 'b', port: await freePort(), protocol: 'tls' as const },
      ];
      const proxy = { ...fillDefaults({}).proxy, listen: ['127.0.0.1'], listeners };
      const options = { proxy, hosts: [hostAt('a', { services: ['a', 'b'] })] };
      return inSlot(world, 'proxy', options, startProxy);
    },
  },
  {
    title: 'the port of the panel is taken',
    overall: 'degraded',
    part: ['admin', 'degraded', /could not listen on 127\.0\.0\.1:[0-9]+: .*EADDRINUSE/],
    reports: async (world) => {
      const options = adminOptions(['127.0.0.1'], await takenPort(world.cleanup));
      return inSlot(world, 'admin', options, (each, context) => startAdmin(each, world.deps, context));
    },
  },
  {
    title: 'the panel does not start at all',
    overall: 'failed',
    part: ['admin', 'failed', /no module today/],
    reports: (world) =>
      inSlot(world, 'admin', {}, async () => {
        throw new Error('no module today');
      }),
  },
  {
    title: 'a worker fails to start',
    overall: 'failed',
    part: ['nat64', 'failed', /no heap today/],
    reports: (world) =>
      inSlot(world, 'nat64', {}, async (_options, { log }) => {
        const entry = new URL('data:text/javascript,throw new Error("no heap today")');
        await superviseWorker({ name: 'nat64', entry, init: () => ({}), log });
        return assert.fail('it started');
      }),
  },
  {
    title: 'the state directory cannot be written',
    overall: 'degraded',
    part: ['storage', 'degraded', /read-only/],
    reports: condition('storage', 'The state directory is read-only.'),
  },
  {
    title: 'the configuration file is damaged',
    overall: 'degraded',
    part: ['configuration', 'degraded', /revision 7 runs/],
    reports: condition('configuration', 'config.json is damaged; revision 7 runs.'),
  },
  {
    title: 'an automatic check has found a fault',
    overall: 'degraded',
    part: ['checks', 'degraded', /no answer through NAT64/],
    reports: condition('checks', 'There was no answer through NAT64.'),
  },
  {
    title: 'an unknown part',
    overall: 'degraded',
    part: ['mail', 'degraded', /no queue/],
    reports: async () => () => [report('mail', { state: 'degraded', problem: asIs('There is no queue.') })],
  },
];

for (const { title, overall, part, reports } of ROWS) {
  test(`all report the same: ${title}`, async (t) => {
    await using cleanup = new Cleanup();
    const deps = await testDeps(t);
    const found = await reports({ cleanup, deps });
    if (part !== undefined) {
      const problem = () => english(found().find(({ name }) => name === part[0])?.status.problem ?? '');
      await waitUntil('the problem', () => part[2].test(problem())).catch(() =>
        assert.match(problem(), part[2]),
      );
    }
    // A snapshot: the state cannot change between two queries.
    const moment = structuredClone([report('dns64', { state: 'disabled' } as ServiceStatus), ...found()]);
    const { request } = await testAdmin(t, { services: () => moment });

    const status = (await request('GET', '/api/status')).json();
    const states = status['services'].map(({ name, state, problem }: Record<string, unknown>) => ({
      name,
      state,
      problem,
    }));
    assert.equal(status['status'], overall, 'panel');
    if (part !== undefined) {
      const own = states.find(({ name }: { name: string }) => name === part[0]);
      assert.equal(own.state, part[1]);
      assert.match(own.problem, part[2]);
    }
    assert.equal((await request('GET', '/api/health')).json()['status'], overall, 'health');

    const metrics = parseExposition((await request('GET', '/metrics')).body);
    const up = metrics
      .get('tombolo_service_up')!
      .samples.map(({ labels, value }) => [labels['service'], value]);
    assert.deepEqual(
      up,
      states.map(({ name, state }: { name: string; state: State }) => [
        name,
        state === 'unknown' ? Number.NaN : Number(state === 'running'),
      ]),
      'metrics',
    );

    const screen = consoleState(moment);
    assert.equal(screen.status, overall, 'screen');
    assert.deepEqual(screen.services, states);
    const problems = states.flatMap(({ name, problem }: Record<string, string>) =>
      problem ? [`${name}: ${problem}`] : [],
    );
    assert.equal(screen.problem, problems.join(' ') || null);

    let said = '';
    const exitCode = await COMMANDS['status']({
      client: { call: async (_method: string, path: string) => (await request('GET', path)).json() },
      say: (text: string) => void (said += `${text}\n`),
      json() {},
    } as never);
    assert.equal(exitCode === 0, overall === 'ok', 'command line');
    assert.match(said, new RegExp(`^Tombolo [^:]+: ${overall},`));
    for (const { name, state, problem } of states) {
      const line = said.split('\n').find((each) => each.startsWith(`${name} `)) ?? '';
      assert.match(line, new RegExp(`^${name} +${state}\\b`));
      if (problem !== null) assert.ok(line.includes(problem), line);
    }
  });
}
