/** NAT64 between hosts in network namespaces, as nat64/topology.ts draws them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { Explanation, Page, SessionRow } from '../../src/services/nat64/questions.ts';
import { english } from '../../src/texts/text.ts';
import { udp } from '../unit/services/nat64/packets.ts';
import {
  changed,
  HAIRPIN_SERVER,
  hop,
  INJECT,
  lies,
  node,
  ping,
  pingWithError,
  reaches,
  startServer,
  succeeds,
  TCP_SOURCE,
  tcpDownload,
  UDP_ECHO,
  UDP_PORT_TELLER,
  udpBurst,
  udpExchange,
} from './nat64/programs.ts';
import {
  type Appliance,
  type Host,
  INTERNET,
  INTERNET6,
  ISLAND,
  POOL4,
  type Topology,
  createTopology,
} from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

for (const offload of [true, false]) {
  describe(`NAT64 ${offload ? 'with' : 'without'} offload`, () => {
    let net: Topology;
    let appliance: Appliance;
    before(async () => {
      net = await createTopology();
      appliance = await net.startAppliance({ offload });
      await waitUntil('the island reaches the internet', () => reaches(net));
      await startServer(net, UDP_ECHO);
      await startServer(net, TCP_SOURCE);
      await startServer(net, UDP_PORT_TELLER);
    });
    after(() => net[Symbol.asyncDispose]());

    test('ping, small and large', async () => {
      const sizes = ['56', '1400', '10000', '65000'];
      for (const size of sizes) for (let i = 0; i < 2; i++) await ping(net, 'island', '-s', size, INTERNET6);
    });

    test('a UDP exchange comes from the pool4 address', async () => {
      assert.equal((await node(net, udpExchange(INTERNET6, 'hello'))).trim(), `${POOL4} hello`);
    });

    test('a session is listed with its addresses and explained as long as it exists', async () => {
      const script = `
        const socket = require('dgram').createSocket('udp6');
        socket.once('message', (poolPort) => { console.log(socket.address().port, String(poolPort)); socket.close(); });
        socket.send('?', 5301, '${INTERNET6}');`;
      const [clientPort, poolPort] = (await node(net, script)).trim().split(' ').map(Number);
      const filter = { protocol: 'udp', client: ISLAND, remote: INTERNET, poolPort } as const;
      const { rows } = (await appliance.ask({ ask: 'sessions', filter })) as Page<SessionRow>;
      const [{ endsInSeconds, ...row }, ...others] = rows;
      assert.deepEqual(others, []);
      assert.deepEqual(row, {
        protocol: 'udp',
        client: ISLAND,
        clientPort,
        poolAddress: POOL4,
        poolPort,
        remote: INTERNET,
        remotePort: 5301,
        state: null,
      });
      assert.ok(endsInSeconds > 280 && endsInSeconds <= 300, `${endsInSeconds}`);
      const ends = { client: ISLAND, destination: INTERNET, clientPort, destinationPort: 5301 };
      const request = { protocol: 'udp', ...ends } as const;
      const { isTranslated, steps } = (await appliance.ask({ ask: 'explain', request })) as Explanation;
      assert.equal(isTranslated, true);
      assert.match(
        steps.map(({ text }) => english(text)).join(' '),
        new RegExp(`port ${poolPort}\\. There is a session`),
      );
    });

    test('many datagrams in a row, in both directions: each arrives unchanged', async () => {
      await appliance.ask({ ask: 'reconfigure', nat64: { offload, fastPath: false } });
      await waitUntil('the island reaches the internet', () => reaches(net));
      assert.equal(await node(net, udpBurst(INTERNET6, 500)), 'wrong 0\n');
      await appliance.ask({ ask: 'reconfigure', nat64: { offload } });
      await waitUntil('the island reaches the internet', () => reaches(net));
    });

    test('UDP in fragments, in both directions', async () => {
      const before = await appliance.counters();
      const text = 'tombolo'.repeat(1000);
      assert.equal((await node(net, udpExchange(INTERNET6, text))).trim(), `${POOL4} ${text}`);
      const later = await appliance.counters();
      assert.equal(later['reassembled'] - before['reassembled'], 2);
    });

    test('a narrow link behind the router: IPv4 fragments made by routers arrive', async () => {
      await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '800');
      await net.run('internet', 'ip', 'link', 'set', 'eth0', 'mtu', '800');
      try {
        const text = 'sand'.repeat(1500);
        assert.equal((await node(net, udpExchange(INTERNET6, text))).trim(), `${POOL4} ${text}`);
      } finally {
        await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '1500');
        await net.run('internet', 'ip', 'link', 'set', 'eth0', 'mtu', '1500');
      }
    });

    test('fragmented datagrams to the appliance itself arrive', async () => {
      const script = `
        const socket = require('dgram').createSocket('udp4');
        socket.on('message', (message) => { console.log(message.length); socket.close(); });
        socket.send(Buffer.alloc(5000), 5300, '${INTERNET}');`;
      const answer = await net.run('appliance', process.execPath, '-e', script);
      assert.equal(answer.trim(), `${`${POOL4} `.length + 5000}`);
      await ping(net, 'internet', '-s', '5000', POOL4);
    });

    test('hairpin: one server reaches the mapping of another, small and in fragments', async () => {
      const neighbour = net.start('neighbour', process.execPath, '-e', HAIRPIN_SERVER);
      const [line] = (await once(neighbour.stdout as Readable, 'data')) as [Buffer];
      const port = Number(String(line));
      for (const text of ['hello', 'x'.repeat(4000)]) {
        const script = `
          const socket = require('dgram').createSocket('udp6');
          socket.on('message', (message, { address }) => { console.log(address + ' ' + message); socket.close(); });
          socket.send('${text}', ${port}, '64:ff9b::${POOL4}');`;
        const mapped = '64:ff9b::c633:6401';
        assert.equal((await node(net, script)).trim(), `${mapped} from ${mapped}: ${text}`);
      }
      assert.ok((await appliance.counters())['hairpinned'] >= 4);
    });

    test('a static mapping: the server is reached from the internet and from another server', async () => {
      net.start(
        'island',
        process.execPath,
        '-e',
        `require('net').createServer((socket) => socket.end(socket.remoteAddress)).listen(80, '::')`,
      );
      const nat64 = {
        offload,
        static: [{ protocol: 'tcp', ipv4: 'auto#8080', ipv6: `${ISLAND}#80` }],
      } as const;
      await appliance.ask({ ask: 'reconfigure', nat64: { ...nat64, static: [...nat64.static] } });
      const ask = (host: Host, target: string) =>
        net.run(
          host,
          process.execPath,
          '-e',
          `require('net').connect(8080, '${target}').pipe(process.stdout)`,
        );
      await waitUntil('reached', () => succeeds(ask('internet', POOL4)));
      assert.equal(await ask('internet', POOL4), '64:ff9b::cb00:7109');
      assert.equal(await ask('neighbour', `64:ff9b::${POOL4}`), '64:ff9b::c633:6401');
      await appliance.ask({ ask: 'reconfigure', nat64: { offload } });
      assert.equal((await appliance.status()).restarts, 0);
    });

    test('an address mapping: a server with its own IPv4 address, every protocol', async () => {
      await net.run('router', 'ip', 'route', 'add', '192.0.2.9', 'via', POOL4);
      const eam = [{ ipv4: '192.0.2.9/32', ipv6: `${ISLAND}/128` }];
      await appliance.ask({ ask: 'reconfigure', nat64: { offload, eam } });
      try {
        await waitUntil('reached', () =>
          succeeds(net.run('internet', 'ping', '-c', '1', '-W', '1', '192.0.2.9')),
        );
        for (let i = 0; i < 2; i++) await ping(net, 'internet', '-s', '10000', '192.0.2.9');
        assert.equal((await node(net, udpExchange(INTERNET6, 'hello'))).trim(), '192.0.2.9 hello');
        assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
        // Protocol 253 is for experiments (RFC 3692).
        const receiver = net.start('island', 'socat', '-u', 'IP6-RECV:253', 'STDOUT');
        const received = once(receiver.stdout as Readable, 'data') as Promise<[Buffer]>;
        const send = () =>
          net.run('internet', 'bash', '-c', 'echo -n tombolo | socat -u STDIN IP4-SENDTO:192.0.2.9:253');
        let text = '';
        void received.then(([bytes]) => (text = String(bytes)));
        await waitUntil('passed', async () => {
          await send();
          return text === 'tombolo';
        });
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { offload } });
        await waitUntil('translated as before', () => reaches(net));
      }
    });

    test('a second pool4 address, which is routed to the appliance', async () => {
      await net.run('router', 'ip', 'route', 'add', '192.0.2.5', 'via', POOL4);
      const nat64 = { offload, pool4: [{ address: '192.0.2.5', ports: '1024-65535' }] };
      await appliance.ask({ ask: 'reconfigure', nat64 });
      try {
        await waitUntil('translated', () => reaches(net));
        assert.equal((await node(net, udpExchange(INTERNET6, 'hello'))).trim(), '192.0.2.5 hello');
        assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { offload } });
        await waitUntil('translated as before', () => reaches(net));
      }
    });

    test('a TCP download arrives intact', async () => {
      assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
    });

    test('a closed port: UDP is answered by ICMP, TCP by a reset', async () => {
      const script = `
        const socket = require('dgram').createSocket('udp6');
        socket.connect(9, '${INTERNET6}', () => {
          socket.on('error', ({ code }) => { console.log(code); socket.close(); });
          socket.send('x');
        });
        require('net').connect(9, '${INTERNET6}').on('error', ({ code }) => console.log(code));`;
      const codes = (await node(net, script)).trim().split('\n');
      assert.deepEqual(codes, ['ECONNREFUSED', 'ECONNREFUSED']);
    });

    test('time exceeded: traceroute sees the translator and the routers behind it', async () => {
      assert.equal(await hop(net, 1), '2001:db8:1::1'); // the kernel, on the way to the TUN
      assert.equal(await hop(net, 2), '2001:db8:1::1'); // the translator
      assert.equal(await hop(net, 3), '64:ff9b::c633:6401'); // the kernel again, now over IPv4
      assert.equal(await hop(net, 4), '64:ff9b::c633:64fe'); // 198.51.100.254, the router
    });

    test('too big: a narrow link behind the router is found', async () => {
      await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '1300');
      await net.run('internet', 'ip', 'link', 'set', 'eth0', 'mtu', '1300');
      try {
        const out = await pingWithError(net, '-M', 'do', '-s', '1400', INTERNET6);
        assert.match(out, /From 64:ff9b::c633:64fe .*mtu=1320/);
        assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
      } finally {
        await net.run('router', 'ip', 'link', 'set', 'core', 'mtu', '1500');
        await net.run('internet', 'ip', 'link', 'set', 'eth0', 'mtu', '1500');
        await net.run('island', 'ip', '-6', 'route', 'flush', 'cache');
      }
    });

    test('too big: a narrow link to the island is found', async () => {
      await appliance.ask({ ask: 'reconfigure', nat64: { offload, clampSegmentSize: false } });
      await net.run('appliance', 'ip', 'link', 'set', 'lan', 'mtu', '1400');
      try {
        // The island still announces the segment size of its own 1500 bytes.
        assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
      } finally {
        await appliance.ask({ ask: 'reconfigure', nat64: { offload } });
        await net.run('appliance', 'ip', 'link', 'set', 'lan', 'mtu', '1500');
        await net.run('internet', 'ip', 'route', 'flush', 'cache');
      }
    });

    for (const [where, links] of [
      ['uplink', ['appliance wan', 'router customer']],
      ['link to the island', ['appliance lan']],
    ] as const)
      test(`a narrow ${where}, without ICMP errors for packets that are too big: no connection hangs`, async () => {
        const setMtu = async (bytes: string) => {
          for (const [host, device] of links.map((link) => link.split(' ')))
            await net.run(host as Host, 'ip', 'link', 'set', device, 'mtu', bytes);
        };
        const silence = ['output', 'forward'].map(
          (hook) =>
            `add chain inet silence ${hook} { type filter hook ${hook} priority 0; }; ` +
            `add rule inet silence ${hook} icmp type destination-unreachable drop`,
        );
        await net.run('router', 'nft', ['add table inet silence', ...silence].join('; '));
        await setMtu('1400');
        try {
          assert.equal((await node(net, tcpDownload(INTERNET6))).trim(), `intact ${32 << 20}`);
        } finally {
          await setMtu('1500');
          await net.run('router', 'nft', 'delete table inet silence');
          await net.run('internet', 'ip', 'route', 'flush', 'cache');
        }
      });

    test('a private address behind the well-known prefix is refused, and the sender is notified', async () => {
      const before = await appliance.counters();
      assert.match(await pingWithError(net, '64:ff9b::10.0.0.1'), /prohibited/i);
      const later = await appliance.counters();
      assert.ok(later['drop-non-global'] > before['drop-non-global']);
    });

    test('packets with wrong length fields are counted, and have no other effect', async () => {
      const good4 = udp({ source: INTERNET, destination: POOL4, sourcePort: 1, destinationPort: 40_000 });
      const good6 = udp({ source: ISLAND, destination: INTERNET6, sourcePort: 1, destinationPort: 1 });
      const packets = [
        good4.slice(0, 19), // ends inside the header
        good6.slice(0, 39),
        changed(good4, 0, 0x4f), // a header longer than the packet
        changed(good4, 2, 0xff, 0xff), // a total length beyond the end
        changed(good4, 2, 0, 19), // and one below the header
        changed(good6, 4, 0xff, 0xff), // a payload length beyond the end
        changed(good6, 44, 0xff, 0xff), // a UDP length beyond the end
        changed(good6, 6, 6), // a UDP packet marked as TCP: no complete header
        changed(good4, 10, 0, 0), // a wrong header checksum
        Uint8Array.from([0x60]),
      ].map((packet) => Buffer.from(packet).toString('hex'));
      const before = await lies(appliance);
      await net.run('appliance', process.execPath, INJECT, 'nat64', ...packets);
      await waitUntil('counted', async () => (await lies(appliance)) - before === packets.length);
      assert.ok(await reaches(net));
    });

    test("the appliance's own pings and connections are not affected", async () => {
      // ping chooses random identifiers: some lie in the pool's range.
      const out = await net.run(
        'appliance',
        'bash',
        '-c',
        `for i in $(seq 12); do ping -c1 -W1 ${INTERNET}; done`,
      );
      assert.equal([...out.matchAll(/ 1 received/g)].length, 12, out);
      const [range] = (await net.run('appliance', 'sysctl', '-n', 'net.ipv4.ip_local_port_range')).split(
        '\n',
      );
      assert.ok(Number(range.split(/\s/)[1]) < 32768);
      const head = await net.run('appliance', 'bash', '-c', `head -c 32 < /dev/tcp/${INTERNET}/8080 | wc -c`);
      assert.equal(head.trim(), '32');
    });

    test('a source outside nat64.allow is refused; when it is allowed again, its session works again', async () => {
      const nat64 = { offload, allow: ['2001:db8:ffff::/64'] };
      await appliance.ask({ ask: 'reconfigure', nat64 });
      await waitUntil('refused', async () => !(await reaches(net)));
      await appliance.ask({ ask: 'reconfigure', nat64: { offload, allow: [`${ISLAND}/128`] } });
      await waitUntil('allowed', () => reaches(net));
      assert.equal((await appliance.status()).restarts, 0);
    });

    test('sessions survive the death of the worker, which is restarted', async (t) => {
      const { sessions } = (await appliance.status()).figures;
      assert.ok((sessions as number) > 0);
      const transfer = node(net, tcpDownload(INTERNET6));
      const failedAt = performance.now();
      await appliance.ask({ ask: 'fail' });
      await waitUntil('restarted', async () => (await appliance.status()).restarts === 1);
      await waitUntil('serves again', () => reaches(net));
      // Takes less than a second on an idle machine.
      t.diagnostic(`serves again after ${Math.round(performance.now() - failedAt)} ms`);
      assert.ok(((await appliance.status()).figures['sessions'] as number) >= (sessions as number));
      assert.equal((await transfer).trim(), `intact ${32 << 20}`);
    });
  });
}
