/** Explicit address mappings and stateless mode (RFC 7757, RFC 7915, RFC 6791). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileEam, eamIpv4, findEam4, writeEamIpv6 } from '../../../../src/services/nat64/settings/eam.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { HOST, REMOTE, createHarness, eamOf, prefixOf, testSettings } from './harness.ts';
import { type Bytes, address, icmp, ip, readU32, tcp, udp } from './packets.ts';
import { IDENTIFICATION } from './rows.ts';
import { statelessIpv4 } from '../../../../src/services/nat64/settings/stateless.ts';
import { compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';

const table = eamOf;
const signed = (text: string) => readU32(address(text), 0) | 0;
const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

test('N43: any mapping, against one on big integers; there and back', () => {
  const bits4 = fc.integer({ min: 0, max: 32 });
  const arbitrary = bits4.chain((four) =>
    fc.record({
      four: fc.constant(four),
      six: fc.integer({ min: 0, max: 96 + four }),
      ipv4: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
      ipv6: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
      suffix: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
    }),
  );
  const top = (value: bigint, bits: number, size: number) =>
    (value >> BigInt(size - bits)) << BigInt(size - bits);
  const bytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(32, '0'), 'hex'));
  fc.assert(
    fc.property(arbitrary, ({ four, six, ipv4, ipv6, suffix }) => {
      const prefix4 = top(ipv4, four, 32);
      const prefix6 = top(ipv6, six, 128);
      const eam = compileEam([
        {
          ipv4: { address: bytes(prefix4 | 0xffff_0000_0000n), prefixBits: 96 + four },
          ipv6: { address: bytes(prefix6), prefixBits: six },
        },
      ]);
      const within = suffix & (2n ** BigInt(32 - four) - 1n);
      const mapped4 = prefix4 | within;
      const mapped6 = prefix6 | (within << BigInt(128 - six - (32 - four)));
      const [entry] = eam.by4;
      assert.equal(findEam4(eam, Number(mapped4) | 0), entry);
      const words = Int32Array.from(
        [96n, 64n, 32n, 0n],
        (shift) => Number((mapped6 >> shift) & 0xffff_ffffn) | 0,
      );
      const written = new Int32Array(4);
      writeEamIpv6(entry, Number(mapped4) | 0, written);
      assert.deepEqual(written, words);
      assert.equal(eamIpv4(entry, words) | 0, Number(mapped4) | 0);
    }),
    { numRuns: 1000 },
  );
});

test('N43: the longest prefix wins on both sides, in any order', () => {
  const rows = [
    ['192.0.2.0/24', '2001:db8:1::/120'],
    ['192.0.2.16/28', '2001:db8:2::/64'],
    ['192.0.2.20/32', '2001:db8:1::99/128'],
  ] as const;
  for (const eam of [table(...rows), table(...rows.toReversed())]) {
    const settings = { ...testSettings(), eam };
    const six = (text: string) => Int32Array.from([0, 4, 8, 12], (at) => readU32(address(text), at) | 0);
    const four = (text: string) => statelessIpv4(settings, six(text));
    const there = (text: string) => {
      const entry = findEam4(eam, signed(text));
      if (entry === undefined) return undefined;
      const words = new Int32Array(4);
      writeEamIpv6(entry, signed(text), words);
      return words;
    };
    assert.deepEqual(there('192.0.2.5'), six('2001:db8:1::5'));
    assert.deepEqual(there('192.0.2.17'), six('2001:db8:2:0:1000::'));
    assert.deepEqual(there('192.0.2.20'), six('2001:db8:1::99'));
    assert.equal(there('192.0.3.1'), undefined);
    assert.equal(four('2001:db8:1::5'), signed('192.0.2.5'));
    assert.equal(four('2001:db8:2:0:1fff:1::'), signed('192.0.2.17'), 'bits behind the suffix are ignored');
    assert.equal(four('2001:db8:1::99'), signed('192.0.2.20'));
    assert.equal(four('2001:db8:3::1'), undefined);
  }
});

const OWN4 = '192.0.2.9';
const SECOND = '2001:db8:1::11';
const SECOND4 = '192.0.2.11';
const REMOTE6 = `64:ff9b::${REMOTE}`;
const settings: Partial<Settings> = {
  eam: table([`${OWN4}/32`, `${HOST}/128`], [`${SECOND4}/32`, `${SECOND}/128`]),
};
const ports = { sourcePort: 5000, destinationPort: 53 };
const out4 = { source: OWN4, destination: REMOTE, hopLimit: 63, fragment: 0 };
const in4 = { source: REMOTE, destination: OWN4 };
const in6 = { source: REMOTE6, destination: HOST, hopLimit: 63 };
const data = Uint8Array.from({ length: 40 }, (_, i) => i);

/** Identifications are chosen anew for each packet. */
function assertSame(actual: Bytes | undefined, expected: Bytes): void {
  if (actual !== undefined && actual[0] >> 4 === 4)
    for (const each of [actual, expected]) each.set([0, 0, each[6], each[7], each[8], each[9], 0, 0], 4);
  assert.equal(hexOf(actual), hexOf(expected));
}

describe('a host with its own IPv4 address, beside hosts that share pool4', () => {
  const rows: [title: string, packet: Bytes, out: Bytes][] = [
    [
      'UDP out',
      udp({ source: HOST, destination: REMOTE6, ...ports, data }),
      udp({ ...out4, ...ports, data }),
    ],
    ['UDP in, unsolicited', udp({ ...in4, ...ports, data }), udp({ ...in6, ...ports, data })],
    [
      'TCP in, in the middle of a connection',
      tcp({ ...in4, ...ports, data }),
      tcp({ ...in6, ...ports, data }),
    ],
    ['ping in', icmp({ ...in4, type: 8, rest: 77, data }), icmp({ ...in6, type: 128, rest: 77, data })],
    [
      'N27: SCTP out passes unchanged',
      ip({ source: HOST, destination: REMOTE6, protocol: 132, payload: data }),
      ip({ ...out4, protocol: 132, payload: data }),
    ],
    [
      'N27: SCTP in',
      ip({ ...in4, protocol: 132, payload: data }),
      ip({ ...in6, protocol: 132, payload: data }),
    ],
    [
      'an error about SCTP',
      icmp({ ...in4, type: 3, code: 2, data: ip({ ...out4, protocol: 132, payload: data }) }),
      icmp({
        ...in6,
        type: 4,
        code: 1,
        rest: 6,
        data: ip({ source: HOST, destination: REMOTE6, hopLimit: 63, protocol: 132, payload: data }),
      }),
    ],
    [
      "hairpin: to another such host, with the sender's IPv4 address as source",
      udp({ source: HOST, destination: `64:ff9b::${SECOND4}`, ...ports, data }),
      udp({ source: `64:ff9b::${OWN4}`, destination: SECOND, ...ports, data, hopLimit: 62 }),
    ],
    [
      'hairpin: ping',
      icmp({ source: HOST, destination: `64:ff9b::${SECOND4}`, type: 128, rest: 77, data }),
      icmp({ source: `64:ff9b::${OWN4}`, destination: SECOND, type: 128, rest: 77, data, hopLimit: 62 }),
    ],
  ];
  for (const [title, packet, out] of rows)
    test(title, () => {
      const harness = createHarness({ settings });
      assertSame(harness.send(packet), out);
      assert.equal(harness.translator.tables.control[CONTROL.SESSION_COUNT], 0, 'no session');
    });

  test('other hosts share pool4 as before', () => {
    const harness = createHarness({ settings: { eam: table([`${SECOND4}/32`, `${SECOND}/128`]) } });
    assert.notEqual(harness.send(udp({ source: HOST, destination: REMOTE6, ...ports })), undefined);
    assert.equal(harness.counters()['bib-created'], 1);
  });

  test('the ICMP of the other family is not a transport protocol', () => {
    const harness = createHarness({ settings });
    harness.send(ip({ source: HOST, destination: REMOTE6, protocol: 1, payload: data }));
    harness.send(ip({ ...in4, protocol: 58, payload: data }));
    assert.equal(harness.counters()['drop-protocol'], 2);
  });

  test('a number of an IPv6 extension header is not a transport protocol', () => {
    const harness = createHarness({ settings });
    for (const protocol of [0, 43, 44, 60]) {
      const answer = harness.send(ip({ ...in4, protocol, payload: data })) as Bytes;
      assert.deepEqual([answer[0] >> 4, answer[20], answer[21]], [4, 3, 2]);
    }
    assert.equal(harness.counters()['drop-protocol'], 4);
  });

  test('hairpinning "simple" and "none": out on the IPv4 side, and back in with the source of the mode', () => {
    const packet = udp({ source: HOST, destination: `64:ff9b::${SECOND4}`, ...ports, data });
    for (const [mode, source] of [
      ['simple', `64:ff9b::${OWN4}`],
      ['none', HOST],
    ] as const) {
      const harness = createHarness({ settings: { ...settings, eamHairpinning: mode } });
      const out = harness.send(packet);
      assert.ok(out !== undefined);
      assertSame(out, udp({ ...out4, destination: SECOND4, ...ports, data }));
      const back = udp({ source: OWN4, destination: SECOND4, ...ports, data });
      assertSame(harness.send(back), udp({ source, destination: SECOND, ...ports, data, hopLimit: 63 }));
    }
  });
});

describe('stateless mode', () => {
  const stateless: Partial<Settings> = {
    isStateless: true,
    embedded4: compileList4([prefixOf('192.0.2.0/25')]),
    pools: [],
    poolAddresses: new Int32Array(16),
    isOwnAddress: [],
  };
  const options = { prefix: '2001:db8:64::/96', allow: ['2001:db8::/32'] };
  const embed = (text: string) => `2001:db8:64::${text}`;

  test('both addresses represent IPv4 addresses', () => {
    const harness = createHarness({ ...options, settings: stateless });
    const six = udp({ source: embed(OWN4), destination: embed(REMOTE), ...ports, data });
    assertSame(harness.send(six), udp({ ...out4, ...ports, data }));
    const back = udp({ source: REMOTE, destination: OWN4, ...ports, data });
    assertSame(
      harness.send(back),
      udp({ source: embed(REMOTE), destination: embed(OWN4), ...ports, data, hopLimit: 63 }),
    );
  });

  test('a source that represents no IPv4 address: 1/1', () => {
    const harness = createHarness({ ...options, settings: stateless });
    const answer = harness.send(udp({ source: HOST, destination: embed(REMOTE), ...ports, data }));
    assert.deepEqual([answer?.[40], answer?.[41]], [1, 1]);
    assert.equal(harness.counters()['drop-untranslatable'], 1);
  });

  test('N44: an error of a router without an IPv4 address comes from icmpSource4; one of the host from the host', () => {
    const quoted = udp({ source: embed(REMOTE), destination: embed(OWN4), ...ports, data });
    const error = (source: string) =>
      icmp({ source, destination: embed(REMOTE), type: 1, code: 0, data: quoted });
    const icmpSources4 = Int32Array.of(signed('203.0.113.77'));
    const harness = createHarness({ ...options, settings: { ...stateless, icmpSources4 } });
    assert.equal(harness.send(error('2001:db8:ff::1'))?.slice(12, 16).join('.'), '203.0.113.77');
    assert.equal(
      harness
        .send(error(embed(OWN4)))
        ?.slice(12, 16)
        .join('.'),
      OWN4,
    );
    const without = createHarness({ ...options, settings: stateless });
    assert.equal(without.send(error('2001:db8:ff::1'))?.slice(12, 16).join('.'), OWN4);
  });
});

describe('both ends by their address mappings (RFC 7757 sections 3.3.2 and 4)', () => {
  const NODE4 = '203.0.113.80';
  const NODE6 = '2001:db8:9::80';
  const eam = compileEam([
    { ipv4: prefixOf(`${OWN4}/32`), ipv6: prefixOf(`${HOST}/128`) },
    { ipv4: prefixOf(`${SECOND4}/32`), ipv6: prefixOf(`${SECOND}/128`) },
    { ipv4: prefixOf(`${NODE4}/32`), ipv6: prefixOf(`${NODE6}/128`), isOnIpv4Side: true },
  ]);
  const six = (source: string, destination: string, hopLimit = 64) =>
    udp({ source, destination, ...ports, data, hopLimit });
  const four = (source: string, destination: string, hopLimit = 64) =>
    udp({ source, destination, ...ports, data, hopLimit, ...(hopLimit === 63 && { fragment: 0 }) });
  const embedded = (text: string) => `64:ff9b::${text}`;
  const all = ['none', 'simple', 'intrinsic'] as const;
  const rows: [title: string, modes: readonly (typeof all)[number][], packet: Bytes, out: Bytes][] = [
    ['to a node on the IPv4 side', all, six(HOST, NODE6), four(OWN4, NODE4, 63)],
    [
      'to the mapping of a host: section 3.3.2 takes precedence over the prefix',
      all,
      six(HOST, SECOND),
      four(OWN4, SECOND4, 63),
    ],
    ['from a node on the IPv4 side (4.2.2)', ['none', 'intrinsic'], four(NODE4, OWN4), six(NODE6, HOST, 63)],
    [
      'from such a node, with simple hairpinning (4.2.1)',
      ['simple'],
      four(NODE4, OWN4),
      six(embedded(NODE4), HOST, 63),
    ],
    ['from a host, arriving from outside', ['none', 'intrinsic'], four(SECOND4, OWN4), six(SECOND, HOST, 63)],
    [
      'to a host through the prefix comes back in (4.2.2)',
      ['intrinsic'],
      six(HOST, embedded(SECOND4)),
      six(embedded(OWN4), SECOND, 62),
    ],
    [
      'to a node through the prefix leaves: the node is on the IPv4 side',
      all,
      six(HOST, embedded(NODE4)),
      four(OWN4, NODE4, 63),
    ],
    [
      'an error of that node about a packet to another',
      ['none', 'intrinsic', 'simple'],
      icmp({ source: NODE4, destination: OWN4, type: 3, code: 1, data: four(OWN4, REMOTE, 63) }),
      icmp({
        source: NODE6,
        destination: HOST,
        type: 1,
        code: 0,
        hopLimit: 63,
        data: six(HOST, REMOTE6, 63),
      }),
    ],
    [
      'an error of that node about a packet to itself',
      ['none', 'intrinsic'],
      icmp({ source: NODE4, destination: OWN4, type: 3, code: 1, data: four(OWN4, NODE4, 63) }),
      icmp({ source: NODE6, destination: HOST, type: 1, code: 0, hopLimit: 63, data: six(HOST, NODE6, 63) }),
    ],
    [
      'the same with simple hairpinning',
      ['simple'],
      icmp({ source: NODE4, destination: OWN4, type: 3, code: 1, data: four(OWN4, NODE4, 63) }),
      icmp({
        source: embedded(NODE4),
        destination: HOST,
        type: 1,
        code: 0,
        hopLimit: 63,
        data: six(HOST, embedded(NODE4), 63),
      }),
    ],
    [
      'an error to that node',
      all,
      icmp({ source: HOST, destination: NODE6, type: 1, code: 4, data: six(NODE6, HOST) }),
      icmp({
        source: OWN4,
        destination: NODE4,
        type: 3,
        code: 3,
        hopLimit: 63,
        fragment: 0,
        data: udp({
          ...{ source: NODE4, destination: OWN4, ...ports, data },
          ...{ fragment: 0, identification: IDENTIFICATION },
        }),
      }),
    ],
  ];
  for (const [title, modes, packet, out] of rows)
    for (const eamHairpinning of modes)
      test(`${title}; hairpinning ${eamHairpinning}`, () => {
        const harness = createHarness({ settings: { eam, eamHairpinning } });
        assertSame(harness.send(packet), out);
      });

  test('a host with sessions does not reach the node by its mapping: the answer would have another source', () => {
    const harness = createHarness({ settings: { eam } });
    assert.equal(harness.send(six('2001:db8:1::77', NODE6)), undefined);
    assert.equal(harness.counters()['drop-destination'], 1);
    // Packets to the host do not show such a mapping either.
    const out = harness.send(six('2001:db8:1::77', embedded(NODE4))) as Bytes;
    const port = (out[20] << 8) | out[21];
    const back = udp({ source: NODE4, destination: '198.51.100.1', sourcePort: 53, destinationPort: port });
    assert.deepEqual(harness.send(back)?.slice(8, 24), address(embedded(NODE4)));
  });

  test("no host may use the node's address: neither from IPv6, nor as a destination from IPv4", () => {
    const harness = createHarness({
      settings: { eam, isStateless: true, pools: [], poolAddresses: new Int32Array() },
      allow: ['::/0'],
    });
    harness.send(six(NODE6, REMOTE6));
    assert.equal(harness.counters()['drop-untranslatable'], 1);
    assert.equal(harness.send(four(REMOTE, NODE4)), undefined);
    assert.equal(harness.counters()['drop-destination'], 1);
  });
});

describe('stateless mode: which addresses belong to hosts (nat64.embedded)', () => {
  const embed = (text: string) => `2001:db8:64::${text}`;
  const options = {
    prefix: '2001:db8:64::/96',
    allow: ['2001:db8::/32'],
    settings: {
      isStateless: true,
      embedded4: compileList4([prefixOf('192.0.2.128/25')]),
      pools: [],
      poolAddresses: new Int32Array(),
      isOwnAddress: [],
    },
  };
  const packet6 = (source: string, target: string) =>
    udp({ source: embed(source), destination: embed(target), ...ports, data });
  const rows: [title: string, packet: Bytes, drop: string, code: number | undefined][] = [
    [
      'a source outside them would be the address of another: 1/1',
      packet6('198.51.100.9', REMOTE),
      'drop-untranslatable',
      1,
    ],
    [
      'a destination among them without a route: 1/0',
      packet6('192.0.2.130', '192.0.2.131'),
      'drop-no-route',
      0,
    ],
    [
      'a destination outside them, from IPv4',
      udp({ source: REMOTE, destination: '192.0.2.1', ...ports }),
      'drop-destination',
      undefined,
    ],
    [
      'an error to one of them: never answered',
      icmp({
        source: embed('192.0.2.130'),
        destination: embed('192.0.2.131'),
        type: 1,
        data: packet6(REMOTE, '192.0.2.130'),
      }),
      'drop-no-route',
      undefined,
    ],
  ];
  for (const [title, packet, drop, code] of rows)
    test(title, () => {
      const harness = createHarness(options);
      const answer = harness.send(packet);
      assert.deepEqual(answer?.slice(40, 42), code === undefined ? undefined : Uint8Array.of(1, code));
      assert.equal(harness.counters()[drop as 'drop-no-route'], 1);
    });
});
