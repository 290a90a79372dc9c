/**
 * No packet loops between the appliance and its router, on the topology of nat64/topology.ts: addresses that are routed to the
 * appliance, in stateless mode and in pool4. Checked by the routers' own counters.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { node, ping, pingWithError, succeeds } from './nat64/programs.ts';
import {
  type Appliance,
  type Host,
  INTERNET,
  ISLAND,
  POOL4,
  type Topology,
  createTopology,
} from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

/** The most hops that the few packets of a test take, each way; a looping packet takes dozens. */
const FEW = 15;

/** The counters of a host's kernel since its start (RFC 4293). */
async function kernelCounters(net: Topology, host: Host): Promise<Record<string, number>> {
  const lines = (await net.run(host, 'cat', '/proc/net/snmp', '/proc/net/snmp6')).split('\n');
  const counters: Record<string, number> = {};
  for (let i = 0; i + 1 < lines.length; i++) {
    const [names, values] = [lines[i].split(/\s+/), lines[i + 1].split(/\s+/)];
    if (names[0].endsWith(':') && names[0] === values[0] && !Number.isInteger(Number(names[1])))
      names.slice(1).forEach((name, j) => (counters[names[0] + name] = Number(values[j + 1])));
    else if (/^(Ip6|Icmp6)/.test(names[0])) counters[names[0]] = Number(names[1]);
  }
  return counters;
}

describe('NAT64 and packets that could loop', () => {
  let net: Topology;
  let appliance: Appliance;
  let start: Record<string, number>[];
  const hosts = ['router', 'appliance'] as const;
  const measure = () => Promise.all(hosts.map((host) => kernelCounters(net, host)));
  const count = async (name: string) => (await appliance.counters())[name];
  const inAppliance = (text: string) => net.run('appliance', 'ip', ...text.split(' '));
  const pings = (host: Host, ...args: string[]) =>
    succeeds(net.run(host, 'ping', '-n', '-c', '1', '-W', '1', ...args));

  before(async () => {
    net = await createTopology();
    appliance = await net.startAppliance();
  });
  after(() => net?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    start = await measure();
  });
  afterEach(async () => {
    for (const [i, now] of (await measure()).entries()) {
      const grown = (name: string) => (now[name] ?? 0) - (start[i][name] ?? 0);
      assert.equal(grown('Icmp:OutTimeExcds'), 0, `${hosts[i]}: packets whose hop limit ran out`);
      assert.equal(grown('Icmp6OutTimeExcds'), 0, `${hosts[i]}: IPv6 packets whose hop limit ran out`);
    }
  });
  const forwarded = async () => {
    const [router] = await measure();
    return router['Ip:ForwDatagrams'] - start[0]['Ip:ForwDatagrams'];
  };

  describe('an address of pool4 that is routed to the appliance', () => {
    const ROUTED = '192.0.2.5';
    before(async () => {
      await net.run('router', 'ip', 'route', 'add', ROUTED, 'via', POOL4);
      await appliance.ask({
        ask: 'reconfigure',
        nat64: { pool4: [{ address: ROUTED, ports: '32768-65535' }], refusedFromIpv4: 'prohibited' },
      });
      await waitUntil('translated', () => pings('island', '64:ff9b::203.0.113.9'));
    });
    after(() => net.run('router', 'ip', 'route', 'del', ROUTED));

    const connect = (host: Host, port: number, target: string) =>
      net.run(
        host,
        process.execPath,
        '-e',
        `require('net').connect(${port}, '${target}').on('error', ({ code }) => console.log(code));`,
      );
    const rows: [title: string, counter: string, send: () => Promise<unknown>][] = [
      [
        'a SYN to a port outside the pool: ICMP 3/13 at once',
        'drop-no-bib-entry',
        async () => assert.match(await connect('internet', 80, ROUTED), /EHOSTUNREACH|EACCES/),
      ],
      [
        'a ping',
        'drop-no-bib-entry',
        () =>
          net
            .run('internet', 'ping', '-n', '-c', '1', '-W', '60', ROUTED)
            .then(assert.fail, ({ stdout }: { stdout: string }) =>
              assert.match(stdout, /filtered|prohibited/i),
            ),
      ],
      ['UDP', 'drop-no-bib-entry', () => net.run('internet', 'bash', '-c', `echo > /dev/udp/${ROUTED}/500`)],
      [
        'GRE: no such protocol',
        'drop-protocol',
        () => net.run('internet', 'bash', '-c', `echo gre | socat -u STDIN IP4-SENDTO:${ROUTED}:47`),
      ],
      [
        'from IPv6, outside the pool: ICMPv6 1/1',
        'drop-own-address',
        async () => assert.match(await connect('island', 80, `64:ff9b::${ROUTED}`), /EACCES/),
      ],
      [
        'a ping from IPv6: ICMPv6 1/1',
        'drop-own-address',
        async () => assert.match(await pingWithError(net, `64:ff9b::${ROUTED}`), /prohibited/i),
      ],
    ];
    for (const [title, counter, send] of rows) {
      test(title, async () => {
        const earlier = await count(counter);
        await send();
        await waitUntil('dropped', async () => (await count(counter)) > earlier);
        const hops = await forwarded();
        assert.ok(hops <= FEW, `the router forwarded ${hops} packets`);
      });
    }

    test('no answer, if that is configured', async () => {
      const nat64 = { pool4: [{ address: ROUTED, ports: '32768-65535' }] };
      await appliance.ask({ ask: 'reconfigure', nat64 });
      const earlier = await count('drop-no-bib-entry');
      await net.run('internet', 'bash', '-c', `echo > /dev/udp/${ROUTED}/500`);
      await waitUntil('dropped', async () => (await count('drop-no-bib-entry')) > earlier);
      assert.ok((await forwarded()) <= FEW);
    });
  });

  describe('stateless mode: hosts with an IPv4 address inside their own (RFC 6052)', () => {
    const PREFIX = '2001:db8:64::/96';
    const EMBEDDED = '2001:db8:64::192.0.2.130';
    const stateless = { mode: 'stateless', prefix: PREFIX, allow: ['2001:db8::/32'] } as const;
    before(async () => {
      await inAppliance('addr add 2001:db8:64::192.0.2.129/121 dev lan nodad');
      await net.run('island', 'ip', 'addr', 'add', `${EMBEDDED}/121`, 'dev', 'eth0', 'nodad');
      await net.run('router', 'ip', 'route', 'add', '192.0.2.128/25', 'via', POOL4);
      await appliance.ask({ ask: 'reconfigure', nat64: { ...stateless, allow: [...stateless.allow] } });
    });

    test('the hosts behind an IPv6 route inside the prefix are routed and translated, in both directions', async () => {
      await waitUntil('from IPv4', () => pings('internet', '192.0.2.130'));
      await ping(net, 'island', '-I', EMBEDDED, `2001:db8:64::${INTERNET}`);
      const server = net.start(
        'island',
        process.execPath,
        '-e',
        `require('net').createServer((socket) => socket.end(socket.remoteAddress)).listen(80, '::', () => console.log('ready'))`,
      );
      assert.ok(server.stdout !== null);
      await once(server.stdout, 'data');
      const seen = await net.run(
        'internet',
        process.execPath,
        '-e',
        `require('net').connect(80, '192.0.2.130').pipe(process.stdout)`,
      );
      assert.equal(seen, '2001:db8:64::cb00:7109');
    });

    test('a host that does not exist: the sender gets "unreachable"', async () => {
      const out = await net
        .run('internet', 'ping', '-n', '-c', '1', '-W', '60', '192.0.2.131')
        .then(assert.fail, ({ stdout }: { stdout: string }) => stdout);
      assert.match(out, /Unreachable/);
      assert.ok((await forwarded()) <= FEW);
    });

    test('an address outside nat64.embedded is not translated', async () => {
      const stranger = '2001:db8:64::198.18.0.1';
      await net.run('island', 'ip', 'addr', 'add', `${stranger}/128`, 'dev', 'eth0', 'nodad');
      const earlier = await count('drop-untranslatable');
      await pings('island', '-I', stranger, `2001:db8:64::${INTERNET}`);
      // The ICMP error in answer to it is for such an address, too, and is also dropped.
      assert.ok((await count('drop-untranslatable')) > earlier);
    });

    test('configured by hand, without an IPv6 route: the sender gets "unreachable", and nothing loops', async () => {
      const embedded = ['192.0.2.128/25'];
      const nat64 = { ...stateless, allow: [...stateless.allow], embedded };
      await appliance.ask({ ask: 'reconfigure', nat64 });
      await inAppliance('-6 route del 2001:db8:64::192.0.2.128/121 dev lan');
      try {
        const earlier = await count('drop-no-route');
        const out = await net
          .run('internet', 'ping', '-n', '-c', '1', '-W', '60', '192.0.2.130')
          .then(assert.fail, ({ stdout }: { stdout: string }) => stdout);
        assert.match(out, /Unreachable/);
        assert.equal(await count('drop-no-route'), earlier + 1);
        assert.ok((await forwarded()) <= FEW);
      } finally {
        await inAppliance('-6 route add 2001:db8:64::192.0.2.128/121 dev lan');
      }
    });

    test('the routes are removed with the IPv6 route', async () => {
      const auto = { ...stateless, allow: [...stateless.allow] };
      await appliance.ask({ ask: 'reconfigure', nat64: auto });
      const routes = () => inAppliance('-4 route show dev nat64');
      await waitUntil('routed', async () => (await routes()).includes('192.0.2.128/25'));
      await inAppliance('addr del 2001:db8:64::192.0.2.129/121 dev lan');
      await waitUntil('gone', async () => !(await routes()).includes('192.0.2.128/25'));
    });
  });

  test('an address mapping of a node on the IPv4 side: both ends have their mapped addresses (RFC 7757)', async () => {
    await net.run('router', 'ip', 'route', 'add', '192.0.2.9', 'via', POOL4);
    const eam = [
      { ipv4: '192.0.2.9/32', ipv6: `${ISLAND}/128` },
      { ipv4: `${INTERNET}/32`, ipv6: '2001:db8:9::9/128', side: 'ipv4' as const },
    ];
    await appliance.ask({ ask: 'reconfigure', nat64: { eam } });
    await waitUntil('from IPv6', () => pings('island', '2001:db8:9::9'));
    const script = `
      const socket = require('dgram').createSocket('udp6');
      socket.on('message', (message, { address }) => { console.log(address + ' ' + message); socket.close(); });
      socket.bind(5400, () => console.log('ready'));`;
    const server = net.start('island', process.execPath, '-e', script);
    let output = '';
    server.stdout?.on('data', (text: Buffer) => (output += String(text)));
    await waitUntil('ready', () => Promise.resolve(output.includes('ready')));
    await waitUntil('received', async () => {
      await net.run('internet', 'bash', '-c', 'echo -n hello > /dev/udp/192.0.2.9/5400');
      return output.includes('hello');
    });
    assert.match(output, /2001:db8:9::9 hello/);
    assert.equal((await node(net, `console.log('alive')`)).trim(), 'alive');
    assert.ok((await forwarded()) <= 4 * FEW);
  });
});
