/**
 * "Check my setup" and the health of the servers, on the lab's own network (lab/world.ts draws it). At first everything is
 * green. Then one thing after another is broken: its own line reports it, no other line does, and it is green again once the
 * thing is fixed.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance } from '../../lab/appliance.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { waitUntil } from '../../lab/wait.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { ADDRESSES, HOSTNAMES, IPV4_ONLY } from '../../lab/zone.ts';
import type {
  CheckItem,
  ChecksAnswer,
  DnsRecordsAnswer,
  HostAnswer,
  HostsAnswer,
  NeighboursAnswer,
  NetworkAnswer,
} from '../../src/admin/contract/checks.ts';
import type { StatusAnswer } from '../../src/admin/contract/status.ts';

/** The lab has these in common with the machine that it runs on. */
const OF_THE_MACHINE = new Set(['clock', 'disk', 'disk-wear', 'temperature', 'power']);
const UPSTREAM = `dns64-upstreams/udp-${ADDRESSES.dns.replaceAll('.', '-')}`;
/** What the checks cost permanently: modules, TLS, memory that the garbage collector has not freed yet. */
const MEMORY_LIMIT_BYTES = 12e6;

describe('checks', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  const start = (configuration: object = CONFIGURATION) =>
    startAppliance(world, { configuration, env: { NODE_EXTRA_CA_CERTS: world.caCertificate } });

  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    requireTun();
    world = await buildWorld();
    appliance = await start();
  });
  after(() => world?.[Symbol.asyncDispose]());

  async function post<T>(path: string, body: object): Promise<T> {
    const json = ['-H', 'Content-Type: application/json', '--data-binary', JSON.stringify(body)];
    const { stdout } = await appliance.request(path, ['-f', '-m', '60', ...json]);
    return JSON.parse(stdout) as T;
  }
  const runAll = () => post<ChecksAnswer>('/api/checks/run', {});
  const ofTheLab = ({ items }: ChecksAnswer) => items.filter(({ id }) => !OF_THE_MACHINE.has(id));
  const open = (answer: ChecksAnswer) =>
    ofTheLab(answer).filter(({ state }) => state === 'fail' || state === 'warn');
  const states = (items: readonly CheckItem[]) =>
    items.map(({ id, state, what }) => `${id} ${state}: ${what}`);

  /** Runs all checks again until exactly these lines are open: DNS64 retries an unreachable upstream only after a while. */
  async function expectOpen(...ids: string[]): Promise<CheckItem[]> {
    let found: CheckItem[] = [];
    const isSo = async () => {
      found = open(await runAll());
      const foundIds = found.map(({ id }) => id);
      return foundIds.sort().join() === ids.sort().join();
    };
    await waitUntil(`exactly these lines to be open: ${ids.join(', ') || 'none'}`, isSo, {
      timeoutMs: 60_000,
      explain: () => `open are\n${states(found).join('\n')}`,
    });
    return found;
  }

  /** Exactly one line is open, it fails, and it says this. */
  async function expectFailure(id: string, what: RegExp, remedy: RegExp): Promise<CheckItem> {
    const [item] = await expectOpen(id);
    assert.equal(item.state, 'fail', item.what);
    assert.match(item.what, what);
    assert.match(item.remedy ?? '', remedy);
    assert.ok(item.why.length > 20);
    return item;
  }

  /** "Check again" of this line after its fault was fixed. The lines that had failed because of it become green, too. */
  async function expectFixed(id: string): Promise<void> {
    await waitUntil(`${id} to be green`, async () => {
      const { items } = await post<ChecksAnswer>('/api/checks/run', { id });
      return items.find((item) => item.id === id)?.state === 'ok';
    });
    await expectOpen();
  }

  it('has no open line in a healthy lab', async (t: TestContext) => {
    const before = appliance.memory().rssBytes;
    const first = (await appliance.api('/api/checks')) as ChecksAnswer;
    assert.ok(first.items.length >= 20);
    const answer = await runAll();
    const { rssBytes } = appliance.memory();
    t.diagnostic(`memory: ${(before / 1e6).toFixed(1)} MB before, ${(rssBytes / 1e6).toFixed(1)} MB after`);
    assert.ok(rssBytes - before < MEMORY_LIMIT_BYTES);
    const notOk = ofTheLab(answer).filter(({ state, id }) => state !== 'ok' && id !== 'nat64-drops');
    assert.deepEqual(states(notOk), []);
    // Its count needs an earlier run.
    const { items } = await runAll();
    assert.equal(items.find(({ id }) => id === 'nat64-drops')?.state, 'ok');
    // The clients that waited for the start have come through these ports.
    const ports = items.find(({ id }) => id === 'open-ports');
    assert.match(
      ports?.what ?? '',
      /^Clients of the Internet have come through TCP 443, 22001\. TCP 80, 465/,
    );
    const path = items.find(({ id }) => id === 'nat64-path');
    assert.match(path?.what ?? '', /answers through NAT64, asked at 64:ff9b::c633:6435/);
  });

  it('reports the measurements of each server, through the PROXY protocol too', async () => {
    const { hosts } = (await appliance.api('/api/hosts')) as HostsAnswer;
    const measured = hosts.map(({ name, health, sshPort }) => ({
      name,
      state: health.state,
      probes: health.probes.map((probe) => `${probe.service} ${probe.name} ${probe.hostname ?? ''}`.trim()),
      sshPort,
    }));
    const web = (main: string, ...others: string[]) => [
      'http tcp',
      `http http ${main}`,
      'https tcp',
      `https tls ${main}`,
      `https http ${main}`,
      ...others.map((name) => `https tls ${name}`),
    ];
    assert.deepEqual(measured, [
      {
        name: 'web1',
        state: 'ok',
        probes: [
          ...web(...HOSTNAMES.web1),
          ...['smtps tcp', 'smtps tls mail.example.com', 'smtps smtp'],
          ...['imaps tcp', 'imaps tls mail.example.com'],
          ...['ssh tcp', 'ssh ssh'],
        ],
        sshPort: 22001,
      },
      {
        name: 'web2',
        state: 'ok',
        probes: [...web(...HOSTNAMES.web2), 'ssh tcp', 'ssh ssh'],
        sshPort: 22002,
      },
      { name: 'web3', state: 'ok', probes: web(...HOSTNAMES.web3), sshPort: null },
    ]);
    const probes = hosts.flatMap(({ health }) => health.probes);
    assert.ok(probes.every(({ latencyMs }) => latencyMs !== null));
    const details = probes.map(({ detail }) => detail).join('\n');
    assert.match(details, /Greets as OpenSSH/);
    assert.match(details, /Greets with 220 mail\.example\.com ESMTP/);
    assert.match(details, /Answers 200 OK/);
    assert.match(hosts[1].snippets[0].text, /listen \[2001:db8:1::20\]:443 ssl proxy_protocol;/);
  });

  it('reports which DNS records have arrived', async () => {
    const answer = (await appliance.api('/api/hosts/web1/dns-records')) as DnsRecordsAnswer;
    assert.deepEqual(answer.publicIpv4.address, ADDRESSES.appliance4);
    assert.deepEqual(
      answer.records.map(({ zoneLine, state }) => `${zoneLine} ${state}`),
      HOSTNAMES.web1.flatMap((name) => [
        `${name}. A ${ADDRESSES.appliance4} ok`,
        `${name}. AAAA ${ADDRESSES.web1} ok`,
      ]),
    );
  });

  it('reports the interfaces of the network and its hosts', async () => {
    const network = (await appliance.api('/api/network')) as NetworkAnswer;
    assert.deepEqual(network.addresses, [ADDRESSES.appliance4, ADDRESSES.appliance6]);
    assert.deepEqual(network.gateway4, { address: '192.0.2.254', interface: 'wan' });
    assert.equal(network.gateway6, null);
    assert.equal(network.hasIpv6, true);
    assert.deepEqual(network.portConflicts, []);
    assert.deepEqual(
      network.interfaces.map(({ name, isUp, mtuBytes }) => ({ name, isUp, mtuBytes })),
      [
        { name: 'lan', isUp: true, mtuBytes: 1500 },
        { name: 'wan', isUp: true, mtuBytes: 1500 },
      ],
    );

    // The kernel has forgotten the neighbours: a probe finds them.
    await world.hosts.appliance.run('ip', ['-6', 'neigh', 'flush', 'dev', 'lan']);
    const { neighbours } = await post<NeighboursAnswer>('/api/neighbours/probe', {});
    assert.deepEqual(
      neighbours.map(({ address, server, openPorts }) => [address, server, openPorts]),
      [
        [ADDRESSES.web1, 'web1', [22, 80, 443]],
        [ADDRESSES.web2, 'web2', [22, 80, 443]],
        [ADDRESSES.web3, 'web3', [80, 443]],
      ],
    );
  });

  it('a server is down', async () => {
    await world.servers.web3.stop();
    await expectFailure(
      'server/web3',
      /http: Nothing takes connections at \[2001:db8:1::30\]:80.*https: Nothing takes connections/,
      /Check on web3 that the programs run/,
    );
    const { hosts } = (await appliance.api('/api/hosts')) as HostsAnswer;
    assert.deepEqual(
      hosts.map(({ health }) => health.state),
      ['ok', 'ok', 'fail'],
    );
    await world.startWeb('web3');
    await expectFixed('server/web3');
  });

  it('a server does not answer', async () => {
    const { web3 } = world.hosts;
    const silence =
      'table inet silence {\nchain everything {\ntype filter hook input priority 0; policy drop;\n}\n}\n';
    await web3.run('nft', ['-f', '-'], { input: silence });
    await expectFailure(
      'server/web3',
      /http: (No answer from \[2001:db8:1::30\]:80|\[2001:db8:1::30\]:80 cannot be reached)/,
      /that its firewall allows the appliance/,
    );
    await web3.run('nft', ['delete', 'table', 'inet', 'silence']);
    await expectFixed('server/web3');
  });

  it('a certificate is for another host', async () => {
    await world.ca.issue('web2', ['example.org', 'old.example.org']);
    await world.servers.web2.stop();
    await world.startWeb('web2');
    await expectFailure(
      'certificate/web2',
      /https, blog\.example\.org: The certificate is not for blog\.example\.org: it names example\.org, old\.example\.org\./,
      /Renew or replace the certificate on web2/,
    );
    const { health } = await post<HostAnswer>('/api/hosts/web2/check', {});
    const wrong = health.probes.filter(({ certificate }) => certificate?.matches === false);
    assert.deepEqual(
      wrong.map(({ hostname, state }) => [hostname, state]),
      [['blog.example.org', 'fail']],
    );
    await world.ca.issue('web2', HOSTNAMES.web2);
    await world.servers.web2.stop();
    await world.startWeb('web2');
    await expectFixed('certificate/web2');
  });

  it('a certificate has expired', async () => {
    await world.ca.issueExpired('web1', HOSTNAMES.web1);
    await world.servers.web1.stop();
    await world.startWeb('web1');
    await expectFailure(
      'certificate/web1',
      /https, example\.com: The certificate expired .* ago \(\d{4}-\d\d-\d\d\)/,
      /Renew or replace/,
    );
    await world.ca.issue('web1', HOSTNAMES.web1);
    await world.servers.web1.stop();
    await world.startWeb('web1');
    await expectFixed('certificate/web1');
  });

  it('the resolver of DNS64 is dead', async () => {
    await world.servers.dns.stop();
    await expectFailure(
      UPSTREAM,
      /udp:\/\/198\.51\.100\.53 cannot be used: (it does not answer|nothing listens there)/,
      /dns64\.upstreams/,
    );
    await world.startDns();
    await expectFixed(UPSTREAM);
  });

  it('Docker drops forwarded packets: the path through NAT64 fails, and health reports it', async () => {
    const { appliance: host } = world.hosts;
    const health = async () => ((await appliance.api('/api/health')) as { status: string }).status;
    assert.equal(await health(), 'ok');
    const docker =
      'table ip filter {\nchain DOCKER-USER {\n}\nchain FORWARD {\n' +
      'type filter hook forward priority filter; policy drop;\njump DOCKER-USER\n}\n}\n';
    await host.run('nft', ['-f', '-'], { input: docker });
    await expectFailure(
      'forward-policy',
      /Docker drops what NAT64 forwards \(chain FORWARD of the nftables table ip filter\)/,
      /iptables -I DOCKER-USER -i nat64 -j ACCEPT/,
    );
    const { items } = (await appliance.api('/api/checks')) as ChecksAnswer;
    assert.match(
      items.find(({ id }) => id === 'nat64-path')?.what ?? '',
      /follows from another failure \(forward-policy\)/,
    );
    assert.equal(await health(), 'degraded');
    const { services } = (await appliance.api('/api/status')) as StatusAnswer;
    const checks = services.find(({ name }) => name === 'checks');
    assert.equal(checks?.state, 'degraded');
    assert.match(checks?.problem ?? '', /Docker drops what NAT64 forwards/);
    for (const way of ['iifname', 'oifname'])
      await host.run('nft', ['add', 'rule', 'ip', 'filter', 'DOCKER-USER', way, 'nat64', 'accept']);
    await expectFixed('forward-policy');
    assert.equal(await health(), 'ok');
    await host.run('nft', ['delete', 'table', 'ip', 'filter']);
  });

  it('the cable of the uplink is pulled: the state says so, though nobody asked for the checks', async () => {
    const status = async () => ((await appliance.api('/api/health')) as { status: string }).status;
    // Sooner than in the usual round of five minutes. The API has a limit of requests.
    const SOON = { timeoutMs: 200_000, intervalMs: 500 };
    assert.equal(await status(), 'ok');
    await world.hosts.internet.run('ip', ['link', 'set', 'uplink', 'down']);
    await waitUntil('the state to be degraded', async () => (await status()) === 'degraded', SOON);
    await world.hosts.internet.run('ip', ['link', 'set', 'uplink', 'up']);
    await waitUntil('the state to be ok', async () => (await status()) === 'ok', SOON);
  });

  it('the IPv4 default route is gone', async () => {
    await world.hosts.appliance.run('ip', ['-4', 'route', 'del', 'default']);
    await expectFailure(
      'default-route-4',
      /There is no IPv4 default route/,
      /Connect the appliance to your router/,
    );
    await world.hosts.appliance.run('ip', ['-4', 'route', 'add', 'default', 'via', '192.0.2.254']);
    await expectFixed('default-route-4');
  });

  it('a name points to another address', async () => {
    const wrong = structuredClone<{ hosts: readonly object[] }>(CONFIGURATION);
    const good = readFileSync(appliance.configFile, 'utf8');
    Object.assign(wrong.hosts[2], { hostnames: [...HOSTNAMES.web3, IPV4_ONLY] });
    writeFileSync(appliance.configFile, JSON.stringify(wrong));
    appliance.child.process.kill('SIGHUP');
    const isChanged = async () => {
      const { hosts } = (await appliance.api('/api/hosts')) as HostsAnswer;
      return hosts[2].hostnames.length === 2;
    };
    await waitUntil('the new name', isChanged);
    const [, item] = await expectOpen('certificate/web3', 'dns-records/web3');
    assert.match(
      item.what,
      /ipv4only\.example\.net, A: ipv4only\.example\.net leads to 198\.51\.100\.80, not to 192\.0\.2\.1/,
    );
    assert.match(item.what, /ipv4only\.example\.net, AAAA: There is no AAAA record/);
    assert.match(item.remedy ?? '', /^ipv4only\.example\.net\. A 192\.0\.2\.1$/m);
    writeFileSync(appliance.configFile, good);
    appliance.child.process.kill('SIGHUP');
    await waitUntil('the name to be gone', async () => !(await isChanged()));
    await post<ChecksAnswer>('/api/checks/run', { id: 'certificate/web3' });
    await expectFixed('dns-records/web3');
  });

  it('another program uses a port', async () => {
    await appliance.stop();
    const taker = world.hosts.appliance.spawn('socat', ['TCP4-LISTEN:993,fork', 'PIPE']);
    await taker.waitForListener('tcp', 993);
    // The proxy cannot start: wait only for the services that do not need it.
    appliance = await startAppliance(world, {
      env: { NODE_EXTRA_CA_CERTS: world.caCertificate },
      await: ['forward', 'dns64', 'nat64'],
    });
    // The API may come last.
    await waitUntil('the API', () =>
      appliance.request('/api/health').then(
        () => true,
        () => false,
      ),
    );
    await expectFailure(
      'port-conflicts',
      new RegExp(`TCP 993 \\(listener imaps\\) is taken by socat \\(process ${taker.pid}\\)`),
      /Stop socat .*, or choose other ports/,
    );
    const { portConflicts } = (await appliance.api('/api/network')) as NetworkAnswer;
    assert.deepEqual(portConflicts, [
      {
        port: 993,
        protocol: 'tcp',
        address: '0.0.0.0',
        wantedBy: 'listener imaps',
        owner: `socat (process ${taker.pid})`,
      },
    ]);
    await taker.stop();
    // The proxy retries by itself.
    await waitUntil(
      'the proxy',
      async () => ((await appliance.api('/api/health')) as { status: string }).status === 'ok',
    );
    await expectFixed('port-conflicts');
  });
});
