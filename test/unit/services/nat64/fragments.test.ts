/** Reassembling and cutting fragments. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  HOST,
  type HarnessOptions,
  OWN_IPV6,
  POOL4,
  REMOTE,
  createHarness,
  eamOf,
  testSettings,
} from './harness.ts';
import { type Bytes, icmp, ip, readU16, tcp, udp } from './packets.ts';
import {
  ONE_PORT,
  PORT,
  out6,
  out4,
  in4,
  in6,
  data,
  error4,
  error6,
  fragments4,
  fragments6,
  hexOf,
  big,
  bigFragment4,
  zeroChecksum,
  testRows,
} from './rows.ts';
import { createFragments } from '../../../../src/services/nat64/tables/fragment-sides.ts';
import { MAX_FRAGMENTS } from '../../../../src/services/nat64/tables/fragment-records.ts';

const ownPieces = fragments4(udp({ ...in4, destinationPort: 53, data: big }), [0, 800, 1468], 7);
const privatePieces = fragments4(
  udp({ ...in4, source: '192.168.1.9', destinationPort: 53, hopLimit: 1, data: big }),
  [0, 800, 1468],
  7,
);
/** The packet without its UDP checksum. */
function bare6(packet: Bytes): Bytes {
  packet.set([0, 0], 46);
  return packet;
}
const error6To = (host: string, about: Bytes) => {
  const packet = about.slice();
  packet[13] = 2;
  return icmp({ source: OWN_IPV6, destination: host, type: 1, code: 1, data: packet });
};

testRows([
  {
    title: 'too big for IPv6, DF clear: fragments of at most 1280 bytes (N22)',
    before: [udp(out6)],
    packet: udp({ ...in4, data: big, fragment: 0, identification: 0xbeef }),
    out: fragments6(udp({ ...in6, data: big }), [0, 1232, 1468], 0xbeef),
  },
  {
    title: 'lowestIpv6MtuBytes: it fits, so it needs no fragment header (N22)',
    config: { settings: { lowestIpv6MtuBytes: 1500 } },
    before: [udp(out6)],
    packet: udp({ ...in4, data: new Uint8Array(1400), fragment: 0, identification: 0xbeef }),
    out: udp({ ...in6, data: new Uint8Array(1400) }),
  },
  {
    title:
      'fragments from IPv6, the last first: cut at the same places, the identification cut to 16 bits (N1, N30)',
    before: [fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 0xdead_beef)[1]],
    packet: fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 0xdead_beef)[0],
    out: fragments4(udp({ ...out4, data: big }), [0, 800, 1468], 0xbeef),
  },
  {
    title: 'fragments from IPv4: cut at the same places, and again if they are longer than 1280 bytes (N1)',
    before: [udp(out6), fragments4(udp({ ...in4, data: big }), [0, 1240, 1468], 7)[1]],
    packet: fragments4(udp({ ...in4, data: big }), [0, 1240, 1468], 7)[0],
    out: fragments6(udp({ ...in6, data: big }), [0, 1232, 1240, 1468], 7),
  },
  {
    title: 'fragments of a UDP packet without checksum: it gets one (N2)',
    before: [udp(out6), fragments4(zeroChecksum(udp({ ...in4, data: big })), [0, 800, 1468], 7)[1]],
    packet: fragments4(zeroChecksum(udp({ ...in4, data: big })), [0, 800, 1468], 7)[0],
    out: fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 7),
  },
  {
    title: 'a fragment that is all of its datagram is not treated as a fragment (RFC 6946)',
    packet: fragments6(udp({ ...out6, data }), [0, 12], 0xdead_beef)[0],
    out: udp({ ...out4, data, identification: 0xbeef }),
  },
  {
    title: 'fragments that overlap: nothing of their datagram is translated (RFC 5722)',
    before: [udp(out6), fragments4(udp({ ...in4, data: big }), [0, 800, 1468], 7)[0]],
    packet: fragments4(udp({ ...in4, data: big }), [0, 792, 1468], 7)[1],
    out: undefined,
    drop: 'drop-fragment-overlap',
  },
  {
    title: 'a middle fragment whose length is not a multiple of 8',
    packet: fragments4(udp({ ...in4, data }), [0, 9, 12], 7)[0],
    out: undefined,
    drop: 'drop-fragment-bad',
  },
  {
    title: 'a fragment too big for IPv6, DF set: 3/4 with the size that fits beside a fragment header (N23)',
    before: [udp(out6)],
    packet: bigFragment4,
    out: error4(3, 4, bigFragment4, 1472),
    drop: 'drop-too-big',
  },
  {
    title: "a datagram of the appliance's own in fragments: back to the kernel as they came",
    before: [ownPieces[1]],
    packet: ownPieces[0],
    out: ownPieces,
  },
  {
    title:
      "the appliance's own fragments from a private address, or with an expired hop limit, still go to the kernel",
    before: [privatePieces[1]],
    packet: privatePieces[0],
    out: privatePieces,
  },
  {
    title: 'ICMP fragments other than echo go to the kernel',
    packet: fragments4(icmp({ ...in4, type: 13, rest: PORT << 16, data: big }), [0, 800, 1468], 7)[0],
    out: fragments4(icmp({ ...in4, type: 13, rest: PORT << 16, data: big }), [0, 800, 1468], 7)[0],
  },
  {
    title: 'UDP over IPv6 without checksum gets one (RFC 6935)',
    packet: bare6(udp({ ...out6, data })),
    out: udp({ ...out4, data }),
  },
  {
    title: 'UDP over IPv6 without checksum, if the policy is to drop it',
    config: { settings: { dropsZeroUdpChecksum6: true } },
    packet: bare6(udp({ ...out6, data })),
    out: error6(1, 1, bare6(udp({ ...out6, data }))),
    drop: 'drop-udp-no-checksum',
  },
  {
    title: 'fragments over IPv6 without UDP checksum: it gets one when all have arrived',
    before: [fragments6(bare6(udp({ ...out6, data: big })), [0, 800, 1468], 7)[0]],
    packet: fragments6(bare6(udp({ ...out6, data: big })), [0, 800, 1468], 7)[1],
    out: fragments4(udp({ ...out4, data: big }), [0, 800, 1468], 7),
  },
  {
    title: 'a TCP fragment that starts inside the header (RFC 3128)',
    packet: fragments6(tcp({ ...out6, data: big, flags: 2 }), [0, 8, 1480], 7)[1],
    out: undefined,
    drop: 'drop-fragment-bad',
  },
  {
    title: 'a first fragment too small for its TCP header (RFC 1858)',
    packet: fragments6(tcp({ ...out6, data: big, flags: 2 }), [0, 16, 1480], 7)[0],
    out: undefined,
    drop: 'drop-truncated',
  },
]);

/** One fragment from a host or a remote. Each fragment may have its own `hopLimit` and `trafficClass`. */
interface Step {
  readonly packet: Bytes;
  readonly out: readonly Bytes[];
  readonly counted: Readonly<Record<string, number>>;
}

const up = udp({ ...out6, data: big });
const down = udp({ ...in4, data: big });
const translated6 = { 'packets-6to4': 1, 'bytes-6to4': 820 };
const opened = { 'bib-created': 1, 'sessions-created-udp': 1 };

/** A fragment with changed header fields and a correct header checksum. */
function changed(packet: Bytes, fields: { hopLimit?: number; trafficClass?: number }): Bytes {
  const is6 = packet[0] >> 4 === 6;
  const payload = packet.slice(is6 ? 40 : 20);
  return ip({
    source: is6 ? packet.slice(8, 24) : packet.slice(12, 16),
    destination: is6 ? packet.slice(24, 40) : packet.slice(16, 20),
    protocol: packet[is6 ? 6 : 9],
    hopLimit: packet[is6 ? 7 : 8],
    identification: readU16(packet, 4),
    fragment: readU16(packet, 6),
    payload,
    ...fields,
  });
}

const CE = 3;
const [up0, up1] = fragments6(up, [0, 800, 1468], 7);
const [upOut0, upOut1] = fragments4(udp({ ...out4, data: big }), [0, 800, 1468], 7);
const [down0, down1] = fragments4(down, [0, 800, 1468], 7);
const [downOut0, downOut1] = fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 7);
const kept4 = (packet: Bytes) => changed(packet, {});

const SEQUENCES: readonly { title: string; config?: HarnessOptions; steps: readonly Step[] }[] = [
  {
    title: '6 to 4: each with its own ECN and hop limit, in the order of arrival (RFC 3168 section 5.3)',
    steps: [
      {
        packet: changed(up0, { trafficClass: 2 }),
        out: [changed(upOut0, { trafficClass: 2 })],
        counted: { ...translated6, ...opened },
      },
      {
        packet: changed(up1, { trafficClass: CE, hopLimit: 9 }),
        out: [changed(upOut1, { trafficClass: CE, hopLimit: 8 })],
        counted: { 'packets-6to4': 1, 'bytes-6to4': 688, reassembled: 1 },
      },
    ],
  },
  {
    title: '6 to 4, the last first: it waits, and keeps its own ECN and hop limit',
    steps: [
      { packet: changed(up1, { trafficClass: CE, hopLimit: 9 }), out: [], counted: {} },
      {
        packet: up0,
        out: [kept4(upOut0), changed(upOut1, { trafficClass: CE, hopLimit: 8 })],
        counted: { 'packets-6to4': 2, 'bytes-6to4': 820 + 688, reassembled: 1, ...opened },
      },
    ],
  },
  {
    title: '4 to 6: each with its own ECN and hop limit',
    steps: [
      { packet: up0, out: [upOut0], counted: { ...translated6, ...opened } },
      {
        packet: changed(down0, { trafficClass: 1 }),
        out: [changed(downOut0, { trafficClass: 1 })],
        counted: { 'packets-4to6': 1, 'bytes-4to6': 848 },
      },
      {
        packet: changed(down1, { trafficClass: CE, hopLimit: 9 }),
        out: [changed(downOut1, { trafficClass: CE, hopLimit: 8 })],
        counted: { 'packets-4to6': 1, 'bytes-4to6': 716, reassembled: 1 },
      },
    ],
  },
  {
    title:
      '4 to 6: DF belongs to each fragment; without DF only those that are too long are cut (RFC 7915 section 4.1)',
    steps: [
      { packet: up0, out: [upOut0], counted: { ...translated6, ...opened } },
      {
        packet: fragments4(down, [0, 1400, 1468], 7, 0x4000)[0],
        out: fragments6(udp({ ...in6, data: big }), [0, 1400, 1468], 7).slice(0, 1),
        counted: { 'packets-4to6': 1, 'bytes-4to6': 1448 },
      },
      {
        packet: fragments4(down, [0, 1400, 1468], 7)[1],
        out: fragments6(udp({ ...in6, data: big }), [0, 1400, 1468], 7).slice(1),
        counted: { 'packets-4to6': 1, 'bytes-4to6': 116, reassembled: 1 },
      },
    ],
  },
  {
    title: 'a fragment whose hop limit has run out is dropped alone, and its sender gets an error',
    steps: [
      { packet: up0, out: [upOut0], counted: { ...translated6, ...opened } },
      {
        packet: changed(up1, { hopLimit: 1 }),
        out: [error6(3, 0, changed(up1, { hopLimit: 1 }))],
        counted: { 'drop-hop-limit': 1, 'icmp-errors-sent': 1 },
      },
    ],
  },
  {
    title: 'an overlap ends the datagram; waiting fragments are counted too (RFC 5722)',
    steps: [
      { packet: fragments6(up, [0, 800, 1400, 1468], 7)[1], out: [], counted: {} },
      { packet: fragments6(up, [0, 800, 808, 1468], 7)[1], out: [], counted: { 'drop-fragment-overlap': 2 } },
      { packet: up0, out: [], counted: { 'drop-fragment-overlap': 1 } },
    ],
  },
  {
    title: 'a copy of a fragment that has passed, or that waits, is dropped without further effect',
    steps: [
      { packet: fragments6(up, [0, 800, 1400, 1468], 7)[2], out: [], counted: {} },
      {
        packet: fragments6(up, [0, 800, 1400, 1468], 7)[2],
        out: [],
        counted: { 'drop-fragment-duplicate': 1 },
      },
      {
        packet: up0,
        out: [upOut0, fragments4(udp({ ...out4, data: big }), [0, 800, 1400, 1468], 7)[2]],
        counted: { 'packets-6to4': 2, 'bytes-6to4': 820 + 88, ...opened },
      },
      { packet: up0, out: [], counted: { 'drop-fragment-duplicate': 1 } },
      {
        packet: fragments6(up, [0, 800, 1400, 1468], 7)[1],
        out: [fragments4(udp({ ...out4, data: big }), [0, 800, 1400, 1468], 7)[1]],
        counted: { 'packets-6to4': 1, 'bytes-6to4': 620, reassembled: 1 },
      },
    ],
  },
  {
    title: 'a first fragment that is refused: the others are dropped with it',
    steps: [
      { packet: down1, out: [], counted: {} },
      { packet: down0, out: [], counted: { 'drop-no-bib-entry': 1, 'drop-fragment-refused': 1 } },
      {
        packet: fragments4(down, [0, 800, 1400, 1468], 7)[1],
        out: [],
        counted: { 'drop-fragment-refused': 1 },
      },
    ],
  },
  {
    title: 'untranslatable datagrams use no memory: their fragments do not wait',
    config: { settings: { isOwnAddress: [false] } },
    steps: [
      {
        packet: changed(up1, {}).map((byte, i) => (i === 13 ? 2 : byte)),
        out: [error6To('2001:db8:2:0::10', up1)],
        counted: { 'drop-not-allowed': 1, 'icmp-errors-sent': 1 },
      },
      {
        packet: fragments4(udp({ ...in4, source: '10.0.0.1', data: big }), [0, 800, 1468], 7)[1],
        out: [],
        counted: { 'drop-non-global': 1 },
      },
      {
        packet: fragments4(udp({ ...in4, source: '127.0.0.1', data: big }), [0, 800, 1468], 7)[1],
        out: [],
        counted: { 'drop-source-invalid': 1 },
      },
      {
        packet: fragments4(
          ip({ source: REMOTE, destination: POOL4, protocol: 50, payload: big }),
          [0, 800, 1460],
          7,
        )[1],
        out: [],
        counted: { 'drop-protocol': 1 },
      },
    ],
  },
];

describe('fragments, one by one', () => {
  for (const { title, config, steps } of SEQUENCES) {
    test(title, () => {
      const harness = createHarness({ ...ONE_PORT, ...config });
      for (const { packet, out, counted } of steps) {
        assert.deepEqual(harness.sendAll(packet).map(hexOf), out.map(hexOf));
        assert.deepEqual(harness.counted(), counted);
      }
    });
  }

  test('a fragment within the time limit passes, a later one does not; the limit can be set', () => {
    for (const [fragmentSeconds, seconds, count] of [
      [30, 30, 2],
      [30, 31, 0],
      [2, 2, 2],
      [2, 3, 0],
    ]) {
      const lifetimes = { ...testSettings().lifetimes, fragmentSeconds };
      const harness = createHarness({ ...ONE_PORT, settings: { lifetimes } });
      harness.send(udp(out6));
      harness.send(down1);
      harness.setTime(seconds);
      assert.equal(harness.sendAll(down0).length, count === 0 ? 1 : 2);
      assert.equal(harness.counters()['drop-fragment-timeout'], count === 0 ? 1 : 0);
    }
  });

  test('a datagram in more fragments than allowed', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(udp(out6));
    const offsets = Array.from({ length: MAX_FRAGMENTS + 3 }, (_, i) => i * 8);
    const packet = udp({ ...in4, data: new Uint8Array(1200) });
    const fragments = fragments4(packet, offsets, 1).slice(1);
    for (const fragment of fragments) assert.equal(harness.send(fragment), undefined);
    assert.equal(harness.counters()['drop-fragment-many'], MAX_FRAGMENTS + 1);
  });

  test('fragments that claim a datagram beyond 64 KiB', () => {
    const harness = createHarness(ONE_PORT);
    const packet = ip({ source: REMOTE, destination: POOL4, protocol: 17, fragment: 0x1fff, payload: data });
    assert.equal(harness.send(packet), undefined);
    assert.deepEqual(harness.counted(), { 'drop-fragment-bad': 1 });
  });
});

describe('fragments of hosts with their own IPv4 address (RFC 7915 section 1.3)', () => {
  const own = { settings: { eam: eamOf(['192.0.2.9/32', `${HOST}/128`]) } };
  const mapped = { ...in4, destination: '192.0.2.9', destinationPort: 5000 };
  const from = { ...out4, source: '192.0.2.9', sourcePort: 5000 };
  const pieces = fragments4(udp({ ...mapped, data: big }), [0, 800, 1468], 7);

  test('each passes by itself, in any order, without memory', () => {
    const harness = createHarness({ ...ONE_PORT, ...own });
    assert.deepEqual(harness.sendAll(pieces[1]).map(hexOf), [hexOf(downOut1)]);
    assert.deepEqual(harness.sendAll(pieces[0]).map(hexOf), [hexOf(downOut0)]);
    const outs = fragments4(udp({ ...from, data: big }), [0, 800, 1468], 7);
    assert.deepEqual(harness.sendAll(up1).map(hexOf), [hexOf(outs[1])]);
    assert.deepEqual(harness.sendAll(up0).map(hexOf), [hexOf(outs[0])]);
    assert.deepEqual(harness.translator.fragments, createFragments());
  });

  test('without UDP checksum: none can be computed for IPv6 (RFC 7915 section 4.5); in IPv4 none is needed', () => {
    const harness = createHarness({ ...ONE_PORT, ...own });
    const [bare4] = fragments4(zeroChecksum(udp({ ...mapped, data: big })), [0, 800, 1468], 7);
    assert.equal(harness.send(bare4), undefined);
    assert.deepEqual(harness.counted(), { 'drop-udp-no-checksum': 1 });
    const [bare0] = fragments6(bare6(up), [0, 800, 1468], 7);
    assert.deepEqual(harness.sendAll(bare0).map(hexOf), [
      hexOf(fragments4(zeroChecksum(udp({ ...from, data: big })), [0, 800, 1468], 7)[0]),
    ]);
  });

  test('an echo message waits until its length is known', () => {
    const harness = createHarness({ ...ONE_PORT, ...own });
    const echo = { ...mapped, type: 8, rest: 0x1234_0001, data: big };
    const [echo0, echo1] = fragments4(icmp(echo), [0, 800, 1468], 7);
    assert.deepEqual(harness.sendAll(echo0), []);
    assert.deepEqual(
      harness.sendAll(echo1).map(hexOf),
      fragments6(icmp({ ...in6, type: 128, rest: 0x1234_0001, data: big }), [0, 800, 1468], 7).map(hexOf),
    );
  });
});
