/** Health checks with real servers: a dead address gets no client, and comes back when it is well. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance } from '../../lab/appliance.ts';
import type { Host } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

const PATIENCE = { timeoutMs: 120_000, intervalMs: 200 };
const health = (fields: object = {}) => ({ intervalSeconds: 1, failures: 2, successes: 2, ...fields });

/**
 * One nginx for all servers that answer. Each address says its name; /health is 503 while the file `sick-NAME` exists, and the
 * rest of the site is well.
 */
const SITES = {
  sick1: '2001:db8:1::a1',
  sick2: '2001:db8:1::a2',
  well: '2001:db8:1::b2',
  turn1: '2001:db8:1::c1',
  turn2: '2001:db8:1::c3',
  proxied1: '2001:db8:1::d1',
  proxied2: '2001:db8:1::d2',
  stays: '2001:db8:1::e2',
} as const;
/** Accepts connections, and never answers. */
const HUNG = '2001:db8:1::b1';
/** Ends each handshake with an alert. */
const ALERTING = '2001:db8:1::b3';
/** Nothing listens there. */
const NOTHING = '2001:db8:1::c2';
/** Another machine, whose cable is pulled. */
const PULLED = '2001:db8:1::e1';

const names = {
  sick: 'sick.example.org',
  hung: 'hung.example.org',
  turn: 'turn.example.org',
  proxied: 'proxied.example.org',
  pulled: 'pulled.example.org',
};

const HOSTS = [
  {
    name: 'sick',
    addresses: [SITES.sick1, SITES.sick2],
    hostnames: [names.sick],
    services: ['http'],
    health: health({ path: '/health' }),
  },
  {
    name: 'hung',
    addresses: [HUNG, ALERTING, SITES.well],
    hostnames: [names.hung],
    services: ['https'],
    health: health({ check: 'tls' }),
  },
  {
    name: 'turn',
    addresses: [SITES.turn1, NOTHING, SITES.turn2],
    balance: 'round-robin',
    hostnames: [names.turn],
    services: ['http'],
    health: health({ check: 'tcp' }),
  },
  {
    name: 'proxied',
    addresses: [SITES.proxied1, SITES.proxied2],
    hostnames: [names.proxied],
    services: ['http', { listener: 'https', clientAddress: 'proxy-v2' }],
    clientAddress: 'proxy-v1',
    health: health(),
  },
  {
    name: 'pulled',
    addresses: [PULLED, SITES.stays],
    hostnames: [names.pulled],
    services: ['http'],
    health: health(),
  },
].map((host) => ({ ...host, ssh: false }));

interface Checked {
  readonly address: string;
  readonly service: string;
  readonly state: string;
  readonly reason: string | null;
  readonly falls: number;
}

async function startSites(host: Host, directory: string, certificate: { certificate: string; key: string }) {
  mkdirSync(directory, { recursive: true });
  const server = ([name, address]: readonly [string, string]) => {
    const proxied = name.startsWith('proxied') ? 'proxy_protocol' : '';
    return `
  server {
    listen [${address}]:80 ${proxied};
    listen [${address}]:443 ssl ${proxied};
    location = /health { if (-f ${directory}/sick-${name}) { return 503; } return 200 "fine"; }
    location / { default_type text/plain; return 200 "${name}"; }
  }`;
  };
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};
  ${Object.entries(SITES).map(server).join('')}
  server { listen [${ALERTING}]:443 ssl; ssl_reject_handshake on; }
}`,
  );
  const child = host.spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr']);
  await child.waitForListener('tcp', 443);
}

describe('health checks', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  let directory: string;

  before(async () => {
    world = await buildWorld();
    const { web2, web3 } = world.hosts;
    directory = join(world.directory, 'sites');
    for (const address of [...Object.values(SITES), HUNG, ALERTING, NOTHING])
      await web3.run('ip', ['addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    await web2.run('ip', ['addr', 'add', `${PULLED}/64`, 'dev', 'eth0', 'nodad']);
    // Expired: that is the matter of another check.
    await startSites(web3, directory, await world.ca.issueExpired('sites', Object.values(names)));
    const hung = web3.spawn(process.execPath, [
      '-e',
      `require('net').createServer((socket) => socket.on('error', () => {})).listen(443, '${HUNG}', () => console.log('ready'));`,
    ]);
    await hung.waitForLine(/^ready$/);
    const pulled = web2.spawn(process.execPath, [
      '-e',
      `require('http').createServer((_, response) => response.end('pulled')).listen(80, '${PULLED}', () => console.log('ready'));`,
    ]);
    await pulled.waitForLine(/^ready$/);
    appliance = await startAppliance(world, {
      testHooks: true,
      configuration: { ...CONFIGURATION, hosts: [...CONFIGURATION.hosts, ...HOSTS] },
      await: ['proxy', 'admin'],
    });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  /** What a client gets: the name of the address that answered, or what curl says. */
  const ask = async (name: string, scheme: 'http' | 'https' = 'http') => {
    const port = scheme === 'http' ? 80 : 443;
    const to = ['--connect-to', `${name}:${port}:${ADDRESSES.appliance4}:${port}`, `${scheme}://${name}/`];
    const { stdout, stderr } = await world.hosts.client.run('curl', ['-sSk', ...to]);
    return stdout === '' ? stderr : stdout;
  };
  const askOften = async (name: string, scheme?: 'http' | 'https') => {
    const answers: string[] = [];
    for (let i = 0; i < 12; i++) answers.push(await ask(name, scheme));
    return answers;
  };
  const server = async (name: string) => {
    const { hosts } = (await appliance.api('/api/hosts')) as {
      hosts: { name: string; health: { state: string }; healthChecks: Checked[] }[];
    };
    return hosts.find((host) => host.name === name)!;
  };
  /** Waits until the addresses of a server have these states, and returns the checks. */
  const states = (name: string, expected: string) =>
    waitUntil(
      `${name}: ${expected}`,
      async () => {
        const { healthChecks } = await server(name);
        return healthChecks.map(({ state }) => state).join(' ') === expected && healthChecks;
      },
      PATIENCE,
    );
  const nextAddresses = async () => (await appliance.counters())['proxy']['server-next-address'];
  const events = async (name: string) => {
    const answer = (await appliance.api(`/api/events?kind=health&server=${name}&limit=50`)) as {
      events: { address: string | null; state: string; service: string | null; detail: string | null }[];
    };
    return answer.events.filter(({ address }) => address !== null).toReversed();
  };
  const sick = (name: string) => writeFileSync(join(directory, `sick-${name}`), '');
  const heal = (name: string) => rmSync(join(directory, `sick-${name}`));

  it('all are well: the first address has the clients, whatever its certificate', async () => {
    await states('sick', 'ok ok');
    assert.deepEqual(new Set(await askOften(names.sick)), new Set(['sick1']));
    assert.deepEqual(await events('sick'), []);
  });

  it('503 at /health: no client goes there any more, without a failed attempt', async () => {
    sick('sick1');
    const [first] = await states('sick', 'fail ok');
    assert.equal(first.reason, 'status');
    const before = await nextAddresses();
    assert.deepEqual(new Set(await askOften(names.sick)), new Set(['sick2']));
    assert.equal(await nextAddresses(), before);
    const [event, ...more] = await events('sick');
    assert.deepEqual([event.address, event.state, event.service, more], [SITES.sick1, 'warn', 'http', []]);
    assert.match(event.detail!, /503/);
    const line = appliance.child
      .output()
      .split('\n')
      .find((text) => text.includes('"server":"sick"') && text.includes('the address fails its checks'))!;
    const { service, listener } = JSON.parse(line) as Record<string, string>;
    assert.deepEqual([service, listener, line.split('"service":').length - 1], ['proxy', 'http', 1], line);
  });

  it('it is known to a new worker thread at once, and to a new configuration', async () => {
    const before = (await appliance.restarts())['proxy'];
    appliance.failWorker('proxy');
    await waitUntil('a new thread', async () => (await appliance.restarts())['proxy'] > before, PATIENCE);
    assert.equal(await ask(names.sick), 'sick2');
    const hosts = [...CONFIGURATION.hosts, ...HOSTS].map((host) =>
      host.name === 'sick' ? { ...host, hostnames: [...host.hostnames, 'more.example.org'] } : host,
    );
    writeFileSync(appliance.configFile, JSON.stringify({ ...CONFIGURATION, hosts }));
    appliance.child.process.kill('SIGHUP');
    await waitUntil('the new name', async () => (await ask('more.example.org')) === 'sick2', PATIENCE);
    const [first] = (await server('sick')).healthChecks;
    assert.deepEqual([first.state, first.falls], ['fail', 1]);
  });

  it('metrics, the check and the explanation say so', async () => {
    const { stdout: metrics } = await appliance.request('/metrics');
    assert.match(
      metrics,
      new RegExp(
        `^tombolo_host_address_up\\{host="sick",listener="http",address="${SITES.sick1}"\\} 0$`,
        'm',
      ),
    );
    const { stdout: checks } = await appliance.request('/api/checks/run', [
      ...['-X', 'POST', '-H', 'Content-Type: application/json', '-d', '{"id":"address-health/sick"}'],
    ]);
    const { items } = JSON.parse(checks) as { items: { id: string; state: string; what: string }[] };
    const item = items.find(({ id }) => id === 'address-health/sick')!;
    assert.equal(item.state, 'warn');
    assert.match(item.what, /a1\]:80 fails since .*503.* Its other addresses serve the clients\./);
    assert.equal((await server('sick')).health.state, 'warn');
    const { stdout: explained } = await appliance.request('/api/explain', [
      ...['-X', 'POST', '-H', 'Content-Type: application/json', '-d'],
      JSON.stringify({ from: '203.0.113.9', protocol: 'tcp', to: names.sick, port: 80 }),
    ]);
    assert.match(explained, /a1 fails its health checks, so clients are led elsewhere/);
    assert.match(explained, /leads to sick, \[2001:db8:1::a2\]:80/);
  });

  it('all fail: clients are served nevertheless', async () => {
    sick('sick2');
    await states('sick', 'fail fail');
    assert.deepEqual(new Set(await askOften(names.sick)), new Set(['sick1']));
    assert.equal((await server('sick')).health.state, 'fail');
  });

  it('recovery brings it back', async () => {
    heal('sick1');
    heal('sick2');
    await states('sick', 'ok ok');
    assert.equal(await ask(names.sick), 'sick1');
    const told = (await events('sick')).map(({ address, state }) => [address, state]);
    assert.equal(told.length, 4);
    assert.deepEqual(told.slice(0, 2), [
      [SITES.sick1, 'warn'],
      [SITES.sick2, 'fail'],
    ]);
  });

  it('TLS: a port that never answers, and a handshake that ends with an alert, get no client', async () => {
    const [hung, alerting] = await states('hung', 'fail fail ok');
    assert.deepEqual([hung.reason, alerting.reason], ['timeout', 'tls']);
    assert.deepEqual(new Set(await askOften(names.hung, 'https')), new Set(['well']));
  });

  it('round robin leaves the dead one out, and the others share its clients', async () => {
    await states('turn', 'ok fail ok');
    const before = await nextAddresses();
    const answers = await askOften(names.turn);
    assert.deepEqual(
      ['turn1', 'turn2'].map((name) => answers.filter((answer) => answer === name).length),
      [6, 6],
    );
    assert.equal(await nextAddresses(), before);
  });

  it('servers that take nothing but PROXY headers are well, at both ports', async () => {
    const checks = await states('proxied', 'ok ok ok ok');
    assert.deepEqual(
      checks.map(({ service, falls }) => [service, falls]),
      [
        ['http', 0],
        ['http', 0],
        ['https', 0],
        ['https', 0],
      ],
    );
    assert.equal(await ask(names.proxied), 'proxied1');
  });

  it('a pulled cable', async () => {
    await states('pulled', 'ok ok');
    assert.equal(await ask(names.pulled), 'pulled');
    // Nothing comes in any more, neighbour solicitations neither.
    await world.hosts.web2.run('nft', [
      'add table ip6 cable; add chain ip6 cable in { type filter hook prerouting priority -400; policy drop; }',
    ]);
    const [pulled] = await states('pulled', 'fail ok');
    assert.ok(['timeout', 'unreachable'].includes(pulled.reason!));
    const before = await nextAddresses();
    assert.deepEqual(new Set(await askOften(names.pulled)), new Set(['stays']));
    assert.equal(await nextAddresses(), before);
    await world.hosts.web2.run('nft', ['delete table ip6 cable']);
    await states('pulled', 'ok ok');
    // Whoever met the silence before the check found it out has put the address aside.
    await waitUntil('the first address', async () => (await ask(names.pulled)) === 'pulled', PATIENCE);
  });

  it('a server that is switched off is not checked any more', async () => {
    const hosts = HOSTS.map((host) => ({ ...host, enabled: false }));
    writeFileSync(
      appliance.configFile,
      JSON.stringify({ ...CONFIGURATION, hosts: [...CONFIGURATION.hosts, ...hosts] }),
    );
    appliance.child.process.kill('SIGHUP');
    await waitUntil('no checks', async () => (await server('turn')).healthChecks.length === 0, PATIENCE);
    const { stdout } = await appliance.request('/metrics');
    assert.doesNotMatch(stdout, /tombolo_host_address_up/);
  });
});
