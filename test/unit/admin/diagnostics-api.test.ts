/** The routes of the diagnostics, with the whole diagnostics on a simulated machine. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createEngine } from '../../../src/admin/diagnostics/engine.ts';
import type { Machine } from '../../../src/os/machine.ts';
import { asIs, english } from '../../../src/texts/text.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { fakeMachine } from './diagnostics/machine.ts';
import { loaded } from '../config/loaded.ts';
import { assertError, testAdmin, testDeps } from './fixture.ts';

const HOSTS = {
  hosts: [
    { name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'] },
    {
      name: 'web2',
      address: '2001:db8:1::20',
      hostnames: ['example.org'],
      clientAddress: 'proxy-v2',
      ssh: false,
    },
  ],
};

async function setUp(t: TestContext, changes: Partial<Machine> = {}, conditions = createConditions()) {
  let sshState: 'ok' | 'fail' = 'fail';
  const deps = await testDeps(t);
  await deps.store.replace(loaded(JSON.stringify(HOSTS)));
  const lookUp: Machine['lookUp'] = async (_, name, type) =>
    type === 'A' && name === 'example.com' ? { kind: 'found', values: ['192.0.2.1'] } : { kind: 'none' };
  const diagnostics = createEngine(
    { ...deps, stateDirectory: '/nowhere', conditions, log: silentLog },
    {
      machine: fakeMachine({ lookUp, ...changes }),
      probe: async ({ service, address, port }) => [
        {
          name: 'tcp',
          service,
          address,
          port,
          hostname: null,
          state: port === 22 ? sshState : 'ok',
          latencyMs: 1,
          detail: asIs('As the test says.'),
          certificate: null,
        },
      ],
      askHttps: async () => undefined,
      mdnsName: async () => undefined,
      isOpen: async () => false,
      now: () => new Date(),
      monotonicMs: () => performance.now(),
    },
  );
  t.after(() => diagnostics[Symbol.dispose]());
  const admin = await testAdmin(t, { ...deps, diagnostics });
  const post = (url: string, body?: object) =>
    body === undefined
      ? admin.request('POST', url)
      : admin.request('POST', url, { 'content-type': 'application/json' }, JSON.stringify(body));
  return { ...admin, post, setSsh: (state: typeof sshState) => (sshState = state) };
}

test('a server at an own address is not probed, and the report says so', async (t) => {
  const own = [parseIpPrefix('2001:db8:1::10') as IpPrefix];
  const { post } = await setUp(t, { own: () => own });
  const { health } = (await post('/api/hosts/web1/check')).json();
  assert.equal(health.state, 'fail');
  const details = health.probes.map(({ name, state, detail }: Record<string, string>) => [
    name,
    state,
    detail,
  ]);
  const detail = '2001:db8:1::10 is an address of this appliance itself: the appliance never connects to it.';
  for (const each of details) assert.deepEqual(each, ['tcp', 'fail', detail]);
  assert.ok(details.length > 0);
  const other = (await post('/api/hosts/web2/check')).json();
  assert.ok(
    other.health.probes.every((each: Record<string, string>) => each['detail'] === 'As the test says.'),
  );
});

test('hosts: unknown at first, measured on request', async (t) => {
  const { request, post } = await setUp(t);
  const before = (await request('GET', '/api/hosts')).json();
  assert.equal(before['publicIpv4'].address, '192.0.2.1');
  assert.deepEqual(
    before['hosts'].map(({ name, sshPort, sshConfig }: Record<string, unknown>) => [
      name,
      sshPort,
      sshConfig,
    ]),
    [
      ['web1', 22_001, 'Host web1\n  HostName 192.0.2.1\n  Port 22001\n  HostKeyAlias web1\n'],
      ['web2', null, null],
    ],
  );
  const after = (await post('/api/hosts/web1/check')).json();
  assert.equal(after['health'].state, 'fail');
  assert.deepEqual(
    after['health'].probes.map(({ service, state }: Record<string, unknown>) => `${service} ${state}`),
    ['http ok', 'https ok', 'ssh fail'],
  );
  assertError(await post('/api/hosts/web9/check'), 404, 'no-such-server');
});

test('the current DNS records of a server', async (t) => {
  const { request } = await setUp(t);
  const answer = (await request('GET', '/api/hosts/web1/dns-records')).json();
  assert.deepEqual(
    answer['records'].map(({ zoneLine, state }: Record<string, unknown>) => [zoneLine, state]),
    [
      ['example.com. A 192.0.2.1', 'ok'],
      ['example.com. AAAA 2001:db8:1::10', 'fail'],
    ],
  );
  assert.equal(answer['resolver'], 'udp://9.9.9.9, udp://149.112.112.112');
  assertError(await request('GET', '/api/hosts/web9/dns-records'), 404, 'no-such-server');
});

test('health follows the measurements: unknown at first, then the findings of the cheap checks', async (t) => {
  const conditions = createConditions();
  const checks = () => conditions.reports().find(({ name }) => name === 'checks')?.status;
  assert.equal(checks()?.state, 'unknown');
  let isFull = true;
  const { post } = await setUp(
    t,
    {
      disk: async () => ({
        totalBytes: 32e9,
        freeBytes: isFull ? 0 : 20e9,
        totalFiles: 0,
        freeFiles: 0,
        isWritable: true,
        device: undefined,
      }),
    },
    conditions,
  );
  await post('/api/checks/run', {});
  assert.equal(checks()?.state, 'degraded');
  assert.match(english(checks()?.problem ?? ''), /Disk space: 0 MiB of 29\.8 GiB are free\./);
  // The servers have their own health.
  assert.doesNotMatch(english(checks()?.problem ?? ''), /web1/);
  isFull = false;
  await post('/api/checks/run', { id: 'disk' });
  assert.doesNotMatch(english(checks()?.problem ?? ''), /Disk/);
});

test('checks: read, run, and one run again', async (t) => {
  const { request, post } = await setUp(t);
  const first = (await request('GET', '/api/checks')).json();
  assert.equal(first['isRunning'], true);
  const all = (await post('/api/checks/run', {})).json();
  assert.equal(all['isRunning'], false);
  const find = (id: string) => all['items'].find((item: { id: string }) => item.id === id);
  assert.equal(find('server/web1').state, 'fail');
  assert.equal(find('server/web2').state, 'ok');
  assert.equal(find('disk').state, 'ok');
  const isOpen = ({ state }: { state: string }) => state === 'fail' || state === 'warn';
  assert.equal(all['open'], all['items'].filter(isOpen).length);
  const one = (await post('/api/checks/run', { id: 'server/web1' })).json();
  assert.equal(one['items'].length, all['items'].length);
  assertError(await post('/api/checks/run', { id: 'nothing' }), 404, 'no-such-check');
  assertError(await post('/api/checks/run', { id: '../x' }), 400, 'invalid-input');
  assertError(await post('/api/checks/run', { ids: [] }), 400, 'invalid-input');
});

test('the network and its neighbours', async (t) => {
  const { request, post } = await setUp(t, {
    neighbours: async () => [
      { address: '2001:db8:1::10', interface: 'eth0', mac: '02:10', isRouter: false, states: ['REACHABLE'] },
    ],
  });
  const network = (await request('GET', '/api/network')).json();
  assert.deepEqual(network['addresses'], ['192.0.2.1', '2001:db8:1::1']);
  assert.deepEqual(network['gateway6'], { address: 'fe80::fe', interface: 'eth0' });
  assert.deepEqual(network['dns'].resolvers, ['192.0.2.53', '2001:db8:1::53']);
  const known = (await request('GET', '/api/neighbours')).json()['neighbours'];
  assert.deepEqual([known[0].server, known[0].openPorts], ['web1', null]);
  const probed = (await post('/api/neighbours/probe')).json()['neighbours'];
  assert.deepEqual([probed[0].server, probed[0].openPorts], ['web1', []]);
});

test("a change of a server's health is an event, with the probe that caused it", async (t) => {
  const { request, post, setSsh } = await setUp(t);
  const events = async (query: string) =>
    (await request('GET', `/api/events?${query}`)).json()['events'] as Record<string, unknown>[];
  // The first result is "fail".
  for (const state of ['fail', 'ok', 'fail', 'fail', 'ok'] as const) {
    setSsh(state);
    await post('/api/hosts/web1/check');
    await post('/api/hosts/web2/check');
  }
  const both = (await events('kind=health')).map(({ id: _id, at: _at, ...event }) => event);
  const well = { probe: null, service: null, port: null, hostname: null, detail: null, failing: 0 };
  const failing = {
    probe: 'tcp',
    service: 'ssh',
    port: 22,
    hostname: null,
    detail: 'As the test says.',
    failing: 1,
  };
  const web1 = { kind: 'health', server: 'web1', address: null };
  assert.deepEqual(both, [
    { ...web1, state: 'ok', before: 'fail', ...well },
    { ...web1, state: 'fail', before: 'ok', ...failing },
    { ...web1, state: 'ok', before: 'fail', ...well },
    { ...web1, state: 'fail', before: 'unknown', ...failing },
  ]);
  assert.equal((await events('server=web1&kind=health,service')).length, 4);
  assert.equal((await events('server=web2')).length, 0);
  assert.equal((await events('kind=health&text=the+test')).length, 2);
});
