/**
 * The kernel's part of NAT64. Its program, packet by packet, against our thread's translation of the same packet; then
 * at work between real stacks:
 *
 *   island ----------- appliance --------------- router ------------------ internet
 *   2001:db8:1::10     2001:db8:1::1             198.51.100.254            203.0.113.9
 *                      198.51.100.1
 *
 * (the topology of nat64/topology.ts). Needs Linux 6.6: on an older kernel the tests fail, and say so.
 */
import assert from 'node:assert/strict';
import { type TestContext, after, before, describe, test } from 'node:test';
import { createHashMap, createPerCpuValue, loadClassifier, runClassifier } from '../../src/os/bpf.ts';
import { close } from '../../src/os/libc.ts';
import {
  KEY4_BYTES,
  KEY6_BYTES,
  FLOW_BYTES,
  TALLY_BYTES,
} from '../../src/services/nat64/fast-path-record.ts';
import { Flows } from '../../src/services/nat64/fast-path-flows.ts';
import { fastPathProgram } from '../../src/services/nat64/fast-path-program.ts';
import type { Settings } from '../../src/services/nat64/settings.ts';
import { seededRandom } from '../random.ts';
import { HOST, POOL4 as TEST_POOL4, REMOTE, createHarness } from '../unit/services/nat64/harness.ts';
import {
  type Bytes,
  TCP_FLAGS,
  assertWellFormed,
  concat,
  readU16,
  tcp,
  u16,
  checksum,
  udp,
} from '../unit/services/nat64/packets.ts';
import { type Appliance, INTERNET6, type Topology, createTopology, until } from './nat64/topology.ts';
import { tell } from '../../src/texts/text.ts';

const ETHERNET_BYTES = 14;
const REDIRECTED = 7;
const NEXT = -1;
const REMOTE6 = '64:ff9b::203.0.113.9';
const HOST_PORT = 40_000;
const REMOTE_PORT = 443;
/** The kernel's part takes the hops of two routers, of which our thread is the second (see fast-path-program.ts). */
const HOPS_MORE = 1;
const ENOUGH_PACKETS = 12;
const MTU4 = 1400;
const MTU6 = 1420;

const ethernet = (packet: Uint8Array): Bytes =>
  concat(new Uint8Array(12), Uint8Array.from(packet[0] >> 4 === 6 ? [0x86, 0xdd] : [8, 0]), packet);

/** A translator that has handed a flow of each protocol over, and the program that has taken them. */
function createPair(classes: Partial<Settings> = {}) {
  const cleanUp = new DisposableStack();
  const owned = (fd: number) => cleanUp.adopt(fd, close);
  const harness = createHarness({
    settings: { mtu4Bytes: MTU4, mtu6Bytes: MTU6, lowestIpv6MtuBytes: 1280, ...classes },
  });
  const maps = {
    flows6: owned(createHashMap(KEY6_BYTES, FLOW_BYTES, 16)),
    flows4: owned(createHashMap(KEY4_BYTES, FLOW_BYTES, 16)),
    tally: owned(createPerCpuValue(TALLY_BYTES)),
  };
  const flows = new Flows(maps, 1024);
  harness.translator.flows = flows;
  // The loopback: what leaves must lead to some device.
  const code = fastPathProgram({ ...maps, tunIndex: 1, linkHeaderBytes: ETHERNET_BYTES });
  const program = owned(loadClassifier('test', code));
  const out = { source: HOST, destination: REMOTE6, sourcePort: HOST_PORT, destinationPort: REMOTE_PORT };
  const mapped = { tcp: 0, udp: 0 };
  const first = harness.send(tcp({ ...out, flags: TCP_FLAGS.SYN }));
  assert(first !== undefined);
  mapped.tcp = readU16(first, 20);
  const back = { source: REMOTE, destination: TEST_POOL4, sourcePort: REMOTE_PORT };
  harness.send(tcp({ ...back, destinationPort: mapped.tcp, flags: TCP_FLAGS.SYN | TCP_FLAGS.ACK }));
  for (let i = 0; i < ENOUGH_PACKETS; i++) {
    harness.send(tcp(out));
    const datagram = harness.send(udp(out));
    assert(datagram !== undefined);
    mapped.udp = readU16(datagram, 20);
  }
  assert.equal(harness.counters()['flows-handed-over'], 2);
  return { harness, flows, program, out, back, mapped, [Symbol.dispose]: () => cleanUp.dispose() };
}

/** What the kernel's part made of a packet; undefined when it left it alone. */
function run(program: number, packet: Uint8Array): Bytes | undefined {
  const { verdict, packet: result } = runClassifier(program, ethernet(packet));
  if (verdict === NEXT) {
    assert.deepEqual(result, ethernet(packet), 'a packet that it leaves alone is unchanged');
    return undefined;
  }
  assert.equal(verdict, REDIRECTED);
  return result.slice(ETHERNET_BYTES);
}

/** An IPv4 packet without the identification, which is chosen anew for each, and its share of the checksum. */
function normalised(packet: Bytes): Bytes {
  if (packet[0] >> 4 !== 4) return packet;
  const copy = packet.slice();
  copy.set([0, 0], 4);
  copy.set([0, 0], 10);
  copy.set(u16(checksum(copy.subarray(0, 20))), 10);
  return copy;
}

describe('the program in the kernel', () => {
  const CLASSES: readonly [string, Partial<Settings>][] = [
    ['traffic classes copied', {}],
    ['traffic classes ignored', { copiedClassTo6: 0, copiedClassTo4: 0, setClassTo4: 0xb9 }],
  ];
  for (const [title, classes] of CLASSES)
    test(`agrees with our thread about whatever it translates, ${title}`, (t) => agrees(t, classes));

  function agrees(t: TestContext, classes: Partial<Settings>): void {
    using pair = createPair(classes);
    const { harness, program, out, back, mapped } = pair;
    const random = seededRandom(20_261_125);
    const below = (limit: number) => random() % limit;
    let translated = 0;
    for (let i = 0; i < 4000; i++) {
      const isTcp = below(2) === 0;
      const isOut = below(2) === 0;
      const data = Uint8Array.from({ length: below(8) === 0 ? below(1600) : below(200) }, () => below(256));
      const ports = isOut ? out : { ...back, destinationPort: isTcp ? mapped.tcp : mapped.udp };
      const common = {
        ...ports,
        data,
        hopLimit: below(4) === 0 ? below(5) : 2 + below(254),
        trafficClass: below(256),
        flowLabel: below(1 << 20),
        ...(isOut ? {} : { fragment: below(3) === 0 ? 0 : 0x4000, identification: below(65_536) }),
      };
      const flags = below(10) === 0 ? below(64) : TCP_FLAGS.ACK | (below(2) * TCP_FLAGS.PSH);
      const packet = isTcp ? tcp({ ...common, flags, sequence: random() }) : udp(common);
      const fast = run(program, packet);
      if (fast === undefined) continue;
      translated++;
      assertWellFormed(fast);
      const hops = packet[0] >> 4 === 6 ? 7 : 8;
      packet[hops] -= HOPS_MORE;
      if (packet[0] >> 4 === 4)
        packet.set(
          u16(checksum(concat(packet.subarray(0, 10), Uint8Array.of(0, 0), packet.subarray(12, 20)))),
          10,
        );
      const slow = harness.send(packet);
      assert(
        slow !== undefined,
        `our thread drops what the kernel passes: ${Buffer.from(packet).toString('hex')}`,
      );
      assert.deepEqual(normalised(fast), normalised(slow), Buffer.from(packet).toString('hex'));
    }
    t.diagnostic(`${translated} of 4000 packets`);
    assert(translated > 1500);
  }

  const padding = Uint8Array.from({ length: 6 }, (_, i) => i + 1);
  const LEFT_ALONE: readonly [string, (pair: ReturnType<typeof createPair>) => Uint8Array][] = [
    ['another port', ({ out }) => udp({ ...out, sourcePort: HOST_PORT + 1 })],
    ['a SYN', ({ out }) => tcp({ ...out, flags: TCP_FLAGS.SYN })],
    ['a FIN', ({ out }) => tcp({ ...out, flags: TCP_FLAGS.FIN | TCP_FLAGS.ACK })],
    [
      'a RST from outside',
      ({ back, mapped }) => tcp({ ...back, destinationPort: mapped.tcp, flags: TCP_FLAGS.RST }),
    ],
    ['a hop limit that ends here', ({ out }) => udp({ ...out, hopLimit: 2 })],
    ['a fragment', ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0x2000 })],
    [
      'IPv4 options',
      ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, options: Uint8Array.of(1, 1, 1, 0) }),
    ],
    ['too big for the IPv4 side', ({ out }) => udp({ ...out, data: new Uint8Array(MTU4 - 27) })],
    [
      'too big for the IPv6 side',
      ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, data: new Uint8Array(MTU6 - 47) }),
    ],
    [
      'what must become fragments',
      ({ back, mapped }) =>
        udp({ ...back, destinationPort: mapped.udp, fragment: 0, data: new Uint8Array(1233) }),
    ],
    [
      'a wrong header checksum',
      ({ back, mapped }) => {
        const packet = udp({ ...back, destinationPort: mapped.udp });
        packet[11] ^= 1;
        return packet;
      },
    ],
    [
      'UDP without checksum',
      ({ back, mapped }) => {
        const packet = udp({ ...back, destinationPort: mapped.udp });
        packet.set([0, 0], 26);
        return packet;
      },
    ],
    ['a packet cut off', ({ out }) => udp({ ...out, data: new Uint8Array(40) }).subarray(0, 80)],
    [
      'a UDP length that lies',
      ({ out }) => {
        const packet = udp({ ...out, data: new Uint8Array(40) });
        packet[45] -= 2;
        return packet;
      },
    ],
    [
      'a TCP header longer than the packet',
      ({ out }) => {
        const packet = tcp(out);
        packet[52] = 0xf0;
        return packet;
      },
    ],
  ];
  for (const [title, build] of LEFT_ALONE) {
    test(`leaves alone: ${title}`, () => {
      using pair = createPair();
      assert.equal(run(pair.program, build(pair)), undefined);
    });
  }

  test('padding behind a short packet does not come into its length', () => {
    using pair = createPair();
    const packet = udp({ ...pair.out, data: Uint8Array.of(1, 2) });
    const fast = run(pair.program, concat(packet, padding));
    assert(fast !== undefined);
    assertWellFormed(fast.subarray(0, fast.length - padding.length));
  });

  test('any bytes: nothing it passes is malformed', () => {
    using pair = createPair();
    const random = seededRandom(64);
    const whole = [
      tcp({ ...pair.out, data: new Uint8Array(100) }),
      udp({ ...pair.back, destinationPort: pair.mapped.udp, data: new Uint8Array(100) }),
    ];
    for (let i = 0; i < 4000; i++) {
      const packet = whole[i & 1].slice(0, random() % 4 === 0 ? 40 + (random() % 100) : undefined);
      for (let changes = random() % 4; changes > 0; changes--)
        packet[random() % Math.min(packet.length, 64)] = random() & 255;
      if (packet[0] >> 4 !== 6 && packet[0] >> 4 !== 4) continue;
      const fast = run(pair.program, packet);
      if (fast !== undefined) {
        const totalBytes = fast[0] >> 4 === 6 ? readU16(fast, 4) + 40 : readU16(fast, 2);
        assertWellFormed(fast.subarray(0, totalBytes), { transportChecksum: false });
      }
    }
  });

  test('a session lives on while the kernel has packets of it', () => {
    using pair = createPair();
    const { harness, flows, out, program } = pair;
    const { lifetimes } = harness.translator.settings;
    // The kernel has seen a packet just now, at second 0 of this clock.
    assert(run(program, udp(out)) !== undefined);
    const aged = lifetimes.udpSeconds - 5;
    assert.equal(flows.lastUsedSeconds(harness.translator.tables, 2, aged), aged);
    harness.setTime(lifetimes.udpSeconds + 1);
    assert.equal(harness.counters()['sessions-removed-udp'], 0, 'used a moment ago');
    assert(run(program, udp(out)) !== undefined);
  });

  test('a reset takes the flow back', () => {
    using pair = createPair();
    const { harness, out, program } = pair;
    assert(run(program, tcp(out)) !== undefined);
    harness.send(tcp({ ...out, flags: TCP_FLAGS.RST }));
    assert.equal(harness.counters()['flows-taken-back'], 1);
    assert.equal(run(program, tcp(out)), undefined);
  });
});

const BYTES = 40_000_000;
const SERVER = `
  const { createHash, randomBytes } = require('crypto');
  require('net').createServer({ allowHalfOpen: true }, (socket) => {
    const data = randomBytes(${BYTES});
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('end', () => socket.end());
    socket.write(createHash('sha256').update(data).digest());
    socket.write(data);
  }).listen(8080, '0.0.0.0', () => console.log('ready'));
  const echo = require('dgram').createSocket('udp4');
  echo.on('message', (message, { port, address }) => echo.send(message, port, address));
  echo.bind(5300);`;
const download = `
  const hash = require('crypto').createHash('sha256');
  const socket = require('net').connect(8080, '${INTERNET6}');
  let first = Buffer.alloc(0), got = 0;
  socket.on('data', (chunk) => {
    const missing = 32 - first.length;
    first = Buffer.concat([first, chunk.subarray(0, missing)]);
    hash.update(chunk.subarray(missing));
    got += chunk.length;
    if (got === ${BYTES} + 32) {
      console.log(hash.digest().equals(first) ? 'intact' : 'damaged');
      socket.end();
    }
  });`;
/** Datagrams to and fro, one every two milliseconds, until the parent ends it; prints how many came back. */
const chatter = `
  const socket = require('dgram').createSocket('udp6');
  let answers = 0;
  socket.on('message', () => console.log(++answers));
  setInterval(() => socket.send('x', 5300, '${INTERNET6}'), 2);`;

describe('the kernel and our thread together', () => {
  let net: Topology;
  let appliance: Appliance;
  before(async () => {
    net = await createTopology();
    const server = net.start('internet', process.execPath, '-e', SERVER);
    await new Promise<void>((resolve) => server.stdout?.once('data', () => resolve()));
    appliance = await net.startAppliance();
  });
  after(() => net?.[Symbol.asyncDispose]());
  const node = (script: string) => net.run('island', process.execPath, '-e', script);
  const counter = async (name: string) => (await appliance.counters())[name];

  test('it is on the devices that have addresses, and follows them', async () => {
    const devices = async () =>
      String(tell((await appliance.status()).figures)['fastPath'])
        .split(', ')
        .sort();
    await until('all three', async () => (await devices()).join() === 'lan,lan2,wan');
    await net.run(
      'appliance',
      'ip',
      'link',
      'add',
      'extra',
      'up',
      'type',
      'veth',
      'peer',
      'name',
      'other-end',
    );
    await net.run('appliance', 'ip', 'address', 'add', '192.0.2.1/24', 'dev', 'extra');
    await net.run('appliance', 'ip', 'link', 'set', 'other-end', 'up');
    await until('the new device', async () => (await devices()).includes('extra'));
    await net.run('appliance', 'ip', 'link', 'del', 'extra');
    await until('without the device', async () => !(await devices()).includes('extra'));
  });

  test('a download arrives intact, nearly all of it through the kernel, and its flow is taken back', async () => {
    assert.equal((await node(download)).trim(), 'intact');
    await until('counted', async () => (await counter('packets-fast-path')) > (BYTES / 1500) * 0.8);
    await until(
      'taken back',
      async () => (await counter('flows-taken-back')) === (await counter('flows-handed-over')),
    );
    const { 'packets-4to6': all, 'packets-fast-path': fast } = await appliance.counters();
    assert(all > fast / 2);
  });

  test('known flows go on while the worker is away', async () => {
    const child = net.start('island', process.execPath, '-e', chatter);
    let answers = 0;
    child.stdout?.on('data', (text: Buffer) => {
      answers = Number(text.toString().trim().split('\n').at(-1));
    });
    const handedOver = await counter('flows-handed-over');
    await until('handed over', async () => (await counter('flows-handed-over')) > handedOver);
    await appliance.ask({ ask: 'fail' });
    await until('restarted', async () => (await appliance.status()).restarts === 1);
    const before = answers;
    await until('answers', async () => answers > before + 20);
    // The new worker takes the maps over empty; the flow comes again.
    await until('handed over again', async () => (await counter('flows-handed-over')) > handedOver + 1);
    child.kill('SIGKILL');
  });

  test('a source that is no longer allowed is refused at once, flow or not', async () => {
    const child = net.start('island', process.execPath, '-e', chatter);
    const handedOver = await counter('flows-handed-over');
    await until('handed over', async () => (await counter('flows-handed-over')) > handedOver);
    await appliance.ask({ ask: 'reconfigure', nat64: { allow: ['2001:db8:3::/64'] } });
    const refused = await counter('drop-not-allowed');
    // What the kernel has counted is taken over once a second.
    await until('taken over', async () => (await counter('drop-not-allowed')) > refused + 600);
    const fast = await counter('packets-fast-path');
    await until('more refused', async () => (await counter('drop-not-allowed')) > refused + 1200);
    assert.equal(await counter('packets-fast-path'), fast);
    child.kill('SIGKILL');
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
  });

  test('switched off, every packet takes the way through our thread', async () => {
    await appliance.ask({ ask: 'reconfigure', nat64: { fastPath: false } });
    assert.equal(tell((await appliance.status()).figures)['fastPath'], 'off');
    const fast = await counter('packets-fast-path');
    assert.equal((await node(download)).trim(), 'intact');
    assert.equal(await counter('packets-fast-path'), fast);
  });

  test('stopped, it leaves no program behind', async () => {
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
    await appliance.stop();
    const out = await net.run('internet', 'ping', '-c', '1', '-W', '1', '198.51.100.1');
    assert.match(out, /1 received/);
  });
});
