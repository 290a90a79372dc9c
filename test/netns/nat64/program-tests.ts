/** Tests of the kernel's program, packet by packet, for any object that it was compiled to. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runClassifier } from '../../../src/os/bpf.ts';
import { COUNTER, NAT64_COUNTERS } from '../../../src/services/nat64/counters.ts';
import { loadFastPath } from '../../../src/services/nat64/kernel/fast-path.ts';
import { TALLIES } from '../../../src/services/nat64/kernel/fast-path-record.ts';
import { Flows } from '../../../src/services/nat64/kernel/fast-path-flows.ts';
import type { Settings } from '../../../src/services/nat64/settings/settings.ts';
import { GSO } from '../../../src/wire/virtio-net.ts';
import { seededRandom } from '../../random.ts';
import { HOST, POOL4 as TEST_POOL4, REMOTE, createHarness } from '../../unit/services/nat64/harness.ts';
import {
  type Bytes,
  PROTOCOL,
  TCP_FLAGS,
  assertWellFormed,
  checksum,
  concat,
  readU16,
  tcp,
  u16,
  udp,
} from '../../unit/services/nat64/packets.ts';
import { partial, whole } from '../../unit/services/nat64/frames.ts';

const ETHERNET_BYTES = 14;
const REDIRECTED = 7;
const DROPPED = 2;
const NEXT = -1;
const REMOTE6 = '64:ff9b::203.0.113.9';
const HOST_PORT = 40_000;
const REMOTE_PORT = 443;
/** The kernel's part takes the hops of two routers, of which our thread is the second (see fast-path.bpf.c). */
const HOPS_MORE = 1;
const ENOUGH_PACKETS = 12;
const MTU4 = 1400;
const MTU6 = 1420;

const ethernet = (packet: Uint8Array): Bytes =>
  concat(new Uint8Array(12), Uint8Array.from(packet[0] >> 4 === 6 ? [0x86, 0xdd] : [8, 0]), packet);

/** A translator that has handed a flow of each protocol over, and the program that has taken them. */
export function createPair(objectFile: string, classes: Partial<Settings> = {}) {
  const cleanUp = new DisposableStack();
  const harness = createHarness({
    settings: { mtu4Bytes: MTU4, mtu6Bytes: MTU6, lowestIpv6MtuBytes: 1280, ...classes },
  });
  // The loopback: what leaves must lead to some device.
  const { maps, programs } = cleanUp.use(loadFastPath({ maxFlows: 16, tunIndex: 1, objectFile }));
  const flows = new Flows(maps, 1024, harness.translator.counters);
  harness.translator.flows = flows;
  const program = programs.get(ETHERNET_BYTES)!;
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
type Pair = ReturnType<typeof createPair>;

/** What the kernel's part made of a packet; undefined when it left it alone. */
function run(program: number, packet: Uint8Array, gsoSizeBytes = 0): Bytes | undefined {
  const { verdict, packet: result } = runClassifier(program, ethernet(packet), gsoSizeBytes);
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

/** Takes the hops off that our thread does not count. */
function withFewerHops(packet: Bytes): Bytes {
  const copy = packet.slice();
  copy[packet[0] >> 4 === 6 ? 7 : 8] -= HOPS_MORE;
  if (packet[0] >> 4 === 4) {
    copy.set([0, 0], 10);
    copy.set(u16(checksum(copy.subarray(0, 20))), 10);
  }
  return copy;
}

/** What our thread makes of a packet, or of one that stands for several, whose checksum then is left to the device. */
function translated(harness: Pair['harness'], packet: Bytes, gsoSizeBytes: number): Bytes | undefined {
  if (gsoSizeBytes === 0) return harness.send(packet);
  const isIpv4 = packet[0] >> 4 === 4;
  const isTcp = packet[isIpv4 ? 9 : 6] === PROTOCOL.TCP;
  const type = isTcp ? (isIpv4 ? GSO.TCPV4 : GSO.TCPV6) : GSO.UDP;
  const frames = harness.sendWithOffload(partial(packet, type, gsoSizeBytes));
  assert(frames.length < 2, 'what the kernel passes in one, our thread passes in one');
  return frames[0] && whole(frames[0]);
}

const COUNTED = TALLIES.flat();
const TRAFFIC = COUNTED.filter((name) => name !== 'drop-fast-path');

/** What the kernel's part has counted since the last call. */
function fastCounted(
  flows: Flows,
  names: readonly (typeof COUNTED)[number][] = TRAFFIC,
): Record<string, number> {
  const counters = new Float64Array(Object.keys(NAT64_COUNTERS).length);
  flows.count(counters);
  return Object.fromEntries(names.map((name) => [name, counters[COUNTER[name]]]));
}

function agrees(t: TestContext, objectFile: string, classes: Partial<Settings>): void {
  using pair = createPair(objectFile, classes);
  const { harness, flows, program, out, back, mapped } = pair;
  const random = seededRandom(20_261_125);
  const below = (limit: number) => random() % limit;
  let single = 0;
  let segmented = 0;
  fastCounted(flows);
  for (let i = 0; i < 6000; i++) {
    const isTcp = below(2) === 0;
    const isOut = below(2) === 0;
    const gsoSizeBytes = below(3) === 0 ? 1 + below(1500) : 0;
    const bytes = gsoSizeBytes > 0 ? below(3000) : below(8) === 0 ? below(1600) : below(200);
    const data = Uint8Array.from({ length: bytes }, () => below(256));
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
    const options = new Uint8Array(4 * below(4)).fill(1);
    const packet = isTcp ? tcp({ ...common, flags, options, sequence: random() }) : udp(common);
    const fast = run(program, packet, gsoSizeBytes);
    if (fast === undefined) continue;
    if (gsoSizeBytes === 0) single++;
    else segmented++;
    assertWellFormed(fast);
    harness.counted();
    const slow = translated(harness, withFewerHops(packet), gsoSizeBytes);
    const hex = `${gsoSizeBytes} ${Buffer.from(packet).toString('hex')}`;
    assert(slow !== undefined, `our thread drops what the kernel passes: ${hex}`);
    assert.deepEqual(normalised(fast), normalised(slow), hex);
    const counted = harness.counted();
    assert.deepEqual(
      fastCounted(flows),
      Object.fromEntries(TRAFFIC.map((name) => [name, counted[name] ?? 0])),
      hex,
    );
  }
  t.diagnostic(`${single} packets, ${segmented} that stand for several`);
  assert(single > 1500 && segmented > 700);
}

/** What is left alone, and beside it what differs in just that and is translated. */
const LEFT_ALONE: readonly [title: string, alone: Build, passes: Build][] = [
  ['another port', ({ out }) => udp({ ...out, sourcePort: HOST_PORT + 1 }), ({ out }) => udp(out)],
  [
    'a SYN',
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.SYN }),
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.PSH }),
  ],
  [
    'a FIN',
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.FIN | TCP_FLAGS.ACK }),
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.ACK }),
  ],
  [
    'a RST from outside',
    ({ back, mapped }) => tcp({ ...back, destinationPort: mapped.tcp, flags: TCP_FLAGS.RST }),
    ({ back, mapped }) => tcp({ ...back, destinationPort: mapped.tcp }),
  ],
  [
    'a hop limit that ends here',
    ({ out }) => udp({ ...out, hopLimit: 2 }),
    ({ out }) => udp({ ...out, hopLimit: 3 }),
  ],
  [
    'a TTL that ends here',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, hopLimit: 2 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, hopLimit: 3 }),
  ],
  [
    'a fragment',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0x2000 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0 }),
  ],
  [
    'a later fragment',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 1 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0x4000 }),
  ],
  [
    'IPv4 options',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, options: Uint8Array.of(1, 1, 1, 0) }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp }),
  ],
  [
    'too big for the IPv4 side',
    ({ out }) => udp({ ...out, data: new Uint8Array(MTU4 - 27) }),
    ({ out }) => udp({ ...out, data: new Uint8Array(MTU4 - 28) }),
  ],
  [
    'too big for the IPv6 side',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, data: new Uint8Array(MTU6 - 47) }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, data: new Uint8Array(MTU6 - 48) }),
  ],
  [
    'what must become fragments',
    ({ back, mapped }) =>
      udp({ ...back, destinationPort: mapped.udp, fragment: 0, data: new Uint8Array(1233) }),
    ({ back, mapped }) =>
      udp({ ...back, destinationPort: mapped.udp, fragment: 0, data: new Uint8Array(1232) }),
  ],
  [
    'a wrong header checksum',
    ({ back, mapped }) => changed(udp({ ...back, destinationPort: mapped.udp }), 11, 1),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp }),
  ],
  [
    'UDP without checksum',
    ({ back, mapped }) => {
      const packet = udp({ ...back, destinationPort: mapped.udp });
      packet.set([0, 0], 26);
      return packet;
    },
    // A wrong one is for the receiver to see.
    ({ back, mapped }) => changed(udp({ ...back, destinationPort: mapped.udp }), 27, 1),
  ],
  [
    'a packet cut off',
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }).subarray(0, 87),
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }),
  ],
  [
    'a UDP length that lies',
    ({ out }) => changed(udp({ ...out, data: new Uint8Array(40) }), 45, 2),
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }),
  ],
  [
    'a TCP header longer than the packet',
    ({ out }) => {
      const packet = tcp(out);
      packet[52] = 0x60;
      return packet;
    },
    ({ out }) => tcp({ ...out, options: new Uint8Array(4).fill(1) }),
  ],
  [
    'a TCP header shorter than one is',
    ({ out }) => {
      const packet = tcp(out);
      packet[52] = 0x40;
      return packet;
    },
    ({ out }) => tcp(out),
  ],
];
type Build = (pair: Pair) => Uint8Array;

/** A copy in which bits of a byte are the other way. */
function changed(packet: Bytes, at: number, bits: number): Bytes {
  const copy = packet.slice();
  copy[at] ^= bits;
  return copy;
}

/** By name, the numbers of the kernel's functions that change a packet. */
const WRITING = { bpf_skb_change_proto: 31, bpf_skb_store_bytes: 9, bpf_l4_csum_replace: 11 } as const;
/** An instruction: it calls such a function, or behaves as if that had had no memory (r0 = -ENOMEM). */
const callOf = (helper: number) => Uint8Array.of(0x85, 0, 0, 0, helper, 0, 0, 0);
const FAILED = Uint8Array.of(0xb7, 0, 0, 0, 0xf4, 0xff, 0xff, 0xff);

/** The object with each of its calls of a function failing, one at a time. */
function* withFailing(objectFile: string, helper: number): Generator<string> {
  const object = readFileSync(objectFile);
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-bpf-'));
  try {
    for (let at = -8; (at = object.indexOf(callOf(helper), at + 8)) !== -1; ) {
      const copy = Buffer.from(object);
      copy.set(FAILED, at);
      const file = join(directory, `${at}.o`);
      writeFileSync(file, copy);
      yield file;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A packet either way: whether it was dropped. What is dropped is counted as that, and as nothing else. */
function dropsOf(objectFile: string): Record<'out' | 'back', boolean> {
  using pair = createPair(objectFile);
  const isDropped = (packet: Bytes): boolean => {
    fastCounted(pair.flows);
    const { verdict } = runClassifier(pair.program, ethernet(packet));
    const counted = fastCounted(pair.flows, COUNTED);
    const traffic = TRAFFIC.map((name) => counted[name] > 0).filter(Boolean).length;
    const expected = verdict === DROPPED ? [DROPPED, 1, 0] : [REDIRECTED, 0, 2];
    assert.deepEqual([verdict, counted['drop-fast-path'], traffic], expected);
    return verdict === DROPPED;
  };
  return {
    out: isDropped(udp(pair.out)),
    back: isDropped(tcp({ ...pair.back, destinationPort: pair.mapped.tcp })),
  };
}

export function testProgram(objectFile: string): void {
  const CLASSES: readonly [string, Partial<Settings>][] = [
    ['traffic classes copied', {}],
    ['traffic classes ignored', { copiedClassTo6: 0, copiedClassTo4: 0, setClassTo4: 0xb9 }],
  ];
  for (const [title, classes] of CLASSES)
    test(`agrees with our thread about whatever it translates, ${title}`, (t) =>
      agrees(t, objectFile, classes));

  for (const [title, alone, passes] of LEFT_ALONE) {
    test(`leaves alone: ${title}`, () => {
      using pair = createPair(objectFile);
      assert.equal(run(pair.program, alone(pair)), undefined);
      assert.notEqual(run(pair.program, passes(pair)), undefined);
    });
  }

  test('several in one packet: what counts is the size of each', () => {
    using pair = createPair(objectFile);
    const packet = tcp({ ...pair.out, data: new Uint8Array(3000) });
    assert.notEqual(run(pair.program, packet, MTU4 - 40), undefined);
    assert.equal(run(pair.program, packet, MTU4 - 39), undefined);
  });

  for (const [name, helper] of Object.entries(WRITING)) {
    test(`a packet is dropped and counted when ${name} fails, wherever that is`, () => {
      const results = [];
      for (const file of withFailing(objectFile, helper)) results.push(dropsOf(file));
      // The other half is the program for devices without link header.
      assert.equal(results.filter(({ out, back }) => out || back).length, results.length / 2);
      for (const way of ['out', 'back'] as const)
        assert(
          results.some((result) => result[way]),
          `${name} is used for packets ${way}`,
        );
    });
  }

  test('the rights that the image gives the process are enough to load it', () => {
    const load = `
      const { loadFastPath } = await import('${new URL('../../../src/services/nat64/kernel/fast-path.ts', import.meta.url)}');
      const { maps } = loadFastPath({ maxFlows: 1024, tunIndex: 1, objectFile: ${JSON.stringify(objectFile)} });
      console.log(Object.values(maps).every((fd) => fd > 2) ? 'loaded' : maps);`;
    // Beside what tombolo.service has: to read the checkout. Without CAP_PERFMON the verifier is stricter.
    const rights = '-all,+bpf,+net_admin,+net_raw,+net_bind_service,+dac_override';
    const args = ['--no-new-privs', `--bounding-set=${rights}`, `--inh-caps=${rights}`, process.execPath];
    const told = execFileSync('setpriv', [...args, '--input-type=module', '--eval', load], {
      encoding: 'utf8',
    });
    assert.equal(told.trim(), 'loaded');
  });

  test('padding behind a short packet does not come into its length', () => {
    using pair = createPair(objectFile);
    const packet = udp({ ...pair.out, data: Uint8Array.of(1, 2) });
    const padding = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const fast = run(pair.program, concat(packet, padding));
    assert(fast !== undefined);
    assertWellFormed(fast.subarray(0, fast.length - padding.length));
  });

  test('any bytes: nothing it passes is malformed', (t) => {
    using pair = createPair(objectFile);
    const random = seededRandom(64);
    const seeds = [
      tcp({ ...pair.out, data: new Uint8Array(100) }),
      udp({ ...pair.back, destinationPort: pair.mapped.udp, data: new Uint8Array(100) }),
    ];
    let passed = 0;
    for (let i = 0; i < 4000; i++) {
      const packet = seeds[i & 1].slice(0, random() % 4 === 0 ? 40 + (random() % 100) : undefined);
      for (let changes = random() % 4; changes > 0; changes--)
        packet[random() % Math.min(packet.length, 64)] = random() & 255;
      if (packet[0] >> 4 !== 6 && packet[0] >> 4 !== 4) continue;
      const fast = run(pair.program, packet, random() % 4 === 0 ? random() % 2000 : 0);
      if (fast !== undefined) {
        passed++;
        const totalBytes = fast[0] >> 4 === 6 ? readU16(fast, 4) + 40 : readU16(fast, 2);
        assertWellFormed(fast.subarray(0, totalBytes), { transportChecksum: false });
      }
    }
    t.diagnostic(`${passed} of 4000 packets`);
    assert(passed > 500);
  });

  test('a session lives on while the kernel has packets of it', () => {
    using pair = createPair(objectFile);
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
    using pair = createPair(objectFile);
    const { harness, out, program } = pair;
    assert(run(program, tcp(out)) !== undefined);
    harness.send(tcp({ ...out, flags: TCP_FLAGS.RST }));
    assert.equal(harness.counters()['flows-taken-back'], 1);
    assert.equal(run(program, tcp(out)), undefined);
  });
}
