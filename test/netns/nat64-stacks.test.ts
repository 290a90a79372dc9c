/** NAT64 between real stacks and tools, on the topology of nat64/topology.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { icmp, tcp, udp } from '../unit/services/nat64/packets.ts';
import { BULK_BYTES, BULK_SERVER, download, udpMirror, upload } from './nat64/bulk.ts';
import { ping, succeeds } from './nat64/programs.ts';
import {
  type Appliance,
  type Host,
  INTERNET,
  INTERNET6,
  ISLAND,
  NEIGHBOUR,
  POOL4,
  type Topology,
  createTopology,
} from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const OWN4 = '192.0.2.9';
const MAPPED = { eam: [{ ipv4: `${OWN4}/32`, ipv6: `${ISLAND}/128` }] };
const script = (name: string) => join(import.meta.dirname, 'nat64', name);

async function startReady(net: Topology, host: Host, code: string): Promise<void> {
  const child = net.start(host, process.execPath, '-e', code);
  await once(child.stdout as Readable, 'data');
}

const node = (net: Topology, host: Host, code: string) => net.run(host, process.execPath, '-e', code);

/** Sets an MTU on the link between two hosts while `task` runs. */
async function narrowed(
  net: Topology,
  link: readonly (readonly [Host, string])[],
  task: () => Promise<void>,
): Promise<void> {
  const set = (mtu: number) =>
    Promise.all(link.map(([host, device]) => net.run(host, 'ip', 'link', 'set', device, 'mtu', `${mtu}`)));
  await set(1300);
  try {
    await task();
  } finally {
    await set(1500);
    await net.run('island', 'ip', '-6', 'route', 'flush', 'cache');
    await net.run('internet', 'ip', 'route', 'flush', 'cache');
  }
}

const BEHIND_ROUTER = [
  ['router', 'core'],
  ['internet', 'eth0'],
] as const;
const TO_ISLAND = [
  ['appliance', 'lan'],
  ['island', 'eth0'],
] as const;

for (const fastPath of [true, false]) {
  describe(`real stacks, ${fastPath ? 'with' : 'without'} the kernel's fast path`, () => {
    let net: Topology;
    let appliance: Appliance;
    before(async () => {
      net = await createTopology();
      await net.run('router', 'ip', 'route', 'add', OWN4, 'via', POOL4);
      appliance = await net.startAppliance({ fastPath });
      await waitUntil('the island reaches the internet', () =>
        succeeds(net.run('island', 'ping', '-c', '1', '-W', '1', INTERNET6)),
      );
      await startReady(net, 'internet', BULK_SERVER);
      await startReady(net, 'island', BULK_SERVER);
      await startReady(net, 'internet', udpMirror(4));
      await startReady(net, 'island', udpMirror(6));
    });
    after(() => net[Symbol.asyncDispose]());

    /** Gives the island its own IPv4 address while `task` runs, so that the internet can reach it. */
    async function withOwnAddress(task: () => Promise<void>): Promise<void> {
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, ...MAPPED } });
      try {
        await waitUntil('reached', () => succeeds(net.run('internet', 'ping', '-c', '1', '-W', '1', OWN4)));
        await task();
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { fastPath } });
      }
    }

    test('tracepath through a narrow link on the IPv4 side', async () => {
      await narrowed(net, BEHIND_ROUTER, async () => {
        const out = await net.run('island', 'tracepath', '-6', '-n', '-m', '8', INTERNET6);
        assert.match(out, /pmtu 1320[\s\S]*reached[\s\S]*Resume: pmtu 1320/);
      });
    });

    test('an upload through a narrow link behind a router with link-local addresses alone (RFC 7915 4.1)', async () => {
      const linkLocal = '169.254.7.1';
      await net.run('router', 'ip', 'address', 'add', `${linkLocal}/32`, 'dev', 'customer');
      const route = ['ip', 'route', 'change', '198.51.100.0/24', 'dev', 'customer', 'scope', 'link', 'src'];
      await net.run('router', ...route, linkLocal);
      await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '1300');
      try {
        const out = await net.run('island', 'tracepath', '-6', '-n', '-m', '8', INTERNET6);
        assert.match(out, /pmtu 1320/);
        await net.run('island', 'ip', '-6', 'route', 'flush', 'cache');
        assert.equal((await node(net, 'island', upload(INTERNET6))).trim(), `intact ${BULK_BYTES}`);
        assert.equal((await appliance.counters())['drop-source-invalid'], 0);
      } finally {
        await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '1500');
        await net.run('router', ...route, '198.51.100.254');
        await net.run('router', 'ip', 'address', 'del', `${linkLocal}/32`, 'dev', 'customer');
        await net.run('island', 'ip', '-6', 'route', 'flush', 'cache');
      }
    });

    test('tracepath through a narrow link on the IPv6 side, from the internet', async () => {
      await withOwnAddress(() =>
        narrowed(net, TO_ISLAND, async () => {
          const out = await net.run('internet', 'tracepath', '-4', '-n', '-m', '8', OWN4);
          assert.match(out, /pmtu 1280[\s\S]*reached[\s\S]*Resume: pmtu 1280/);
        }),
      );
    });

    test('traceroute, by UDP and by ICMP, from both sides', async () => {
      const hops = (out: string) => [...out.matchAll(/^ *\d+ {2}(\S+)/gm)].map(([, address]) => address);
      const outward = ['2001:db8:1::1', '2001:db8:1::1', '64:ff9b::c633:6401', '64:ff9b::c633:64fe'];
      for (const method of ['-U', '-I']) {
        const out = await net.run(
          'island',
          'traceroute',
          '-6',
          '-n',
          '-q',
          '1',
          '-w',
          '2',
          method,
          INTERNET6,
        );
        assert.deepEqual(hops(out), [...outward, '64:ff9b::cb00:7109'], out);
      }
      await withOwnAddress(async () => {
        const out = await net.run('internet', 'traceroute', '-4', '-n', '-q', '1', '-w', '2', OWN4);
        assert.equal(hops(out)[0], '203.0.113.254', out);
        assert.equal(hops(out).at(-1), OWN4, out);
      });
    });

    test('ping -s 10000, from both sides', async () => {
      await ping(net, 'island', '-s', '10000', INTERNET6);
      await withOwnAddress(async () => void (await ping(net, 'internet', '-s', '10000', OWN4)));
    });

    for (const offloads of ['on', 'off'] as const) {
      test(`200 MB of TCP each way arrive intact, with the offloads of every network card ${offloads}`, async () => {
        const cards: [Host, string[]][] = [
          ['island', ['eth0']],
          ['appliance', ['lan', 'wan']],
          ['router', ['customer', 'core']],
          ['internet', ['eth0']],
        ];
        const set = async (value: string) => {
          for (const [host, devices] of cards)
            for (const device of devices)
              await net.run(
                host,
                'ethtool',
                '-K',
                device,
                'tx',
                value,
                'tso',
                value,
                'gso',
                value,
                'gro',
                value,
              );
        };
        if (offloads === 'off') await set('off');
        try {
          assert.equal((await node(net, 'island', download(INTERNET6))).trim(), `intact ${BULK_BYTES}`);
          assert.equal((await node(net, 'island', upload(INTERNET6))).trim(), `intact ${BULK_BYTES}`);
        } finally {
          if (offloads === 'off') await set('on');
        }
      });
    }

    test('UDP with segmentation offload (UDP_SEGMENT), from both sides', async () => {
      const send = (host: Host, to: string) =>
        net.run(host, process.execPath, script('udp-gso.ts'), to, '5302', '1200', '40');
      assert.equal((await send('island', INTERNET6)).trim(), '40 of 40');
      await withOwnAddress(async () =>
        assert.equal((await send('internet', `::ffff:${OWN4}`)).trim(), '40 of 40'),
      );
    });

    test('SCTP chunks through an address mapping, in both directions, byte for byte', async () => {
      // As raw packets: an SCTP header and an INIT chunk. Its checksum covers no addresses (RFC 9260 section 6.8).
      const init = '13881388000000009a8b7c6d0100001411223344000100000a000aabbccdd00';
      const hex = `${init}0`.padEnd(64, '0');
      const octets = hex.replace(/../g, '\\x$&');
      const pass = async (from: Host, to: Host, listen: string, send: string) => {
        const receiver = net.start(to, 'socat', '-u', listen, 'STDOUT');
        const received = once(receiver.stdout as Readable, 'data') as Promise<[Buffer]>;
        let text = '';
        void received.then(([bytes]) => (text = bytes.toString('hex')));
        await waitUntil(`passed from ${from}`, async () => {
          await net.run(from, 'bash', '-c', `printf '${octets}' | socat -u STDIN ${send}`);
          return text !== '';
        });
        assert.equal(text, hex);
      };
      await withOwnAddress(async () => {
        await pass('internet', 'island', 'IP6-RECV:132', `IP4-SENDTO:${OWN4}:132`);
        // IPv4 raw sockets show the header too.
        await pass('island', 'internet', `IP4-RECV:132`, `IP6-SENDTO:[${INTERNET6}]:132`);
      });
    });

    test('hairpin: TCP between two servers, by mapping and by their own addresses', async () => {
      await startReady(
        net,
        'neighbour',
        `require('net').createServer((socket) => socket.end(socket.remoteAddress)).listen(8091, '::', () => console.log('ready'))`,
      );
      const ask = (address: string, port: number) =>
        node(net, 'island', `require('net').connect(${port}, '${address}').pipe(process.stdout)`);
      const entry = { protocol: 'tcp', ipv4: 'auto#8092', ipv6: `${NEIGHBOUR}#8091` } as const;
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, static: [entry] } });
      await waitUntil('mapped', () => succeeds(ask(`64:ff9b::${POOL4}`, 8092)));
      assert.equal(await ask(`64:ff9b::${POOL4}`, 8092), '64:ff9b::c633:6401');
      const eam = [...MAPPED.eam, { ipv4: '192.0.2.10/32', ipv6: `${NEIGHBOUR}/128` }];
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, eam } });
      await waitUntil('mapped', () => succeeds(ask('64:ff9b::192.0.2.10', 8091)));
      assert.equal(await ask('64:ff9b::192.0.2.10', 8091), `64:ff9b::c000:209`);
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath } });
    });

    test('TCP simultaneous open: both sides connect, and both are answered (RFC 5382 REQ-2)', async () => {
      // With one port in the pool the internet knows which port to connect to.
      const pool4 = [{ ports: '40000' }];
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, pool4 } });
      try {
        const caller = net.start(
          'internet',
          process.execPath,
          '-e',
          `const socket = require('net').connect({ port: 40000, host: '${POOL4}', localPort: 7001 }, () => socket.end('hello from the internet'));
          socket.pipe(process.stdout);`,
        );
        const heard = once(caller.stdout as Readable, 'data') as Promise<[Buffer]>;
        await waitUntil('its SYN waits', async () => (await appliance.counters())['syns-stored'] > 0);
        const answer = await node(
          net,
          'island',
          `const socket = require('net').connect({ port: 7001, host: '${INTERNET6}' }, () => socket.end('hello from the island'));
          socket.pipe(process.stdout);`,
        );
        assert.equal(answer, 'hello from the internet');
        assert.equal(String((await heard)[0]), 'hello from the island');
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { fastPath } });
      }
    });

    test("the appliance's own programs reach the IPv4 internet through it, whatever nat64.allow says", async () => {
      await startReady(
        net,
        'internet',
        `require('http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(8093, '0.0.0.0', () => console.log('ready'))`,
      );
      const curl = () => net.run('appliance', 'curl', '-gsS', '-m', '60', `http://[${INTERNET6}]:8093/`);
      for (const allow of [['lan'], ['2001:db8:ffff::/64']]) {
        await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, allow } });
        assert.equal(await curl(), POOL4);
        await ping(net, 'appliance', INTERNET6);
      }
      assert.equal((await node(net, 'appliance', download(INTERNET6))).trim(), `intact ${BULK_BYTES}`);
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath } });
    });

    test('two prefixes: answers come from the prefix that the client used', async () => {
      const second = '2001:db8:64::203.0.113.9';
      await appliance.ask({ ask: 'reconfigure', nat64: { fastPath, extraPrefixes: ['2001:db8:64::/96'] } });
      try {
        for (const address of [INTERNET6, second]) {
          await ping(net, 'island', address);
          assert.equal((await node(net, 'island', download(address))).trim(), `intact ${BULK_BYTES}`);
        }
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { fastPath } });
      }
    });
  });
}

test("a conformance suite's replay: raw packets on the TUN are only translated, and their TTL is one less", async () => {
  await using net = await createTopology();
  const allow = ['2001:db8:1::/64'];
  const appliance = await net.startAppliance({
    offload: false,
    fastPath: false,
    allow,
    pool4: [{ ports: '40000' }],
  });
  await waitUntil('it has its address', async () => (await appliance.status()).state === 'running');
  // Above 1260 bytes the translator chooses no identification.
  const data = Uint8Array.from({ length: 1300 }, (_, i) => (i * 7) & 255);
  const out6 = { source: ISLAND, destination: INTERNET6, sourcePort: 5000, destinationPort: 53, data };
  const out4 = { source: POOL4, destination: INTERNET, sourcePort: 40_000, destinationPort: 53, data };
  const in4 = { source: INTERNET, destination: POOL4, sourcePort: 53, destinationPort: 40_000, data };
  const in6 = { source: INTERNET6, destination: ISLAND, sourcePort: 53, destinationPort: 5000, data };
  const echo = (ends: object, type: number, id: number) =>
    icmp({ ...(ends as typeof out6), type, rest: id * 65_536 + 1, data });
  const pairs = [17, 64, 255].flatMap((hopLimit) => {
    const before = { hopLimit };
    const after = { hopLimit: hopLimit - 1 };
    return [
      [udp({ ...out6, ...before }), udp({ ...out4, ...after })],
      [udp({ ...in4, ...before }), udp({ ...in6, ...after })],
      [tcp({ ...out6, ...before, flags: 2 }), tcp({ ...out4, ...after, flags: 2 })],
      [tcp({ ...in4, ...before, flags: 18 }), tcp({ ...in6, ...after, flags: 18 })],
      [echo({ ...out6, ...before }, 128, 9), echo({ ...out4, ...after }, 8, 40_000)],
      [echo({ ...in4, ...before }, 0, 40_000), echo({ ...in6, ...after }, 129, 9)],
    ];
  });
  const hex = (packet: Uint8Array) => Buffer.from(packet).toString('hex');
  const sent = pairs.map(([packet]) => hex(packet));
  // Drops translated packets, so that nothing answers them.
  const drop = 'add table inet t; add chain inet t c { type filter hook prerouting priority -400; }; ';
  await net.run('appliance', 'nft', `${drop} add rule inet t c iifname "nat64" drop`);
  const replay = script('replay.ts');
  const lines = (await net.run('appliance', process.execPath, replay, 'nat64', ...sent)).split('\n');
  for (const [i, [packet, expected]] of pairs.entries())
    assert.ok(lines[i] === hex(expected), `${hex(packet).slice(0, 120)}: got ${lines[i].slice(0, 120)}`);
  await appliance.stop();
});
