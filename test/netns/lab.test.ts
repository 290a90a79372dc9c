/**
 * The main job: the checks of `npm run lab`, and the robustness of the process, on the lab's own network (lab/world.ts draws
 * it) with real clients and servers.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import {
  answers,
  CONFIGURATION,
  startAppliance,
  waitForAnswer,
  WEB1_SSH_PORT,
  type Appliance,
  type Probe,
} from '../../lab/appliance.ts';
import { CHECKS, environmentOf, perform, prepareChecks } from '../../lab/checks.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { LARGE_FILE_BYTES } from '../../lab/servers/nginx.ts';
import { waitUntil } from '../../lab/wait.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { ADDRESSES, IPV4_ONLY } from '../../lab/zone.ts';

const SCRIPTS = join(import.meta.dirname, 'lab');
const MEMORY_LIMIT_BYTES = 150e6;
const HANDSHAKE_TIMEOUT_MS = 1000;
const DATA_PLANES = ['proxy', 'forward', 'dns64', 'nat64'] as const satisfies Probe[];

describe('lab', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  const configuration = { ...CONFIGURATION, proxy: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS } };

  before(async () => {
    ensurePackages(PACKAGES.lab, console.log);
    requireTun();
    world = await buildWorld();
    appliance = await startAppliance(world, { testHooks: true, configuration });
    await prepareChecks(world, appliance);
  });
  after(() => world?.[Symbol.asyncDispose]());

  const node = (host: keyof World['hosts'], script: string, ...args: string[]) =>
    world.hosts[host].run(process.execPath, [join(SCRIPTS, script), ...args], {
      env: environmentOf(world),
      timeoutMs: 30_000,
    });
  const count = async (service: string, counter: string) => (await appliance.counters())[service][counter];

  /** All services serve, and no worker thread of them died. */
  async function isUnharmed(): Promise<void> {
    for (const name of [...DATA_PLANES, 'admin'] as const) await waitForAnswer(world, appliance.child, name);
    const restarts = Object.values(await appliance.restarts());
    assert.ok(
      restarts.every((times) => times === 0),
      appliance.child.output(),
    );
  }

  it('every service answers soon after its start', (t: TestContext) => {
    t.diagnostic(`from start to first answer: ${JSON.stringify(appliance.answeredAfterMs)} ms`);
  });

  for (const check of CHECKS) {
    it(`${check.way}: ${check.title}`, async () => {
      const { passed, problem, output } = await perform(world, check);
      assert.ok(passed, `${check.on}$ ${check.command}\n${problem}\n${output.stdout}${output.stderr}`);
    });
  }

  it('explains what happens to real clients', async () => {
    const { client, web1 } = world.hosts;
    const { web2: web2SshPort } = await appliance.sshPorts();
    const explain = async (from: string, to: string, port: number) => {
      const body = JSON.stringify({ from, protocol: 'tcp', to, port });
      const post = ['-f', '-H', 'Content-Type: application/json', '--data-binary', body];
      const { stdout } = await appliance.request('/api/explain', post);
      const { outcome, steps } = JSON.parse(stdout) as {
        outcome: { kind: string; server: string | null };
        steps: { service: string }[];
      };
      const services = new Set(steps.map(({ service }) => service));
      return `${outcome.kind} ${outcome.server ?? ''} by ${[...services].join(', ')}`;
    };
    const visit = async (host: typeof client, url: string, ...args: string[]) => {
      const { code, stdout } = await host.attempt(
        'curl',
        ['-sS', '-m', '30', '-w', '%{http_code}', ...args, url],
        {
          env: environmentOf(world),
        },
      );
      return code === 0 ? stdout : `curl exits with ${code}`;
    };
    const here = (name: string, port: number) => ['--resolve', `${name}:${port}:${ADDRESSES.appliance4}`];

    const rows = [
      [
        await visit(client, 'https://www.example.com/'),
        /server: web1/,
        ADDRESSES.client,
        'www.example.com',
        443,
        'server web1 by network, proxy',
      ],
      [
        await visit(client, 'http://shop.example.org/'),
        /server: web3/,
        ADDRESSES.client,
        'shop.example.org',
        80,
        'server web3 by network, proxy',
      ],
      [
        await visit(client, 'http://new.example.net/', ...here('new.example.net', 80)),
        /421$/,
        ADDRESSES.client,
        'new.example.net',
        80,
        'refused  by network, proxy',
      ],
      [
        await visit(client, 'https://example.org:993/', ...here('example.org', 993)),
        /curl exits with/,
        ADDRESSES.client,
        'example.org',
        993,
        'refused  by network, proxy',
      ],
      [
        await visit(client, `http://${ADDRESSES.appliance4}:444/`),
        /curl exits with 7/,
        ADDRESSES.client,
        ADDRESSES.appliance4,
        444,
        'refused  by network',
      ],
      [
        await visit(web1, `http://${IPV4_ONLY}/`),
        /server: mainland/,
        ADDRESSES.web1,
        IPV4_ONLY,
        80,
        'nat64  by dns64, nat64',
      ],
      [
        await visit(web1, `http://[64:ff9b::${ADDRESSES.appliance4}]/`),
        /curl exits with 7/,
        ADDRESSES.web1,
        `64:ff9b::${ADDRESSES.appliance4}`,
        80,
        'refused  by nat64',
      ],
      [
        await visit(web1, `http://[64:ff9b::${ADDRESSES.appliance4}]:444/`),
        /curl exits with 7/,
        ADDRESSES.web1,
        `64:ff9b::${ADDRESSES.appliance4}`,
        444,
        'refused  by nat64',
      ],
      [
        (await client.attempt('ssh-keyscan', ['-T', '2', '-p', String(web2SshPort), ADDRESSES.appliance4]))
          .stdout,
        /ssh-ed25519/,
        ADDRESSES.client,
        ADDRESSES.appliance4,
        web2SshPort,
        'server web2 by forward',
      ],
    ] as const;
    for (const [seen, happens, from, to, port, explained] of rows) {
      assert.match(seen, happens, `${from} to ${to} port ${port}`);
      assert.equal(await explain(from, to, port), explained, `${from} to ${to} port ${port}`);
    }
  });

  it('takes little memory for all that', (t: TestContext) => {
    const { rssBytes, peakRssBytes } = appliance.memory();
    t.diagnostic(`RSS ${(rssBytes / 1e6).toFixed(1)} MB, at most ${(peakRssBytes / 1e6).toFixed(1)} MB`);
    assert.ok(rssBytes < MEMORY_LIMIT_BYTES);
  });

  for (const habit of ['segments', 'records'] as const) {
    it(`reads a ClientHello in many ${habit}`, async () => {
      const { stdout } = await node('client', 'client-hello.ts', habit, 'www.example.com');
      assert.match(stdout, /server: web1\nhost: www\.example\.com/);
    });
  }

  it('closes after a ClientHello that is cut off', async () => {
    const refused = await count('proxy', 'refused-timeout');
    const { stdout } = await node('client', 'client-hello.ts', 'cut-off', 'example.com');
    assert.match(stdout, /closed after [0-9]+ ms/);
    assert.equal(await count('proxy', 'refused-timeout'), refused + 1);
  });

  it('refuses an oversized ClientHello with a fatal alert', async () => {
    const refused = await count('proxy', 'refused-tls-oversized');
    const { stdout } = await node('client', 'client-hello.ts', 'oversized');
    assert.match(stdout, /received 1503..000202(16|32), /, 'record_overflow or decode_error');
    assert.equal(await count('proxy', 'refused-tls-oversized'), refused + 1);
  });

  for (const port of [80, 443, 465, 993, WEB1_SSH_PORT, 53]) {
    it(`withstands random bytes on TCP port ${port}`, async () => {
      await node('client', 'noise.ts', String(port), 'tcp', ADDRESSES.appliance4, String(port));
      await isUnharmed();
    });
  }

  it('withstands random bytes on the admin port', async () => {
    await node('appliance', 'noise.ts', '8064', 'tcp', '127.0.0.1', '8064');
    await isUnharmed();
  });

  it('withstands random datagrams and malformed DNS, and counts them', async () => {
    await node('web1', 'noise.ts', '1', 'udp', ADDRESSES.appliance6, '53');
    await node('web1', 'noise.ts', '2', 'dns', ADDRESSES.appliance6);
    await isUnharmed();
    const counters = (await appliance.counters())['dns64'];
    assert.ok(counters['drop-short'] > 0);
    assert.ok(counters['error-format'] > 0);
  });

  const LIARS = [
    {
      from: 'web1',
      device: 'eth0',
      source: ADDRESSES.web1,
      target: `64:ff9b::${ADDRESSES.mainland}`,
      gateway: 'lan',
    },
    {
      from: 'internet',
      device: 'uplink',
      source: '198.51.100.80',
      target: ADDRESSES.appliance4,
      gateway: 'wan',
    },
  ] as const;
  for (const { from, device, source, target, gateway } of LIARS) {
    it(`withstands malformed packets from ${from}, and counts them`, async (t: TestContext) => {
      const macFile = `/sys/class/net/${gateway}/address`;
      const { stdout: mac } = await world.hosts.appliance.run('cat', [macFile]);
      const drops = async () =>
        Object.entries((await appliance.counters())['nat64']).filter(([name]) => name.startsWith('drop-'));
      const earlier = new Map(await drops());
      await node(from, 'lying-packets.ts', '7', device, mac.trim(), source, target);
      await isUnharmed();
      const counted = (await drops())
        .map(([name, value]) => [name, value - (earlier.get(name) ?? 0)] as const)
        .filter(([, more]) => more > 0);
      t.diagnostic(JSON.stringify(Object.fromEntries(counted)));
      assert.ok(counted.length > 0);
    });
  }

  it('refuses a bad configuration while it runs, reports where, and keeps running', async () => {
    const good = readFileSync(appliance.configFile, 'utf8');
    writeFileSync(appliance.configFile, good.replace('"mail.example.com"', '"mail..example.com"'));
    appliance.child.process.kill('SIGHUP');
    await appliance.child.waitForLine(/hosts\/0\/hostnames\/2.*mail\.\.example\.com/);
    for (const name of DATA_PLANES) await waitForAnswer(world, appliance.child, name);
    const { status, services } = (await appliance.api('/api/status')) as {
      status: string;
      services: { name: string; problem: string | null }[];
    };
    assert.equal(status, 'degraded');
    const { problem } = services.find(({ name }) => name === 'configuration')!;
    assert.match(problem ?? '', /hosts\/0\/hostnames\/2.*"mail\.\.example\.com"/);
    writeFileSync(appliance.configFile, good);
    appliance.child.process.kill('SIGHUP');
    await isUnharmed();
  });

  it('applies a change through the API without touching unrelated connections', async () => {
    const download = world.hosts.client.run('curl', [
      ...[
        '-sS',
        '--limit-rate',
        '12M',
        '-o',
        '/dev/null',
        '-w',
        '%{size_download}',
        'http://example.com/large',
      ],
    ]);
    const good = readFileSync(appliance.configFile, 'utf8');
    const replace = async (document: string) => {
      const { revision } = (await appliance.api('/api/config')) as { revision: string };
      const body = JSON.stringify({ document, revision, confirmSeconds: 0 });
      const post = ['-H', 'Content-Type: application/json', '-w', '%{http_code}', '--data-binary', body];
      return appliance.request('/api/config/apply', post);
    };
    const visit = (name: string) =>
      world.hosts.client.run('curl', [
        '-sS',
        '--resolve',
        `${name}:80:${ADDRESSES.appliance4}`,
        `http://${name}/`,
      ]);
    assert.match((await visit('new.example.net')).stdout, /new\.example\.net/); // the reason of a 421

    const changed = await replace(
      good.replace('"shop.example.org"', '"shop.example.org", "new.example.net"'),
    );
    assert.match(changed.stdout, /"changed":true.*200$/);
    assert.match((await visit('new.example.net')).stdout, /server: web3/);
    assert.match(readFileSync(appliance.configFile, 'utf8'), /new\.example\.net/);
    const refused = await replace(good.replace('"port": 22001', '"port": 443'));
    assert.match(refused.stdout, /\/hosts\/0\/ssh\/port.*443.*400$/);

    assert.equal((await download).stdout, String(LARGE_FILE_BYTES));
    assert.match((await replace(good)).stdout, /200$/);
    await isUnharmed();
  });

  for (const victim of DATA_PLANES) {
    it(`restarts the ${victim} thread when it dies, without effect on the others`, async (t: TestContext) => {
      const others = DATA_PLANES.filter((name) => name !== victim);
      const restarts = await appliance.restarts();
      // One connection through each thread, slow enough to be still open when the other thread dies.
      const download = (host: 'client' | 'web2', name: string) =>
        world.hosts[host].run('curl', [
          '-sS',
          '--limit-rate',
          '12M',
          '-o',
          '/dev/null',
          '-w',
          '%{size_download}',
          name,
        ]);
      const downloads = [
        ...(victim === 'proxy' ? [] : [download('client', 'http://example.com/large')]),
        ...(victim === 'nat64' ? [] : [download('web2', `http://${IPV4_ONLY}/large`)]),
      ];
      await Promise.all(others.map((name) => waitForAnswer(world, appliance.child, name)));

      const killedAt = performance.now();
      appliance.failWorker(victim);
      await waitUntil('the restart', async () => (await appliance.restarts())[victim] > restarts[victim]);
      const backAfterMs = await waitForAnswer(world, appliance.child, victim, killedAt);
      for (const name of others) assert.ok(await answers(world, name), `${name} did not answer`);
      for (const { stdout } of await Promise.all(downloads)) assert.equal(stdout, String(LARGE_FILE_BYTES));
      assert.deepEqual(await appliance.restarts(), { ...restarts, [victim]: restarts[victim] + 1 });
      t.diagnostic(`answers again after ${backAfterMs} ms`);
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops on ${signal} and leaves nothing behind`, async () => {
      assert.deepEqual(await appliance.stop(signal), { code: 0, leftBehind: [] });
      appliance = await startAppliance(world, { testHooks: true, configuration });
    });
  }

  it('starts after a kill, and also removes what the killed process has left', async () => {
    const { leftBehind } = await appliance.stop('SIGKILL');
    appliance = await startAppliance(world, { testHooks: true, configuration });
    const undone = (await appliance.stop()).leftBehind.map(
      (line) => (line[0] === '+' ? '-' : '+') + line.slice(1),
    );
    assert.deepEqual(undone.sort(), leftBehind.sort());
  });

  it('npm run lab stays up until Ctrl-C, with the admin page on this machine', async () => {
    const lab = spawn(process.execPath, [join(import.meta.dirname, '../../lab/main.ts')]);
    let said = '';
    lab.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    try {
      const page = await waitUntil(
        'the lab to stay up',
        () => (said.includes('Ctrl-C') ? /Control panel +(\S+)/.exec(said)?.[1] : undefined),
        { timeoutMs: 60_000, explain: () => said },
      );
      assert.match(await (await fetch(page)).text(), /<!doctype html>/i);
    } finally {
      lab.kill('SIGINT');
    }
    const [code] = await once(lab, 'exit');
    assert.equal(code, 0, said);
    assert.deepEqual(
      readdirSync('/run/netns').filter((name) => name.startsWith(`tombolo-${lab.pid}-`)),
      [],
    );
  });
});
