/** The effects of NAT64 on its machine, and of the machine on NAT64, on the topology of nat64/topology.ts. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ServiceReport } from '../../src/runtime/report.ts';
import { reaches, startServer } from './nat64/programs.ts';
import { type Appliance, INTERNET6, type Topology, createTopology } from './nat64/topology.ts';
import { english } from '../../src/texts/text.ts';
import { waitUntil } from '../../lab/wait.ts';

/** A TCP echo server. */
const TCP_ECHO = `
  require('net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
    .listen(8094, '0.0.0.0', () => console.log('ready'));`;

/** Sends its input over one connection, and prints the answers. */
const TCP_CLIENT = `
  const socket = require('net').connect(8094, '${INTERNET6}', () => console.log('connected'));
  socket.on('error', ({ code }) => console.log(code));
  process.stdin.on('data', (text) => socket.write(text));
  socket.pipe(process.stdout);`;

/** What is lost when a cable is pulled, and what comes back with it; for `sh -c` in the appliance's namespace. */
const OUTAGES = [
  {
    title: 'the cable of the IPv4 side',
    out: 'ip link set wan down',
    back: 'ip link set wan up; ip route add default via 198.51.100.254',
    isDegraded: true,
  },
  {
    title: 'the cable of the IPv4 side, and the address with it (DHCP)',
    out: 'ip addr flush dev wan',
    back: 'ip addr add 198.51.100.1/24 dev wan; ip route add default via 198.51.100.254',
    isDegraded: true,
  },
  {
    title: 'the same while another IPv4 address is left',
    out: 'ip addr add 192.0.2.1/24 dev lan; ip addr flush dev wan',
    back: 'ip addr add 198.51.100.1/24 dev wan; ip route add default via 198.51.100.254; ip addr del 192.0.2.1/24 dev lan',
    isDegraded: true,
  },
  {
    title: 'the switch of the IPv6 side, and the addresses with it',
    out: 'ip link set lan down',
    back: 'ip link set lan up; ip addr add 2001:db8:1::1/64 dev lan nodad',
    isDegraded: false,
  },
] as const;

/** All state in the appliance's namespace that NAT64 makes or changes. */
async function traces(net: Topology) {
  const show = (...command: string[]) => net.run('appliance', ...command);
  return {
    links: (await show('ip', '-o', 'link')).split('\n').map((line) => line.split(':')[1]),
    routes: await show('ip', '-4', 'route', 'show', 'table', 'all'),
    routes6: await show('ip', '-6', 'route', 'show', '64:ff9b::/96'),
    rules: await show('ip', 'rule'),
    // Without the table that holds the ports of open connections for the next process, for half a minute (hold.ts).
    nft: (await show('nft', 'list', 'ruleset')).replace(
      /table inet tombolo-nat64-hold \{\n[\s\S]*?\n\}\n?/,
      '',
    ),
    sysctls: await show(
      'sysctl',
      'net.ipv4.ip_forward',
      'net.ipv6.conf.all.forwarding',
      'net.ipv4.ip_local_port_range',
      'net.ipv6.conf.lan.accept_ra',
      'net.ipv4.conf.all.rp_filter',
      'net.ipv4.conf.wan.rp_filter',
    ),
  };
}

/** The status after the process has followed a change of the machine: a change of the configuration is queued behind it. */
async function lookedAt(appliance: Appliance) {
  await appliance.ask({ ask: 'reconfigure', nat64: {} });
  return appliance.status();
}

describe('NAT64 and its machine', () => {
  let net: Topology;
  before(async () => {
    net = await createTopology();
    await startServer(net, TCP_ECHO);
  });
  after(() => net[Symbol.asyncDispose]());

  test('stopping leaves nothing behind', async () => {
    await net.run('appliance', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    const before = await traces(net);
    const appliance = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    assert.notDeepEqual(await traces(net), before);
    await appliance.stop();
    assert.deepEqual(await traces(net), before);
  });

  test('the leftovers of a killed process are replaced, then removed', async () => {
    const before = await traces(net);
    const killed = await net.startAppliance();
    await killed.kill();
    const appliance = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    await appliance.stop();
    assert.deepEqual(await traces(net), before);
  });

  test('a setting that was made after a kill is in force at the end', async () => {
    const killed = await net.startAppliance();
    await killed.kill();
    await net.run('appliance', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=2');
    const appliance = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    await appliance.stop();
    const { sysctls } = await traces(net);
    assert.match(sysctls, /ip_forward = 0\n[\s\S]*conf\.all\.rp_filter = 2\n/);
    await net.run('appliance', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
  });

  test('a state directory that cannot be written to is reported, and NAT64 runs', async () => {
    const before = await traces(net);
    // A directory in the place of the file: it can neither be written nor removed.
    const file = join(net.stateDirectory, 'nat64-sysctl.json');
    mkdirSync(join(file, 'in-the-way'), { recursive: true });
    try {
      const appliance = await net.startAppliance();
      await waitUntil('works', () => reaches(net));
      assert.equal((await appliance.status()).state, 'running');
      const storage = async () =>
        ((await appliance.ask({ ask: 'conditions' })) as ServiceReport[]).find(
          ({ name }) => name === 'storage',
        )!.status;
      assert.equal((await storage()).state, 'degraded');
      const problem = english((await storage()).problem ?? '');
      assert.match(problem, /cannot be written to .*nat64-sysctl\.json: .*tried again.*EISDIR/);
      await net.run('appliance', 'ip', 'link', 'del', 'nat64');
      await waitUntil('works again', () => reaches(net));
      rmSync(file, { recursive: true });
      await waitUntil('written', async () => (await storage()).state === 'running');
      assert.ok(statSync(file).isFile());
      await appliance.stop();
      assert.deepEqual(await traces(net), before);
    } finally {
      rmSync(file, { recursive: true, force: true });
    }
  });

  test('a new address is followed; a missing address is a problem that says how to fix it', async () => {
    const appliance = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    await net.run('appliance', 'ip', 'addr', 'del', '198.51.100.1/24', 'dev', 'wan');
    await waitUntil('degraded', async () => (await appliance.status()).state === 'degraded');
    assert.match(english((await appliance.status()).problem ?? ''), /nat64\.pool4/);
    await net.run('appliance', 'ip', 'addr', 'add', '198.51.100.7/24', 'dev', 'wan');
    await net.run('appliance', 'ip', 'route', 'add', 'default', 'via', '198.51.100.254');
    await waitUntil('running', async () => (await appliance.status()).state === 'running');
    assert.equal((await appliance.status()).figures['pool4Address'], '198.51.100.7');
    await waitUntil('works', () => reaches(net));
    await appliance.stop();
  });

  for (const { title, out, back, isDegraded } of OUTAGES) {
    test(`an outage ends no session: ${title}`, async () => {
      await net.run('appliance', 'sh', '-c', 'ip addr flush dev wan; ip addr add 198.51.100.1/24 dev wan');
      await net.run('appliance', 'ip', 'route', 'add', 'default', 'via', '198.51.100.254');
      const appliance = await net.startAppliance();
      await waitUntil('works', () => reaches(net));
      const client = net.startWithInput('island', process.execPath, '-e', TCP_CLIENT);
      try {
        let said = '';
        client.stdout?.on('data', (text) => (said += text));
        const isHeard = (text: string) =>
          waitUntil(`hears ${text}`, async () => said.includes(text), { timeoutMs: 60_000 });
        await isHeard('connected');
        client.stdin?.write('before ');
        await isHeard('before');
        await net.run('appliance', 'sh', '-c', out);
        // The process has seen the change: the kernel reported it before this request was sent.
        const { state } = await lookedAt(appliance);
        assert.equal(state, isDegraded ? 'degraded' : 'running');
        await net.run('appliance', 'sh', '-c', back);
        client.stdin?.write('after ');
        await isHeard('after');
        assert.doesNotMatch(said, /E[A-Z]{4,}/);
        assert.equal((await lookedAt(appliance)).state, 'running');
      } finally {
        client.kill('SIGKILL');
        await appliance.stop();
      }
    });
  }

  test('a deleted device is made again', async () => {
    const appliance = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    await net.run('appliance', 'ip', 'link', 'del', 'nat64');
    await waitUntil('works again', () => reaches(net));
    await appliance.stop();
  });

  test('disabled after a kill: no trace', async () => {
    const before = await traces(net);
    const killed = await net.startAppliance();
    await killed.kill();
    const appliance = await net.startAppliance({ enabled: false });
    assert.deepEqual(await traces(net), before);
    await appliance.stop();
  });

  test('disabled beside a translating process: that process continues', async () => {
    const translating = await net.startAppliance();
    await waitUntil('works', () => reaches(net));
    const before = await traces(net);
    const appliance = await net.startAppliance({ enabled: false });
    assert.deepEqual(await traces(net), before);
    await appliance.stop();
    await translating.stop();
  });

  test('disabled: no trace', async () => {
    const before = await traces(net);
    const appliance = await net.startAppliance({ enabled: false });
    assert.equal((await appliance.status()).state, 'disabled');
    assert.deepEqual(await traces(net), before);
    await appliance.stop();
  });
});
