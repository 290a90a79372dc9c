/** Ports by protocol, parity and class as options, and blocks of ports (RFC 7422). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { applySettings } from '../../../../src/services/nat64/control/apply-settings.ts';
import { TRANSPORT } from '../../../../src/services/nat64/packet/packet.ts';
import {
  clientOfPort,
  compilePortBlocks,
  portBlockOf,
} from '../../../../src/services/nat64/settings/port-blocks.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { listPortBlocks } from '../../../../src/services/nat64/tables/usage.ts';
import { seededRandom } from '../../../random.ts';
import { HOST, POOL4, REMOTE, createHarness, pool, prefixOf } from './harness.ts';
import { type Bytes, TCP_FLAGS, icmp, readU16, tcp, udp } from './packets.ts';
import type { PortPool } from '../../../../src/services/nat64/settings/pool.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
const from = (source: string, sourcePort: number, destinationPort = 53) =>
  udp({ source, destination: REMOTE6, sourcePort, destinationPort });
const portOf = (packet: Bytes | undefined) =>
  packet === undefined || packet[0] >> 4 !== 4 ? undefined : readU16(packet, 20);
const maskOf = (...protocols: number[]) => protocols.reduce((mask, protocol) => mask | (1 << protocol), 0);

describe('ports by protocol', () => {
  const pools = [
    pool(0, 1000, 1999, maskOf(TRANSPORT.TCP)),
    pool(0, 2000, 2999, maskOf(TRANSPORT.UDP, TRANSPORT.ICMP)),
  ];

  test('each protocol gets its own', () => {
    const harness = createHarness({ settings: { pools } });
    for (let i = 0; i < 50; i++) {
      const fields = { source: HOST, destination: REMOTE6, sourcePort: 5000 + i, destinationPort: 80 };
      const tcpPort = portOf(harness.send(tcp({ ...fields, flags: TCP_FLAGS.SYN }))) ?? 0;
      assert.equal(Math.floor(tcpPort / 1000), 1);
      assert.equal(Math.floor((portOf(harness.send(udp(fields))) ?? 0) / 1000), 2);
      const echo = harness.send(icmp({ ...fields, type: 128, rest: (5000 + i) * 65_536 })) as Bytes;
      assert.equal(Math.floor(readU16(echo, 24) / 1000), 2);
    }
  });

  test('a protocol without ports is refused', () => {
    const harness = createHarness({ settings: { pools: pools.slice(0, 1) } });
    const refused = harness.send(from(HOST, 5000));
    assert.deepEqual([refused?.[40], refused?.[41]], [1, 3]);
    assert.equal(harness.counters()['drop-pool4-exhausted'], 1);
  });

  test('a change of protocols ends only the sessions of the other protocols', () => {
    const harness = createHarness({ settings: { pools: [pool(0, 1000, 2999)] } });
    harness.send(from(HOST, 5000));
    harness.send(tcp({ source: HOST, destination: REMOTE6, sourcePort: 1, destinationPort: 1, flags: 2 }));
    const { translator } = harness;
    const onlyTcp = [pool(0, 1000, 2999, maskOf(TRANSPORT.TCP))];
    applySettings(translator, { ...translator.settings, pools: onlyTcp });
    assert.equal(translator.tables.control[CONTROL.SESSION_COUNT], 1);
  });
});

describe('parity and class', () => {
  const share = (settings: object, hostPort: number, isAsWanted: (port: number) => boolean) => {
    const harness = createHarness({ ports: [513, 1534], settings, random: seededRandom(7) });
    let count = 0;
    for (let i = 0; i < 200; i++)
      if (isAsWanted(portOf(harness.send(from(`2001:db8:1::${i.toString(16)}`, hostPort))) ?? 0)) count++;
    return count / 200;
  };
  const isEven = (port: number) => port % 2 === 0;
  const isPrivileged = (port: number) => port < 1024;

  test('kept by default', () => {
    assert.equal(share({}, 5000, isEven), 1);
    assert.equal(share({}, 5001, isEven), 0);
    assert.equal(share({}, 500, isPrivileged), 1);
    assert.equal(share({}, 5000, isPrivileged), 0);
  });

  test('parity not kept: both parities occur', () => {
    const half = share({ keepsPortParity: false }, 5000, isEven);
    assert.ok(half > 0.3 && half < 0.7, `${half}`);
    assert.equal(share({ keepsPortParity: false }, 5000, isPrivileged), 0);
  });

  test('class not kept: both classes occur', () => {
    const half = share({ keepsPortClass: false }, 5000, isPrivileged);
    assert.ok(half > 0.3 && half < 0.7, `${half}`);
    assert.equal(share({ keepsPortClass: false }, 5000, isEven), 1);
  });
});

describe('port blocks (RFC 7422)', () => {
  const blocks = (size: number, clientBits: number, clients: string[], pools: PortPool[]) =>
    compilePortBlocks(size, clientBits, clients.map(prefixOf), pools);
  const four = blocks(16, 128, ['2001:db8:1::10/126'], [pool(0, 40_000, 40_063)]);
  const harnessWith = (portBlocks = four) =>
    createHarness({ ports: [40_000, 40_063], settings: { portBlocks, portRestSeconds: 0 } });

  test('each client has its own ports, and no others', () => {
    const harness = harnessWith();
    for (let client = 0; client < 4; client++) {
      const source = `2001:db8:1::1${client}`;
      const ports = Array.from({ length: 16 }, (_, i) => portOf(harness.send(from(source, 5000 + i))));
      const first = 40_000 + client * 16;
      assert.deepEqual(
        ports.sort((a, b) => (a ?? 0) - (b ?? 0)),
        Array.from({ length: 16 }, (_, i) => first + i),
      );
      const refused = harness.send(from(source, 6000));
      assert.deepEqual([refused?.[40], refused?.[41]], [1, 3]);
    }
    assert.equal(harness.counters()['drop-pool4-exhausted'], 4);
  });

  test('one client without a free port does not affect another', () => {
    const harness = harnessWith();
    for (let i = 0; i < 17; i++) harness.send(from('2001:db8:1::10', 5000 + i));
    assert.equal(harness.counters()['drop-pool4-exhausted'], 1);
    assert.notEqual(portOf(harness.send(from('2001:db8:1::11', 5000))), undefined);
  });

  test('a client that is not listed is refused with an error', () => {
    const harness = harnessWith();
    const refused = harness.send(from('2001:db8:1::20', 5000));
    assert.deepEqual([refused?.[40], refused?.[41]], [1, 1]);
    assert.equal(harness.counters()['drop-no-port-block'], 1);
  });

  test('switching them on ends the sessions of other ports', () => {
    const harness = createHarness({ ports: [40_000, 40_063], random: () => 16 });
    harness.send(from('2001:db8:1::10', 5000));
    harness.send(from('2001:db8:1::12', 5000));
    const { translator } = harness;
    applySettings(translator, { ...translator.settings, portBlocks: four });
    // Both have ports of the third block, which belongs to the second client.
    assert.equal(translator.tables.control[CONTROL.SESSION_COUNT], 1);
  });

  test('blocks never span two pools; those of a missing address keep their numbers', () => {
    const two = blocks(16, 128, ['2001:db8:1::/126'], [pool(-1, 1000, 1040), pool(1, 2000, 2040)]);
    const block = (last: string) => {
      const found = portBlockOf(two, TRANSPORT.UDP, Int32Array.of(0x20010db8, 0x10000, 0, Number(last)));
      return found && [found.slot, found.firstPort, found.lastPort];
    };
    assert.deepEqual(['0', '1', '2', '3'].map(block), [
      undefined,
      undefined,
      [1, 2000, 2015],
      [1, 2016, 2031],
    ]);
  });

  test('any client of any list: its own ports, from which the client can be found', () => {
    const arbitrary = fc.record({
      size: fc.integer({ min: 1, max: 300 }),
      clientBits: fc.integer({ min: 40, max: 128 }),
      spread: fc.integer({ min: 0, max: 6 }),
      word: fc.integer(),
      clients: fc.array(fc.nat(63), { minLength: 2, maxLength: 2 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ size, clientBits, spread, word, clients: [a, b] }) => {
        const network = (n: bigint, bits: number) => {
          const address = n.toString(16).padStart(32, '0').match(/.{4}/g)?.join(':');
          return `${address}/${bits}`;
        };
        const base = (0x20010db8n << 96n) | (BigInt(word >>> 0) << 64n);
        const bits = clientBits - spread;
        const top = (base >> BigInt(128 - bits)) << BigInt(128 - bits);
        const compiled = blocks(
          size,
          clientBits,
          [network(top, bits)],
          [pool(0, 1024, 1024 + size * 40), pool(1, 30_000, 30_000 + size * 40)],
        );
        const wordsOf = (client: number) => {
          const address = top | (BigInt(client % 2 ** spread) << BigInt(128 - clientBits));
          return Int32Array.from([96n, 64n, 32n, 0n], (shift) => Number(BigInt.asIntN(32, address >> shift)));
        };
        const blockOf = (client: number) => portBlockOf(compiled, TRANSPORT.TCP, wordsOf(client));
        const [first, second] = [blockOf(a), blockOf(b)];
        assert.ok(first !== undefined && second !== undefined);
        assert.equal(first.lastPort - first.firstPort + 1, size);
        const isSame = a % 2 ** spread === b % 2 ** spread;
        const meet =
          first.slot === second.slot &&
          first.firstPort <= second.lastPort &&
          second.firstPort <= first.lastPort;
        assert.equal(meet, isSame);
        assert.deepEqual(clientOfPort(compiled, TRANSPORT.TCP, first.slot, first.lastPort), wordsOf(a));
      }),
    );
  });

  test('the API: ports of a client, and client of a port', () => {
    const prefixes = blocks(256, 64, ['2001:db8:1::/60'], [pool(0, 32_768, 65_535, maskOf(TRANSPORT.TCP))]);
    const view = createHarness({ settings: { portBlocks: prefixes } }).translator;
    const row = {
      protocol: 'tcp',
      client: '2001:db8:1:3::/64',
      poolAddress: POOL4,
      firstPort: 33_536,
      lastPort: 33_791,
    };
    assert.deepEqual(listPortBlocks(view, { client: '2001:db8:1:3::1:99' }), [row]);
    assert.deepEqual(listPortBlocks(view, { poolAddress: POOL4, poolPort: 33_600 }), [row]);
    assert.deepEqual(listPortBlocks(view, { client: '2001:db8:2::1' }), []);
    assert.deepEqual(listPortBlocks(view, { poolAddress: '192.0.2.1', poolPort: 33_600 }), []);
    assert.deepEqual(listPortBlocks(view, { poolAddress: POOL4, poolPort: 80 }), []);
    assert.deepEqual(listPortBlocks(createHarness().translator, { client: HOST }), []);
  });
});
