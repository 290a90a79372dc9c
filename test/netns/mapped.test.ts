/**
 * clientAddress "mapped" with real servers (lab/world.ts): web1's default route does not lead to the appliance. Without a route for
 * the mapped addresses its answers to them are lost; with the route that the check names, its programs log the clients.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, WEB1_SSH_PORT, startAppliance } from '../../lab/appliance.ts';
import { startNginx } from '../../lab/servers/nginx.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

/** A server that logs: nginx at a second address of web1. */
const LOGGED = { name: 'logged', address: '2001:db8:1::11', hostname: 'logged.example.com' };
/** The lab's client, 203.0.113.10. */
const MAPPED = '64:ff9b:1:fffe::cb00:710a';
const PREFIX = '64:ff9b:1:fffe::/96';
const OUR_ROUTES = ['-6', 'route', 'show', 'table', 'local', 'proto', '164'];
/** Everything is looked at once a minute. */
const REGULAR_MS = 90_000;
/** A trial is made every 10 s, with a connection of a client. */
const TRIAL_MS = 60_000;

const [web1, ...others] = CONFIGURATION.hosts;
const mappedHosts = [
  { ...web1, clientAddress: 'mapped' },
  {
    name: LOGGED.name,
    address: LOGGED.address,
    hostnames: [LOGGED.hostname],
    clientAddress: 'mapped',
    ssh: false,
  },
  ...others,
];
const configuration = (changes: object = {}) => ({
  ...CONFIGURATION,
  hosts: mappedHosts,
  nat64: { enabled: false },
  ...changes,
});
const AWAITED = ['proxy', 'admin'] as const;

/** Connects to a server through TLS, and asks it at SIGUSR2. */
const KEPT = `
  const socket = require('tls').connect({
    host: '${ADDRESSES.appliance4}', port: 443, servername: 'example.com', rejectUnauthorized: false,
  }, () => console.log('connected'));
  socket.pipe(process.stdout);
  process.on('SIGUSR2', () => socket.write('GET / HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: close\\r\\n\\r\\n'));
  socket.on('end', () => process.exit());`;

/** A firewall as on the image: answers come in because they belong to a connection; and it filters by reverse path. */
const FIREWALL = `
table inet house {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname { "wan", "lan" } fib saddr . iif oif missing drop
    ct state established,related accept
    iif lo accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
    udp dport 53 accept
    tcp dport { 53, 80, 443, 465, 993, ${WEB1_SSH_PORT} } accept
  }
}`;

interface CheckItem {
  readonly id: string;
  readonly state: string;
  readonly what: string;
  readonly remedy: string | null;
}

describe('mapped addresses', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  let accessLog: string;

  before(async () => {
    world = await buildWorld();
    const { web1: server } = world.hosts;
    await server.run('ip', ['addr', 'add', `${LOGGED.address}/64`, 'dev', 'eth0', 'nodad']);
    // web3 is no router.
    await server.run('ip', ['-6', 'route', 'replace', 'default', 'via', ADDRESSES.web3]);
    const directory = join(world.directory, 'logged');
    mkdirSync(directory);
    accessLog = join(directory, 'access.log');
    await startNginx(server, {
      address: LOGGED.address,
      hostnames: [LOGGED.hostname],
      certificate: await world.ca.issue('logged', [LOGGED.hostname]),
      accessLog: true,
      directory,
    });
    await world.hosts.appliance.run('nft', ['-f', '-'], { input: FIREWALL });
    appliance = await startAppliance(world, {
      testHooks: true,
      configuration: configuration(),
      await: AWAITED,
    });
  });
  after(async () => {
    await appliance?.stop();
    await world?.[Symbol.asyncDispose]();
  });

  const onServer = (...args: string[]) => world.hosts.web1.run('ip', ['-6', ...args]);
  const onAppliance = async (...args: string[]) =>
    (await world.hosts.appliance.run('ip', args)).stdout.trim();
  const curl = (url: string, ...args: string[]) =>
    world.hosts.client.attempt('curl', ['-sS', '-m', '50', '--cacert', world.caCertificate, ...args, url]);
  /** Whom a server sees as its client. */
  const peerOf = async (url: string, ...args: string[]) =>
    /^peer: (.*)$/m.exec((await curl(url, ...args)).stdout)?.[1];
  const fallbacks = async () => (await appliance.counters())['proxy']!['mapped-fallback']!;
  const logged = () => readFileSync(accessLog, 'utf8').trim().split('\n');

  async function check(name: string): Promise<CheckItem> {
    const body = JSON.stringify({ id: `mapped-route/${name}` });
    const json = ['-H', 'Content-Type: application/json', '-d', body];
    const { stdout } = await appliance.request('/api/checks/run', json);
    const { items } = JSON.parse(stdout) as { items: CheckItem[] };
    return items.find(({ id }) => id === `mapped-route/${name}`)!;
  }

  async function apply(document: object): Promise<void> {
    const { revision } = (await appliance.api('/api/config')) as { revision: string };
    const body = JSON.stringify({ document, revision, confirmSeconds: 0 });
    const json = ['-f', '-H', 'Content-Type: application/json', '-d', body];
    const { code, stdout, stderr } = await appliance.request('/api/config/apply', json);
    assert.equal(code, 0, stdout + stderr);
  }

  it('without the route on the server: connections come from the appliance, and are counted', async () => {
    assert.equal(await peerOf('http://example.com/'), ADDRESSES.appliance6);
    assert.equal(await peerOf('https://example.com/'), ADDRESSES.appliance6);
    const before = await fallbacks();
    assert.ok(before >= 2, `${before}`);
    assert.equal(await peerOf('https://example.com/'), ADDRESSES.appliance6);
    assert.equal(await fallbacks(), before + 1);
  });

  it('it was tried before the first client: a new thread tries it with no client', async () => {
    const { web1 } = world.hosts;
    await web1.run('nft', [
      `add table ip6 seen; add counter ip6 seen clients; add chain ip6 seen in { type filter hook input priority 0; }; add rule ip6 seen in ip6 saddr ${MAPPED} counter name clients`,
    ]);
    const packets = async () =>
      Number(/packets ([0-9]+)/.exec((await web1.run('nft', ['list counter ip6 seen clients'])).stdout)![1]);
    // What a thread finds out by its clients is lost with it; what was tried when the configuration came into force is not.
    await waitUntil(
      'a first client that comes from the appliance at once',
      async () => {
        const [before, restarts] = [await packets(), (await appliance.restarts())['proxy']];
        appliance.failWorker('proxy');
        await waitUntil('a new thread', async () => (await appliance.restarts())['proxy'] > restarts, {
          timeoutMs: TRIAL_MS,
        });
        assert.equal(await peerOf('https://example.com/'), ADDRESSES.appliance6);
        return (await packets()) === before;
      },
      { timeoutMs: 6 * TRIAL_MS, intervalMs: 2000 },
    );
    await web1.run('nft', ['delete table ip6 seen']);
  });

  it('the check says so, and names the route; with it, the answers come back', async () => {
    const { state, what, remedy } = await check('web1');
    assert.equal(state, 'warn', what);
    const line = /ip -6 (route add 64:ff9b:1:fffe::\/63 via 2001:db8:1::1)/.exec(remedy ?? '')?.[1];
    assert.ok(line, remedy ?? '');
    const { hosts } = (await appliance.api('/api/hosts')) as {
      hosts: { name: string; snippets: { text: string }[] }[];
    };
    const { snippets } = hosts.find(({ name }) => name === 'web1')!;
    assert.equal(snippets[0]!.text, `ip -6 ${line}\n`);

    await onServer(...line.split(' '));
    const after = await check('web1');
    assert.equal(after.state, 'ok', after.what);
    await waitUntil('a trial', async () => (await peerOf('https://example.com/')) === MAPPED, {
      timeoutMs: TRIAL_MS,
    });
    const before = await fallbacks();
    assert.equal(await peerOf('http://example.com/'), MAPPED);
    assert.equal(await fallbacks(), before);
  });

  it('nginx logs the mapped address', async () => {
    const url = `https://${LOGGED.hostname}/`;
    const resolve = `${LOGGED.hostname}:443:${ADDRESSES.appliance4}`;
    await waitUntil('a mapped connection', async () => (await peerOf(url, '--resolve', resolve)) === MAPPED, {
      timeoutMs: TRIAL_MS,
    });
    await waitUntil('the line', () => logged().at(-1)!.startsWith(`${MAPPED} - - `));
  });

  it('dovecot logs the mapped address', async () => {
    await curl('imaps://mail.example.com/', '-u', 'ann:island');
    const rip = `rip=${MAPPED}`;
    await waitUntil('the line', () => world.servers.dovecot.output().includes(rip), {
      explain: () => world.servers.dovecot.output(),
    });
  });

  it('postfix logs the mapped address', async () => {
    await curl('smtps://mail.example.com/', '-X', 'NOOP');
    const log = () => readFileSync(join(world.directory, 'web1/postfix/postfix.log'), 'utf8');
    await waitUntil('the line', () => log().includes(`connect from unknown[${MAPPED}]`), { explain: log });
  });

  it('sshd logs the mapped address', async () => {
    const { identity, knownHosts, child } = world.ssh.web1;
    const ssh = async () => {
      const { stdout } = await world.hosts.client.attempt('ssh', [
        ...['-F', 'none', '-i', identity, '-p', String(WEB1_SSH_PORT), '-o', 'BatchMode=yes'],
        ...['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'HostKeyAlias=web1.lab'],
        ...[`root@${ADDRESSES.appliance4}`, 'echo client: $SSH_CLIENT'],
      ]);
      return /^client: (\S+)/m.exec(stdout)?.[1];
    };
    // The forwarder has its own memory of ways back.
    await waitUntil('a mapped connection', async () => (await ssh()) === MAPPED, { timeoutMs: TRIAL_MS });
    const line = `Accepted publickey for root from ${MAPPED} port `;
    await waitUntil('the line', () => child.output().includes(line), { explain: () => child.output() });
  });

  it('the local route is ours, and is put back', async () => {
    assert.match(await onAppliance(...OUR_ROUTES), /^local 64:ff9b:1:fffe::\/96 dev lo/);
    await onAppliance('-6', 'route', 'flush', 'table', 'local', 'proto', '164');
    await waitUntil('the route', async () => (await onAppliance(...OUR_ROUTES)) !== '', {
      timeoutMs: REGULAR_MS,
    });
    assert.equal(await peerOf('https://example.com/'), MAPPED);
    const { events } = (await appliance.api('/api/events?kind=notice&limit=20')) as {
      events: { text: string }[];
    };
    const told = events.map(({ text }) => text).join('\n');
    assert.match(told, /removed the local route to 64:ff9b:1:fffe::\/96; put back/);
  });

  it('explained: what the server sees', async () => {
    const flow = { from: '203.0.113.10', protocol: 'tcp', to: 'example.com', port: 443 };
    const json = ['-f', '-H', 'Content-Type: application/json', '-d', JSON.stringify(flow)];
    const way = (await appliance.request('/api/explain', json)).stdout;
    assert.match(way, new RegExp(`sees the client as ${MAPPED}`));
  });

  it('a prefix that NAT64 translates is refused', async () => {
    const { revision } = (await appliance.api('/api/config')) as { revision: string };
    const document = configuration({ nat64: { prefix: '64:ff9b:1::/48' }, dns64: { enabled: false } });
    const body = JSON.stringify({ document, revision, confirmSeconds: 0 });
    const json = ['-H', 'Content-Type: application/json', '-d', body];
    const { problems } = JSON.parse((await appliance.request('/api/config/apply', json)).stdout) as {
      problems: { path: string; value: string; expected: string }[];
    };
    assert.deepEqual(
      problems.map(({ path, value }) => [path, value]),
      [['/proxy/mappedPrefix', `"${PREFIX}"`]],
    );
  });

  it('refuse: without the route the client gets an error, and no connection comes from the appliance', async () => {
    await onServer('route', 'del', '64:ff9b:1:fffe::/63');
    await apply(configuration({ proxy: { mappedFallback: 'refuse', handshakeTimeoutMs: 2000 } }));
    const { stdout } = await curl('http://example.com/', '-o', '/dev/null', '-w', '%{http_code}');
    assert.equal(stdout, '504');
    const before = await fallbacks();
    const { state, what } = await check('web1');
    assert.equal(state, 'fail', what);
    await onServer('route', 'add', '64:ff9b:1:fffe::/63', 'via', ADDRESSES.appliance6);
    assert.equal(await peerOf('http://example.com/'), MAPPED);
    assert.equal(await fallbacks(), before);
  });

  it('an IPv6 client: the server sees the appliance', async () => {
    await apply(configuration({ proxy: { listen: ['0.0.0.0', '::'] } }));
    const url = `http://[${ADDRESSES.appliance6}]/`;
    const { stdout } = await world.hosts.web2.run('curl', [
      '-sS',
      '-m',
      '50',
      '-H',
      'Host: example.com',
      url,
    ]);
    assert.match(stdout, new RegExp(`^peer: ${ADDRESSES.appliance6}$`, 'm'));
  });

  it('no server uses it any more: open connections go on, then the route goes', async () => {
    await apply(configuration());
    const open = world.hosts.client.spawn(process.execPath, ['-e', KEPT]);
    await open.waitForLine(/^connected$/);
    await apply({ ...CONFIGURATION, nat64: { enabled: false } });
    assert.match(await onAppliance(...OUR_ROUTES), /^local/);
    assert.equal(await peerOf('https://example.com/'), ADDRESSES.appliance6);
    open.process.kill('SIGUSR2');
    await open.waitForLine(new RegExp(`^peer: ${MAPPED}$`));
    await open.exited;
    await waitUntil('the route to be gone', async () => (await onAppliance(...OUR_ROUTES)) === '', {
      timeoutMs: REGULAR_MS,
    });
  });

  it('at the end nothing is left; after a kill, the next process takes it back', async () => {
    await apply(configuration());
    assert.notEqual(await onAppliance(...OUR_ROUTES), '');
    await appliance.stop();
    assert.equal(await onAppliance(...OUR_ROUTES), '');

    appliance = await startAppliance(world, { configuration: configuration(), await: AWAITED });
    await appliance.stop('SIGKILL');
    assert.notEqual(await onAppliance(...OUR_ROUTES), '');
    appliance = await startAppliance(world, { await: AWAITED });
    assert.equal(await onAppliance(...OUR_ROUTES), '');
  });
});
