/**
 * Shares of the proxy and of the forwarder: servers that are dead, and clients that take what they can get, beside one that behaves.
 * This one sees no failure. http/network.ts draws the network. How long requests take is told, not judged.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { waitUntil } from '../../lab/wait.ts';
import { ADDRESSES } from './http/addresses.ts';
import { isLong } from './http/long.ts';
import { type Network, manyClients, startNetwork } from './http/network.ts';
import { startServers } from './http/servers.ts';

const CLIENTS = join(import.meta.dirname, 'http/clients');
const REQUESTS = isLong ? 20_000 : 300;
/** Few, so that the clients of the test can use them up. */
const CONNECTIONS = 300;

const shares = (workers: number) => () => {
  let network: Network;
  let ports: Record<string, number>;

  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    const limits = { connections: CONNECTIONS };
    network = await startNetwork({
      proxy: { limits, workers },
      forward: { limits },
      host: { services: ['http', 'https'], ssh: { targetPort: 80 } },
    });
    await startServers(network, ['nginx', 'node']);
    await manyClients(network);
    const { servers } = (await network.query('ssh-config')) as { servers: { name: string; port: number }[] };
    ports = Object.fromEntries(servers.map(({ name, port }) => [name, port]));
  });
  after(() => network?.[Symbol.asyncDispose]());

  async function good(port?: number): Promise<string> {
    const args = [
      join(CLIENTS, 'good.ts'),
      String(REQUESTS),
      '4',
      ...(port === undefined ? [] : [String(port)]),
    ];
    const { stdout } = await network.outside.run(process.execPath, args, { timeoutMs: 600_000 });
    assert.match(stdout, /^ok /);
    return stdout.trim();
  }

  const hostile = (order: string) =>
    network.outside.spawn(process.execPath, [join(CLIENTS, 'hostile.ts'), order]);

  const isOver = (service: 'proxy' | 'forward', counter: string, before: number) =>
    waitUntil(counter, async () => (await network.counters(service))[counter] > before, {
      timeoutMs: 60_000,
      intervalMs: 200,
    });

  interface Case {
    readonly what: string;
    readonly service: 'proxy' | 'forward';
    readonly order: (ports: Record<string, number>) => string;
    /** What counts that the limit was reached. */
    readonly counter: string;
  }
  const CASES: readonly Case[] = [
    {
      what: 'the name of a dead server, from 16 addresses',
      service: 'proxy',
      order: () => `dead=${2 * CONNECTIONS}:80:16`,
      counter: 'refused-server-share',
    },
    {
      what: 'the SSH port of a dead server, from 16 addresses',
      service: 'forward',
      order: (of) => `idle=${2 * CONNECTIONS}:${of['dead']}:16`,
      counter: 'refused-server-share',
    },
    {
      what: 'half hellos from one address',
      service: 'proxy',
      order: () => `half-hellos=${2 * CONNECTIONS}`,
      counter: 'refused-share',
    },
    {
      what: 'half hellos from 16 addresses',
      service: 'proxy',
      order: () => `half-hellos=${2 * CONNECTIONS}:443:16`,
      counter: 'refused-share',
    },
  ];

  it('alone', async (t: TestContext) => {
    t.diagnostic(`proxy: ${await good()}`);
    t.diagnostic(`SSH port: ${await good(ports['nginx'])}`);
  });

  for (const { what, service, order, counter } of CASES) {
    it(`beside ${what}`, async (t: TestContext) => {
      // Those of the case before are given up after ten seconds.
      const isFree = async () => ((await traffic('dead'))['connections'] ?? 0) === 0;
      await waitUntil('the dead server has none', isFree, { timeoutMs: 60_000, intervalMs: 500 });
      const before = (await network.counters(service))[counter];
      await using other = hostile(order(ports));
      await other.waitForLine(/^ready$/, { timeoutMs: 120_000 });
      await isOver(service, counter, before);
      t.diagnostic(await good(service === 'proxy' ? undefined : ports['nginx']));
      assert.equal(other.process.exitCode, null, other.output());
      const { dialling = 0, connections = 0 } = await traffic('dead');
      t.diagnostic(`the dead server: ${connections} connections, ${dialling} of them dialled`);
      assert.ok(connections < CONNECTIONS, `${connections}`);
    });
  }

  async function traffic(name: string): Promise<Record<string, number>> {
    const { hosts } = (await network.query('counters')) as {
      hosts: { name: string; counters: Record<string, number> }[];
    };
    return hosts.find((each) => each.name === name)?.counters ?? {};
  }

  it('all connections are kept ones of one server: they reach it again', async () => {
    const isQuiet = async () => (await network.figures())['connections'] === 0;
    await waitUntil('all connections to be closed', isQuiet, { timeoutMs: 60_000, intervalMs: 500 });
    const client = [join(CLIENTS, 'load.ts'), 'full', String(CONNECTIONS), '100'];
    const { stdout } = await network.outside.run(process.execPath, client, { timeoutMs: 120_000 });
    assert.equal(stdout, 'ok\n');
  });

  it('who has most, and who was refused, is told with the address', async () => {
    await using other = hostile('idle=50');
    await other.waitForLine(/^ready$/, { timeoutMs: 60_000 });
    const shares = await waitUntil(
      'the client is listed',
      async () => {
        const found = (await network.query('proxy/shares')) as {
          clients: { client: string; connections: number }[];
          refused: { client: string; counter: string }[];
        };
        return found.clients[0]?.client === ADDRESSES.hostile && found.clients[0].connections > 40 && found;
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    assert.ok(shares.refused.some(({ client }) => client === ADDRESSES.hostile));
  });

  it('new connections in a second, as configured: the client is refused, counted and named in the timeline', async () => {
    await network.apply({
      ...network.configuration,
      proxy: { workers, limits: { newConnectionsPerSecondPerClient: 5 } },
    });
    const before = (await network.counters())['refused-rate'];
    await using other = hostile('resets=50');
    await isOver('proxy', 'refused-rate', before + 20);
    const { events } = (await network.query('events?kind=connection&limit=500')) as {
      events: { reason?: string; client: string }[];
    };
    const refused = events.filter(({ reason }) => reason === 'refused-rate');
    assert.ok(refused.length > 0);
    assert.ok(refused.every(({ client }) => client === ADDRESSES.hostile));
    assert.equal(other.process.exitCode, null, other.output());
    const { stdout } = await network.outside.run('curl', [
      ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--interface', ADDRESSES.client],
      ...['-m', '30', 'http://nginx.example.com/small.txt'],
    ]);
    assert.equal(stdout, '200');
  });
};

for (const workers of [1, 2])
  describe(
    `shares of servers and of clients, ${workers} of our workers`,
    { concurrency: false },
    shares(workers),
  );
