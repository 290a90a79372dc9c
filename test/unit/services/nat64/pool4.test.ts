/** Several addresses and ranges, static entries, limits of clients, resting ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { choosePool4 } from '../../../../src/services/nat64/settings/choose-pool4.ts';
import { applySettings } from '../../../../src/services/nat64/control/apply-settings.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import { ownPortRange, withoutRanges } from '../../../../src/services/nat64/settings/steered-ports.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { type Nat64Changes, defaultNat64 } from '../../../netns/nat64/configuration.ts';
import { HOST, type Harness, OWN_IPV6, POOL4, REMOTE, createHarness, pool } from './harness.ts';
import { type Bytes, TCP_FLAGS, address, icmp, readU16, readU32, tcp, udp } from './packets.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
const SECOND = '198.51.100.2';
const signed = (text: string) => readU32(address(text), 0) | 0;
const words = (text: string) => Int32Array.from([0, 4, 8, 12], (at) => readU32(address(text), at) | 0);
const addresses = (...texts: string[]) => {
  return Int32Array.from(texts, signed);
};
const twoAddresses: Partial<Settings> = {
  poolAddresses: addresses(POOL4, SECOND),
  isOwnAddress: [true, false],
  pools: [pool(0, 40_000, 40_009), pool(1, 50_000, 50_009), pool(1, 60_000, 60_009)],
};
const from = (source: string, sourcePort: number) =>
  udp({ source, destination: REMOTE6, sourcePort, destinationPort: 53 });
const mappingOf = (packet: Bytes | undefined) =>
  packet === undefined || packet[0] >> 4 !== 4
    ? undefined
    : { address: [...packet.slice(12, 16)].join('.'), port: readU16(packet, 20) };
const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

describe('several addresses', () => {
  test('N42: all mappings of a client have one address while it has free ports, then another', () => {
    const harness = createHarness({ settings: twoAddresses });
    const counts = new Map<string, number>();
    const order: string[] = [];
    for (let port = 1; port <= 24; port++) {
      const mapping = mappingOf(harness.send(from(HOST, port + 5000)));
      assert.ok(mapping !== undefined);
      const ranges = mapping.address === POOL4 ? [40_000] : [50_000, 60_000];
      assert.ok(
        ranges.some((first) => mapping.port >= first && mapping.port < first + 10),
        `${mapping.port}`,
      );
      counts.set(mapping.address, (counts.get(mapping.address) ?? 0) + 1);
      if (order.at(-1) !== mapping.address) order.push(mapping.address);
    }
    assert.equal(counts.get(order[0]), order[0] === POOL4 ? 10 : 20, 'all ports of the first');
    assert.equal(order.length, 2, 'no switching back');
    const refused = harness.send(from(HOST, 6000));
    assert.deepEqual([refused?.[40], refused?.[41]], [1, 3]);
    // The rest is for others (net/shares.ts), and the last part of it for those of another /64.
    assert.equal(harness.counters()['drop-client-share'], 1);
    for (let port = 1; port <= 5; port++)
      assert.ok(mappingOf(harness.send(from(`2001:db8:1::b${port}`, port + 5000))) !== undefined);
    assert.equal(mappingOf(harness.send(from('2001:db8:1::b6', 5000))), undefined);
    assert.equal(harness.counters()['drop-client-share'], 2);
  });

  test('clients are spread over the addresses, and each always has the same one', () => {
    const harness = createHarness({ settings: twoAddresses });
    const other = createHarness({ settings: twoAddresses });
    // Each table has its own hash seed: across tables, only the spread is compared.
    const seen = new Set<string | undefined>();
    for (let host = 1; host <= 12; host++) {
      const source = `2001:db8:1::${host}`;
      const first = mappingOf(harness.send(from(source, 5000)))?.address;
      assert.equal(mappingOf(harness.send(from(source, 5001)))?.address, first);
      seen.add(first);
      assert.notEqual(mappingOf(other.send(from(source, 5000))), undefined);
    }
    assert.equal(seen.size, 2);
  });

  test('packets to the address of a mapping reach it, packets to another address of the pool do not', () => {
    const harness = createHarness({
      settings: { ...twoAddresses, pools: [twoAddresses.pools?.[1] as never] },
    });
    const mapping = mappingOf(harness.send(from(HOST, 5000)));
    assert.equal(mapping?.address, SECOND);
    const back = { source: REMOTE, sourcePort: 53, destinationPort: mapping?.port ?? 0 };
    assert.deepEqual(
      hexOf(harness.send(udp({ ...back, destination: SECOND }))),
      hexOf(udp({ source: REMOTE6, destination: HOST, sourcePort: 53, destinationPort: 5000, hopLimit: 63 })),
    );
    assert.equal(harness.send(udp({ ...back, destination: POOL4 })), undefined);
    assert.equal(harness.send(udp({ ...back, destination: '198.51.100.3' })), undefined);
    assert.equal(harness.counters()['drop-destination'], 1);
  });

  test("ICMP without a session goes to the kernel only on the appliance's own address", () => {
    const harness = createHarness({ settings: twoAddresses });
    const reply = (destination: string) =>
      icmp({ source: REMOTE, destination, type: 0, rest: 40_000 * 65_536 });
    assert.notEqual(harness.send(reply(POOL4)), undefined);
    assert.equal(harness.send(reply(SECOND)), undefined);
  });

  test('hairpin from one address of the pool to another', () => {
    const harness = createHarness({
      settings: { ...twoAddresses, pools: [twoAddresses.pools?.[1] as never] },
    });
    const mapping = mappingOf(harness.send(from('2001:db8:1::11', 6001)));
    const out = harness.send(
      udp({
        source: HOST,
        destination: `64:ff9b::${SECOND}`,
        sourcePort: 5000,
        destinationPort: mapping?.port ?? 0,
      }),
    );
    assert.equal(out?.[0], 0x60);
    assert.equal(hexOf(out?.slice(24, 40)), hexOf(address('2001:db8:1::11')));
    assert.equal(hexOf(out?.slice(8, 24)), hexOf(address(`64:ff9b::${SECOND}`)));
  });
});

describe('N42: limits', () => {
  test('a freed port rests for 120 seconds', () => {
    const harness = createHarness({ ports: [40_000, 40_000] });
    harness.send(from(HOST, 5000));
    harness.setTime(301);
    assert.equal(harness.counters()['bib-removed'], 1);
    assert.equal(mappingOf(harness.send(from(HOST, 5000))), undefined);
    harness.setTime(301 + 119);
    assert.equal(mappingOf(harness.send(from(HOST, 5000))), undefined);
    harness.setTime(301 + 120);
    assert.notEqual(mappingOf(harness.send(from(HOST, 5000))), undefined);
  });

  test('mappings and sessions of one client; another client has its own limits', () => {
    const harness = createHarness({ settings: { maxMappingsPerClient: 3, maxSessionsPerClient: 4 } });
    for (const port of [5000, 5001, 5002])
      assert.notEqual(mappingOf(harness.send(from(HOST, port))), undefined);
    const refused = harness.send(from(HOST, 5003));
    assert.deepEqual(
      [hexOf(refused?.slice(8, 24)), refused?.[40], refused?.[41]],
      [hexOf(address(OWN_IPV6)), 1, 3],
    );
    const second = (destinationPort: number) =>
      harness.send(udp({ source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort }));
    assert.notEqual(mappingOf(second(54)), undefined);
    assert.equal(mappingOf(second(55)), undefined);
    assert.notEqual(mappingOf(harness.send(from('2001:db8:1::11', 5003))), undefined);
    assert.equal(harness.counters()['drop-client-limit'], 2);
    // Ended sessions make room.
    harness.setTime(301);
    assert.notEqual(mappingOf(harness.send(from(HOST, 5003))), undefined);
  });

  test('with clientPrefixBits 64 all hosts of a network are one client', () => {
    const harness = createHarness({ settings: { maxMappingsPerClient: 2, clientPrefixBits: 64 } });
    assert.notEqual(mappingOf(harness.send(from('2001:db8:1::10', 5000))), undefined);
    assert.notEqual(mappingOf(harness.send(from('2001:db8:1::11', 5000))), undefined);
    assert.equal(mappingOf(harness.send(from('2001:db8:1::12', 5000))), undefined);
  });
});

const entry = { protocol: 0, slot: 0, port: 8080, host: words(HOST), hostPort: 80 };
const count = (harness: Harness, what: 'BIB_COUNT' | 'SESSION_COUNT') =>
  harness.translator.tables.control[CONTROL[what]];

describe('static entries', () => {
  test('clients on the IPv4 side reach the server; the entry outlives its sessions', () => {
    const harness = createHarness({ settings: { staticEntries: [entry] } });
    const syn = tcp({
      source: REMOTE,
      destination: POOL4,
      sourcePort: 1234,
      destinationPort: 8080,
      flags: TCP_FLAGS.SYN,
    });
    const out = tcp({
      source: REMOTE6,
      destination: HOST,
      sourcePort: 1234,
      destinationPort: 80,
      flags: TCP_FLAGS.SYN,
      hopLimit: 63,
    });
    assert.equal(hexOf(harness.send(syn)), hexOf(out));
    harness.setTime(241);
    assert.deepEqual([count(harness, 'SESSION_COUNT'), count(harness, 'BIB_COUNT')], [0, 1]);
    assert.equal(hexOf(harness.send(syn)), hexOf(out));
    const back = harness.send(
      tcp({ source: HOST, destination: REMOTE6, sourcePort: 80, destinationPort: 1234, flags: 18 }),
    );
    assert.deepEqual(mappingOf(back), { address: POOL4, port: 8080 });
  });

  test('another server reaches it by hairpinning, although its port is outside the ranges', () => {
    const harness = createHarness({ settings: { staticEntries: [entry] } });
    const out = harness.send(
      tcp({
        source: '2001:db8:1::11',
        destination: `64:ff9b::${POOL4}`,
        sourcePort: 5000,
        destinationPort: 8080,
        flags: TCP_FLAGS.SYN,
      }),
    );
    assert.equal(hexOf(out?.slice(24, 40)), hexOf(address(HOST)));
    assert.equal(readU16(out as Bytes, 42), 80);
  });

  test('a changed configuration: entries are added, removed, and replace entries made by packets', () => {
    const harness = createHarness({ ports: [40_000, 40_000] });
    const { translator } = harness;
    harness.send(from(HOST, 5000));
    const udpEntry = { ...entry, protocol: 1, port: 40_000, hostPort: 5001 };
    applySettings(translator, { ...translator.settings, staticEntries: [udpEntry, entry] });
    assert.deepEqual([count(harness, 'SESSION_COUNT'), count(harness, 'BIB_COUNT')], [0, 2]);
    assert.equal(mappingOf(harness.send(from(HOST, 5001)))?.port, 40_000);
    applySettings(translator, { ...translator.settings, staticEntries: [udpEntry] });
    assert.deepEqual([count(harness, 'SESSION_COUNT'), count(harness, 'BIB_COUNT')], [1, 1]);
    applySettings(translator, { ...translator.settings, staticEntries: [] });
    assert.deepEqual([count(harness, 'SESSION_COUNT'), count(harness, 'BIB_COUNT')], [0, 0]);
  });
});

describe('a changed configuration', () => {
  test('unrelated sessions continue; those of a removed prefix, address or range end', () => {
    const harness = createHarness({ settings: twoAddresses, allow: ['2001:db8:1::/64', '2001:db8:2::/64'] });
    const { translator } = harness;
    const hosts = Array.from({ length: 8 }, (_, i) => `2001:db8:${1 + (i & 1)}::${i + 1}`);
    const mappings = hosts.map((host) => mappingOf(harness.send(from(host, 5000))));
    const arrives = (i: number) =>
      harness.send(
        udp({
          source: REMOTE,
          destination: mappings[i]?.address ?? '',
          sourcePort: 53,
          destinationPort: mappings[i]?.port ?? 0,
        }),
      ) !== undefined;
    applySettings(translator, { ...translator.settings, maxSessionsPerClient: 77 });
    for (const i of hosts.keys()) assert.ok(arrives(i));
    applySettings(translator, { ...translator.settings, allow: createHarness().translator.settings.allow });
    for (const i of hosts.keys()) assert.equal(arrives(i), i % 2 === 0, 'inbound too');
    const pools = twoAddresses.pools?.slice(1) ?? [];
    applySettings(translator, {
      ...translator.settings,
      poolAddresses: addresses('192.0.2.200', SECOND),
      pools,
    });
    for (const i of hosts.keys()) assert.equal(arrives(i), i % 2 === 0 && mappings[i]?.address === SECOND);
  });
});

const MACHINE = { automatic: undefined, own: [] };

test('choosePool4: addresses keep their slots', () => {
  const config = (...texts: string[]) =>
    defaultNat64({ pool4: texts.map((text) => ({ address: text, ports: '40000-40999' })) });
  const first = choosePool4(config('192.0.2.1', '192.0.2.2', '192.0.2.3'), MACHINE, new Int32Array());
  assert.deepEqual(first.addresses, addresses('192.0.2.1', '192.0.2.2', '192.0.2.3'));
  const second = choosePool4(config('192.0.2.3', '192.0.2.9'), MACHINE, first.addresses);
  assert.deepEqual(second.addresses, addresses('192.0.2.9', '0.0.0.0', '192.0.2.3'));
  assert.deepEqual(
    second.pools.map(({ slot }) => slot),
    [2, 0],
  );
});

test('while the addresses are missing, mappings stay and new ones are refused', () => {
  const harness = createHarness({ settings: twoAddresses });
  const { translator } = harness;
  assert.ok(mappingOf(harness.send(from(HOST, 5000))));
  applySettings(translator, { ...translator.settings, isPoolAway: true });
  assert.ok(mappingOf(harness.send(from(HOST, 5000))));
  assert.equal(mappingOf(harness.send(from(HOST, 5001))), undefined);
  assert.equal(harness.counters()['drop-no-pool4'], 1);
  applySettings(translator, { ...translator.settings, isPoolAway: false });
  assert.ok(mappingOf(harness.send(from(HOST, 5001))));
});

test('choosePool4: an outage keeps the automatic address for its sessions, and it counts as our own', () => {
  const [address] = addresses('192.0.2.5');
  const chosen = (pool4: NonNullable<Nat64Changes['pool4']>, isThere: boolean) => {
    const automatic = { address: address >>> 0, isByRoute: true, isThere, seenMs: 0 };
    const pool = choosePool4(defaultNat64({ pool4 }), { automatic, own: [] }, new Int32Array());
    return [pool.addresses[0], pool.keptAddress, pool.isOwn[0]];
  };
  assert.deepEqual(chosen([{ address: 'auto' }], true), [address, 0, false]);
  assert.deepEqual(chosen([{ address: 'auto' }], false), [address, address, true]);
  assert.deepEqual(chosen([{ address: '192.0.2.5' }], false), [address, 0, false]);
});

test("the appliance's own ports: the largest gap between the pools", () => {
  assert.equal(ownPortRange([{ first: 32_768, last: 65_535 }]), '1024 32767');
  assert.equal(
    ownPortRange([
      { first: 1024, last: 9999 },
      { first: 40_000, last: 50_000 },
    ]),
    '10000 39999',
  );
  assert.equal(
    ownPortRange([
      { first: 20_000, last: 30_000 },
      { first: 25_000, last: 26_000 },
    ]),
    '30002 65535',
  );
  assert.throws(() => ownPortRange([{ first: 1024, last: 65_000 }]), /too few ports/);
});

test('removes ports from ranges as from single ports', () => {
  const ranges = fc.array(
    fc.tuple(fc.nat(40), fc.nat(12)).map(([first, more]) => ({ first, last: first + more })),
    { maxLength: 5 },
  );
  const portsOf = (of: readonly { first: number; last: number }[]) =>
    of.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
  fc.assert(
    fc.property(ranges, ranges, (from, excluded) => {
      const out = new Set(portsOf(excluded));
      const left = [...new Set(portsOf(from))].filter((port) => !out.has(port)).sort((a, b) => a - b);
      assert.deepEqual(portsOf(withoutRanges(from, excluded)), left);
    }),
  );
});
