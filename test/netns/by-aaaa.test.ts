/** Names that no server has lead to their AAAA records inside `proxy.allowedPrefixes`, with real resolvers and clients. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance } from '../../lab/appliance.ts';
import type { Child } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';
import { ALLOWED, BAD_ADDRESSES, FIRST, OUTSIDE, SECOND } from './by-aaaa/addresses.ts';

const FOLDER = join(import.meta.dirname, 'by-aaaa');
const NAME_SERVER = '198.51.100.54';
const UNBOUND = '198.51.100.55';

const configuration = (upstream: string, proxy = {}) => ({
  ...CONFIGURATION,
  proxy: { allowedPrefixes: [ALLOWED], ...proxy },
  dns64: { upstreams: [`udp://${upstream}`] },
});

describe('routing by AAAA', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  let names: Child;

  async function startNames(): Promise<void> {
    names = world.hosts.dns.spawn(process.execPath, [join(FOLDER, 'name-server.ts'), NAME_SERVER]);
    await names.waitForLine(/^ready$/);
  }

  before(async () => {
    world = await buildWorld();
    const { web3, dns, appliance: machine } = world.hosts;
    await dns.run('ip', ['addr', 'add', `${NAME_SERVER}/24`, 'dev', 'eth0']);
    await dns.run('ip', ['addr', 'add', `${UNBOUND}/24`, 'dev', 'eth0']);
    for (const address of [FIRST, SECOND, OUTSIDE])
      await web3.run('ip', ['addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    await machine.run('ip', ['-6', 'route', 'add', `${OUTSIDE}/128`, 'dev', 'lan']);
    const { certificate, key } = await world.ca.issue('names', ['*.example.net']);
    const servers = web3.spawn(process.execPath, [
      join(FOLDER, 'servers.ts'),
      ...[certificate, key, FIRST, SECOND, OUTSIDE],
    ]);
    for (const address of [FIRST, SECOND, OUTSIDE])
      for (const protocol of ['http', 'https'])
        await servers.waitForLine(new RegExp(`^${protocol} ${address}$`, 'm'));
    await startNames();
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  const start = async (upstream: string, proxy = {}) => {
    await appliance?.stop();
    appliance = await startAppliance(world, {
      configuration: configuration(upstream, proxy),
      await: ['proxy', 'admin'],
    });
  };

  /** The answer to a request for this name: the body, or the status. */
  async function get(name: string, from: 'client' | 'mainland' = 'client'): Promise<string> {
    const url = `http://${ADDRESSES.appliance4}/`;
    const args = ['-sS', '-m', '20', '-w', '\n%{http_code}', '-H', `Host: ${name}`, url];
    const { stdout } = await world.hosts[from].run('curl', args, { timeoutMs: 25_000 });
    const [body, status] = stdout.split(/\n(?=[0-9]+$)/);
    return status === '200' ? body : status;
  }
  async function getTls(name: string): Promise<string> {
    const to = ['--resolve', `${name}:443:${ADDRESSES.appliance4}`, '--cacert', world.caCertificate];
    const { code, stdout, stderr } = await world.hosts.client.attempt(
      'curl',
      ['-sS', '-m', '20', ...to, `https://${name}/`],
      { timeoutMs: 25_000 },
    );
    return code === 0 ? stdout : stderr;
  }
  const counters = async () => (await appliance.counters())['proxy'];
  const queries = (name: string) => names.output().split(`query ${name}\n`).length - 1;

  /** Nothing was dialled that must not be, whatever became of it. */
  async function nothingBadDialled(): Promise<void> {
    const now = await counters();
    for (const failure of ['refused', 'unreachable', 'timeout', 'no-socket', 'ourselves'])
      assert.equal(now[`server-${failure}`], 0, failure);
  }

  describe('through unbound', () => {
    before(async () => {
      const directory = join(world.directory, 'unbound');
      mkdirSync(directory);
      const file = join(directory, 'unbound.conf');
      writeFileSync(
        file,
        `server:
  interface: ${UNBOUND}
  access-control: 0.0.0.0/0 allow
  chroot: ""
  username: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  do-ip6: no
  do-not-query-localhost: no
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: ${NAME_SERVER}
`,
      );
      const unbound = world.hosts.dns.spawn('unbound', ['-d', '-c', file]);
      await unbound.waitForListener('udp', 53);
      await start(UNBOUND);
    });

    it('HTTP by Host and TLS by server name; configured names stay with their servers', async () => {
      assert.equal(await get('good.example.net'), FIRST);
      assert.equal(await getTls('good.example.net'), FIRST);
      assert.equal(await getTls('alias.example.net'), FIRST);
      assert.match(await get('example.com'), /web1/);
      assert.equal((await counters())['aaaa-asked'], 2);
    });

    it('of several addresses the first that answers, and none that is not allowed', async () => {
      assert.equal(await get('mixed.example.net'), FIRST);
      await nothingBadDialled();
      // The first that is allowed belongs to nobody.
      assert.equal(await get('two.example.net'), FIRST);
    });

    it('no allowed address: refused as an unknown name, with a counter of its own', async () => {
      const before = await counters();
      for (const name of ['none.example.net', 'nothing.example.net']) {
        assert.equal(await get(name), '421');
        assert.match(await getTls(name), /unrecognized name/);
      }
      const now = await counters();
      assert.equal(now['refused-http-no-address'] - before['refused-http-no-address'], 2);
      assert.equal(now['refused-tls-no-address'] - before['refused-tls-no-address'], 2);
      assert.equal(now['aaaa-asked'] - before['aaaa-asked'], 2, 'negative answers are cached, too');
    });

    it('names that are none are not looked up', async () => {
      const before = (await counters())['aaaa-asked'];
      for (const name of ['localhost', '[2001:db8:1::98]', '198.51.100.80', '_x.example.net'])
        assert.equal(await get(name), '421');
      assert.equal((await counters())['aaaa-asked'], before);
    });

    it('requests of one connection, sent ahead, are answered in their order', async () => {
      const ask = ['good', 'fresh1', 'none', 'moves'].map(
        (label) => `GET / HTTP/1.1\\r\\nHost: ${label}.example.net\\r\\n\\r\\n`,
      );
      const script = `const socket = require('net').connect(80, '${ADDRESSES.appliance4}');
        socket.pipe(process.stdout); socket.end('${ask.join('')}');`;
      const { stdout } = await world.hosts.client.run(process.execPath, ['-e', script]);
      assert.deepEqual(stdout.match(/HTTP\/1\.1 [0-9]+|2001:db8:1::9[0-9]/g), [
        ...['HTTP/1.1 200', FIRST, 'HTTP/1.1 200', FIRST, 'HTTP/1.1 421'],
      ]);
    });

    it('the traffic is counted, the timeline has the name, and the explanation says the same', async () => {
      const { hosts } = (await appliance.api('/api/counters')) as {
        hosts: { name: string; counters: Record<string, number> }[];
      };
      const { counters: traffic } = hosts.find(({ name }) => name === '(AAAA)')!;
      const { 'aaaa-routed': routed } = await counters();
      assert.ok(traffic['accepted'] > 0 && traffic['accepted'] <= routed, JSON.stringify(traffic));
      const { events } = (await appliance.api('/api/events?kind=connection')) as {
        events: { what: string; name: string; server: string | null; reason: string | null }[];
      };
      const of = (name: string) => events.filter((event) => event.name === name);
      assert.ok(of('good.example.net').some(({ server }) => server === '(AAAA)'));
      assert.ok(of('none.example.net').some(({ reason }) => reason === 'refused-tls-no-address'));
      const explain = async (name: string) => {
        const question = { from: ADDRESSES.client, protocol: 'tcp', to: name, port: 443 };
        const body = ['-H', 'Content-Type: application/json', '-d', JSON.stringify(question)];
        const { outcome } = JSON.parse((await appliance.request('/api/explain', body)).stdout) as {
          outcome: { kind: string; address: string | null; text: string };
        };
        return `${outcome.kind} ${outcome.address}: ${outcome.text}`;
      };
      assert.match(
        await explain('mixed.example.net'),
        new RegExp(`^server ${FIRST}: .*lies in proxy\\.allowedPrefixes`),
      );
      assert.match(await explain('none.example.net'), /^refused null: .*no AAAA record/);
      assert.match(await explain('bad2.example.net'), /^(server|refused)/);
      assert.match(await explain('dead.example.net'), /^unknown null: .*no resolver answers/);
    });
  });

  describe('a name server that lies, is slow, or is silent', () => {
    before(() => start(NAME_SERVER));

    it('DNS rebinding: answers that alternate with TTL 0 never lead elsewhere', async () => {
      const hosts = BAD_ADDRESSES.map((_, i) => `bad${i}.example.net`);
      const seen = new Set<string>();
      await waitUntil(
        'two bad and two good answers of each name',
        async () => {
          for (const host of hosts) seen.add(await get(host));
          return hosts.every((host) => queries(host) >= 4);
        },
        { timeoutMs: 90_000, intervalMs: 500 },
      );
      assert.deepEqual([...seen].sort(), [FIRST, '421']);
      await nothingBadDialled();
    });

    it('a change is seen when the TTL has passed', async () => {
      assert.equal(await get('moves.example.net'), FIRST);
      await waitUntil('the new address', async () => (await get('moves.example.net')) === SECOND, {
        timeoutMs: 60_000,
        intervalMs: 200,
      });
      assert.equal(queries('moves.example.net'), 2);
    });

    it('a slow answer is waited for, once for all clients', async () => {
      const before = (await counters())['aaaa-asked'];
      const all = await Promise.all(Array.from({ length: 8 }, () => get('slow.example.net')));
      assert.deepEqual(new Set(all), new Set([FIRST]));
      assert.equal((await counters())['aaaa-asked'] - before, 1);
    });

    it('a name whose server is silent is refused; others are not', async () => {
      const [dead, deadTls, ...others] = await Promise.all([
        get('dead.example.net'),
        getTls('dead.example.net'),
        get('fresh2.example.net'),
        get('good.example.net'),
      ]);
      assert.equal(dead, '503');
      assert.match(deadTls, /internal error/);
      assert.deepEqual(others, [FIRST, FIRST]);
      const { 'refused-http-no-lookup': http, 'refused-tls-no-lookup': tls } = await counters();
      assert.deepEqual([http, tls], [1, 1]);
    });

    it('a client that asks for random names over 600 connections: another one is served', async () => {
      const flood = world.hosts.client.spawn(process.execPath, [
        join(FOLDER, 'random-names.ts'),
        ...[ADDRESSES.appliance4, '600'],
      ]);
      await flood.waitForLine(/^asks$/m, { timeoutMs: 60_000 });
      for (let i = 10; i < 20; i++) assert.equal(await get(`fresh${i}.example.net`, 'mainland'), FIRST);
      await flood.stop();
      const now = await counters();
      assert.ok(now['refused-http-lookup-share'] > 0);
      await waitUntil('the end of its look-ups', async () => (await get('fresh21.example.net')) === FIRST);
    });

    it('a name that is configured later belongs to that server, and leaves it again', async () => {
      assert.equal(await get('later.example.net'), FIRST);
      const change = async (hosts: readonly object[], settled: string) => {
        const document = JSON.parse(readFileSync(appliance.configFile, 'utf8')) as object;
        writeFileSync(appliance.configFile, JSON.stringify({ ...document, hosts }));
        appliance.child.process.kill('SIGHUP');
        await waitUntil('the change', async () => (await get('later.example.net')) === settled);
      };
      const later = { name: 'later', address: SECOND, hostnames: ['later.example.net'], ssh: false };
      await change([...CONFIGURATION.hosts, later], SECOND);
      assert.equal(await get('good.example.net'), FIRST);
      await change(CONFIGURATION.hosts, FIRST);
      assert.equal(queries('later.example.net'), 1, 'what is known of names outlives changes');
    });

    it('a resolver that is down: what was known is used, what was not is refused', async () => {
      assert.equal(await get('moves.example.net'), SECOND);
      await names.stop();
      const stale = async () => {
        assert.equal(await get('moves.example.net'), SECOND);
        return (await counters())['aaaa-stale'] > 0;
      };
      await waitUntil('an answer that is out of date', stale, { timeoutMs: 60_000, intervalMs: 200 });
      assert.equal(await get('unknown.example.net'), '503');
      await startNames();
      await waitUntil('an answer', async () => (await get('fresh30.example.net')) === FIRST, {
        timeoutMs: 60_000,
        intervalMs: 200,
      });
    });
  });

  it('with two workers: the default server gets what has no address of its own', async () => {
    await start(NAME_SERVER, { defaultHost: 'web1', workers: 2 });
    const all = await Promise.all(Array.from({ length: 16 }, () => get('good.example.net')));
    assert.deepEqual(new Set(all), new Set([FIRST]));
    assert.match(await get('none.example.net'), /web1/);
    assert.match(await get('localhost'), /web1/);
    assert.equal(await get('dead.example.net'), '503');
  });
});
