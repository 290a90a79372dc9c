/** Limited resources of NAT64: one client attacks them while another continues to work (issue "Trust", D). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TCP_FLAGS, address, readU16, tcp, udp } from './packets.ts';
import { HOST, POOL4, REMOTE, createHarness } from './harness.ts';
import { createLimits } from '../../../../src/services/nat64/control/limits.ts';
import { MAX_STORED_SYNS } from '../../../../src/services/nat64/tables/stored-syns.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { english } from '../../../../src/texts/text.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
const OTHER = '2001:db8:2::10';
const BOTH = { allow: ['2001:db8:1::/64', '2001:db8:2::/64'] };
/** The type and code of an ICMPv6 answer; undefined if there is none. */
const icmp6 = (packet: Uint8Array | undefined) => packet && packet[0] >> 4 === 6 && [packet[40], packet[41]];
const from = (source: string, sourcePort: number, destinationPort = 53) =>
  udp({ source, destination: REMOTE6, sourcePort, destinationPort });
const expired = (source: string) =>
  udp({ source, destination: REMOTE6, hopLimit: 1, sourcePort: 1, destinationPort: 2 });
const tooBig = (source: string) =>
  udp({ source, destination: REMOTE6, sourcePort: 1, destinationPort: 2, data: new Uint8Array(1500) });

describe('ICMP errors a second (RFC 4443 section 2.4 f)', () => {
  /** The flood, and the packet that is answered nevertheless. */
  const rows: readonly {
    readonly title: string;
    readonly flood: (i: number) => Uint8Array;
    readonly good: Uint8Array;
    readonly answer: readonly [type: number, code: number];
  }[] = [
    {
      title: 'expired packets of one host; Packet Too Big to another',
      flood: () => expired(HOST),
      good: tooBig(OTHER),
      answer: [2, 0],
    },
    {
      title: 'the same, to another host of the same /64',
      flood: () => expired(HOST),
      good: tooBig('2001:db8:1::11'),
      answer: [2, 0],
    },
    {
      title: 'expired packets of one host; Time Exceeded to another',
      flood: () => expired(HOST),
      good: expired('2001:db8:1::11'),
      answer: [3, 0],
    },
    {
      title: 'expired packets of all addresses of a /64; Time Exceeded elsewhere',
      flood: (i) => expired(`2001:db8:1::${(i + 16).toString(16)}`),
      good: expired(OTHER),
      answer: [3, 0],
    },
    {
      title: 'packets that are too big, of one host; Packet Too Big to another',
      flood: () => tooBig(HOST),
      good: tooBig('2001:db8:1::11'),
      answer: [2, 0],
    },
    {
      title: 'expired packets and large ones of one host; Packet Too Big to another',
      flood: (i) => (i < 1000 ? expired(HOST) : tooBig(HOST)),
      good: tooBig(OTHER),
      answer: [2, 0],
    },
  ];
  for (const { title, flood, good, answer } of rows) {
    test(title, () => {
      const harness = createHarness(BOTH);
      harness.setTime(10);
      let sent = 0;
      for (let i = 0; i < 2000; i++) if (harness.send(flood(i)) !== undefined) sent++;
      assert.ok(sent > 0 && sent < 300);
      for (let i = 0; i < 3; i++) assert.deepEqual(icmp6(harness.send(good)), answer);
      assert.ok(harness.counters()['icmp-errors-withheld'] > 1000);
    });
  }

  test("from the IPv4 side: one sender's floods leave Fragmentation Needed to another, and hosts their errors", () => {
    const harness = createHarness({ settings: { mtu6Bytes: 1280 } });
    harness.setTime(10);
    const mapping = readU16(harness.send(from(HOST, 5000)) as Uint8Array, 20);
    const in4 = { destination: POOL4, destinationPort: mapping, sourcePort: 53 };
    for (let i = 0; i < 1000; i++) harness.send(udp({ ...in4, source: REMOTE, hopLimit: 1 }));
    const large = udp({ ...in4, source: '203.0.113.77', data: new Uint8Array(1400), fragment: 0x4000 });
    const answer = harness.send(large);
    assert.deepEqual([answer?.[20], answer?.[21]], [3, 4]);
    assert.deepEqual(icmp6(harness.send(expired(HOST))), [3, 0]);
  });
});

describe('ports of pool4 (RFC 6888 REQ-4)', () => {
  const attacks: readonly {
    readonly title: string;
    readonly source: (i: number) => string;
    readonly left: number;
  }[] = [
    { title: 'one address', source: () => HOST, left: 6553 },
    { title: 'two addresses of one server', source: (i) => `2001:db8:1::${10 + (i & 1)}`, left: 3640 },
    {
      title: 'a thousand addresses of one /64',
      source: (i) => `2001:db8:1::1:${(i % 1000).toString(16)}`,
      left: 1927,
    },
  ];
  for (const { title, source, left } of attacks) {
    test(`${title} request all: ${left} of 32768 UDP ports are left to others; their mappings are not removed`, () => {
      const harness = createHarness({ ...BOTH, maxSessions: 131_072 });
      harness.setTime(1);
      for (let port = 1; port < 64; port++)
        assert.notEqual(readU16(harness.send(from(OTHER, port)) as Uint8Array, 20), undefined);
      let got = 0;
      for (let i = 0; i < 80_000; i++) {
        const packet = harness.send(from(source(i), 1 + (i % 65_535), 1000 + Math.floor(i / 65_535)));
        if (packet !== undefined && packet[0] >> 4 === 4) got++;
      }
      const { control } = harness.translator.tables;
      const used = control[CONTROL.PORTS_USED + 1];
      assert.ok(32_768 - used >= left - 63 && got > 20_000, `${32_768 - used} left`);
      assert.ok(harness.counters()['drop-client-share'] > 0);
      assert.equal(harness.counters()['drop-pool4-exhausted'], 0);
      // Another client is not affected: its old mappings and a hundred new ones work.
      for (let port = 1; port < 164; port++) {
        const packet = harness.send(from(OTHER, port));
        assert.equal(packet !== undefined && packet[0] >> 4, 4, `port ${port}`);
      }
    });
  }

  test('resting ports do not count as free: a client that opens and ends sessions in turns gets no more', () => {
    const harness = createHarness({ ...BOTH, ports: [40_000, 40_999], settings: { portRestSeconds: 3600 } });
    const { control } = harness.translator.tables;
    const left = () => 1000 - control[CONTROL.PORTS_USED + 1] - control[CONTROL.PORTS_RESTING + 1];
    for (let round = 0; round < 4; round++) {
      harness.setTime(1 + round * 400);
      for (let port = 1; port <= 1000; port++) harness.send(from(HOST, port));
      assert.equal((harness.send(from(OTHER, round + 1)) as Uint8Array)[0] >> 4, 4);
    }
    // 800 of 1000, then 4/5 of the ports that did not rest, and so on; 3600 s after the first round they are free again.
    assert.ok(control[CONTROL.PORTS_RESTING + 1] > 900);
    harness.setTime(401 + 3600 + 1);
    harness.send(from(OTHER, 999));
    assert.ok(left() > 790, `${left()}`);
  });

  test('the count of ports follows the pools of a changed configuration', () => {
    const harness = createHarness({ ports: [40_000, 40_999] });
    for (let port = 1; port <= 100; port++) harness.send(from(HOST, port));
    assert.equal(harness.translator.tables.control[CONTROL.PORTS_USED + 1], 100);
  });
});

describe('sessions', () => {
  test('one host requests all: another opens sessions as before', () => {
    const harness = createHarness({ ...BOTH, maxSessions: 1024 });
    for (let i = 0; i < 3000; i++) harness.send(from(HOST, 1 + (i % 100), 1 + i));
    const { control } = harness.translator.tables;
    assert.equal(control[CONTROL.SESSION_COUNT], 820);
    for (let i = 0; i < 100; i++) assert.equal((harness.send(from(OTHER, 1 + i)) as Uint8Array)[0] >> 4, 4);
    assert.equal(harness.counters()['drop-sessions-full'], 0);
  });

  for (const isStatic of [false, true]) {
    test(`strangers fill a ${isStatic ? 'static' : "host's"} mapping: half of the sessions are left, to the host itself too`, () => {
      const { buffer } = address(HOST);
      const words = Int32Array.from([0, 4, 8, 12], (at) => new DataView(buffer).getInt32(at));
      const entry = { protocol: 1, slot: 0, port: 8053, host: words, hostPort: 53 };
      const harness = createHarness({
        ...BOTH,
        maxSessions: 1024,
        settings: { staticEntries: isStatic ? [entry] : [] },
      });
      const destinationPort = isStatic ? 8053 : readU16(harness.send(from(HOST, 53)) as Uint8Array, 20);
      for (let i = 0; i < 3000; i++)
        harness.send(
          udp({ source: `203.0.${i >> 8}.${i & 255}`, destination: POOL4, sourcePort: 7, destinationPort }),
        );
      assert.equal(harness.translator.tables.control[CONTROL.SESSION_COUNT], 512);
      for (const source of [HOST, OTHER])
        for (let i = 0; i < 50; i++)
          assert.equal((harness.send(from(source, 100 + i)) as Uint8Array)[0] >> 4, 4);
    });
  }
});

describe('stored SYNs', () => {
  test('one sender fills them: the SYN of another is kept for its full time', () => {
    const harness = createHarness();
    const syn = (source: string, sourcePort: number, destinationPort: number) =>
      tcp({ source, destination: POOL4, sourcePort, destinationPort, flags: TCP_FLAGS.SYN });
    for (let i = 0; i < MAX_STORED_SYNS; i++) harness.send(syn(REMOTE, 1000 + i, 40_000));
    harness.send(syn('203.0.113.77', 5, 40_001));
    for (let i = 0; i < 5000; i++) harness.send(syn(REMOTE, 2000 + i, 40_000));
    assert.equal(harness.translator.tables.control[CONTROL.STORED_SYNS], MAX_STORED_SYNS);
    // RFC 6146 section 3.5.2.2: after 6 seconds the sender gets the error that nobody answers.
    const errors = harness
      .setTime(7)
      .filter((packet) => [...packet.slice(16, 20)].join('.') === '203.0.113.77');
    assert.deepEqual(
      errors.map((packet) => [packet[20], packet[21]]),
      [[3, 3]],
    );
    assert.equal(harness.translator.tables.control[CONTROL.STORED_SYNS], 0);
  });
});

test('the status reports limits from 90 % on', () => {
  const harness = createHarness({ ports: [40_000, 40_099], allow: BOTH.allow });
  const limits = createLimits(() => harness.counters()['icmp-errors-withheld']);
  const full = () =>
    limits(harness.translator.tables, harness.translator.settings)
      .filter(({ used, size }) => used >= size * 0.9)
      .map(({ what }) => english(what));
  assert.deepEqual(full(), []);
  for (let i = 0; i < 200; i++) harness.send(from(`2001:db8:1::${10 + (i % 9)}`, 1 + i));
  assert.deepEqual(full(), ['UDP ports of pool4']);
  harness.setTime(1);
  for (let i = 0; i < 500; i++) harness.send(expired(HOST));
  assert.deepEqual(full(), ['UDP ports of pool4', 'ICMP errors in a second']);
  assert.deepEqual(full(), ['UDP ports of pool4']);
});
