/** The memory of fragments under attack: the source with the most loses first, and known peers are not affected. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  addDatagram,
  findDatagram,
  proveDatagram,
  removeDatagram,
} from '../../../../src/services/nat64/tables/fragment-memory.ts';
import { PLACE, addFragment, placeOf } from '../../../../src/services/nat64/tables/fragment-pieces.ts';
import { COUNTER } from '../../../../src/services/nat64/counters.ts';
import { checkFragmentMemory, datagramsOf } from './fragment-invariants.ts';
import { HOST, type Harness, POOL4, REMOTE, createHarness } from './harness.ts';
import { type Bytes, address, checksum, ip, u16, udp } from './packets.ts';
import { ONE_PORT, big, fragments4, fragments6, hexOf, in4, in6, out4, out6 } from './rows.ts';
import {
  MAX_DATAGRAMS,
  createFragmentMemory,
} from '../../../../src/services/nat64/tables/fragment-records.ts';

/** Packets that differ only in source and identification, made by changing a template. */
function varied(template: Bytes): (source: string, identification: number) => Bytes {
  return (source, identification) => {
    const packet = template.slice();
    packet.set(address(source), 12);
    packet.set(u16(identification), 4);
    packet.set([0, 0], 10);
    packet.set(u16(checksum(packet.subarray(0, 20))), 10);
    return packet;
  };
}
const later = { source: REMOTE, destination: POOL4, protocol: 17, fragment: 0x2000 | 100 };
/** A lone fragment of 28 bytes from the middle of a datagram, and one of full size. */
const lone4 = varied(ip({ ...later, payload: new Uint8Array(8) }));
const large4 = varied(ip({ ...later, payload: new Uint8Array(1480) }));
/** A first fragment that may pass, without any later fragment. */
const first4 = varied(fragments4(udp({ ...in4, data: big }), [0, 800, 1468], 0)[0]);
const lone6 = (source: string, identification: number): Bytes =>
  fragments6(udp({ ...out6, source, data: big.subarray(0, 100) }), [0, 64, 72, 108], identification)[1];
const address4 = (i: number) => `203.0.${i >> 8}.${i & 255}`;

interface Attack {
  readonly title: string;
  readonly packet: (i: number) => Bytes;
}

/** Each attack sends twice as many packets as there are places. */
const ATTACKS: readonly Attack[] = [
  { title: 'one address, lone fragments', packet: (i) => lone4('192.0.2.66', i) },
  { title: 'many addresses, lone fragments', packet: (i) => lone4(address4(i), i >> 16) },
  { title: 'one address, large fragments', packet: (i) => large4('192.0.2.66', i) },
  { title: 'many addresses, large fragments', packet: (i) => large4(address4(i), i >> 16) },
  { title: 'one address, first fragments to an open port', packet: (i) => first4('192.0.2.66', i) },
  { title: 'many addresses, first fragments to an open port', packet: (i) => first4(address4(i), i >> 16) },
];

const pieces = fragments4(udp({ ...in4, data: big }), [0, 800, 1468], 0x7777);
const outs = fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 0x7777).map(hexOf);

const attacked = (): Harness => {
  const harness = createHarness({ ...ONE_PORT, maxSessions: 65_536 });
  harness.send(udp(out6));
  return harness;
};
const flood = (harness: Harness, packet: (i: number) => Bytes, from: number, count: number) => {
  for (let i = from; i < from + count; i++) harness.sendAll(packet(i & 0xffff));
};

describe("one host floods, another's datagrams pass", () => {
  for (const { title, packet } of ATTACKS) {
    for (const [order, first, second] of [
      ['in order', 0, 1],
      ['in reverse order', 1, 0],
    ] as const) {
      test(`${title}; the other's ${order}`, () => {
        const harness = attacked();
        flood(harness, packet, 0, MAX_DATAGRAMS * 2);
        const sent = harness.sendAll(pieces[first]);
        // Packets of the attack in between: ten times as many as arrive between two fragments of one sender.
        flood(harness, packet, MAX_DATAGRAMS * 2, 500);
        sent.push(...harness.sendAll(pieces[second]));
        assert.deepEqual(sent.map(hexOf), outs);
        const { from4 } = harness.translator.fragments;
        assert.ok(from4 !== undefined && from4.datagrams <= MAX_DATAGRAMS);
        checkFragmentMemory(from4);
        assert.ok(harness.counters()['datagrams-given-up'] > 0);
      });
    }
  }

  test('the IPv4 side cannot touch the IPv6 side', () => {
    const harness = attacked();
    const [up0, up1] = fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 7);
    harness.sendAll(up1);
    flood(harness, (i) => large4(address4(i), 0), 0, MAX_DATAGRAMS * 2);
    assert.deepEqual(
      harness.sendAll(up0).map(hexOf),
      fragments4(udp({ ...out4, data: big }), [0, 800, 1468], 7).map(hexOf),
    );
  });

  test('all addresses of a /64 are one client', () => {
    const harness = createHarness({ ...ONE_PORT, allow: ['2001:db8::/32'] });
    const [up0, up1] = fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 7);
    // One /64 takes all the room before the other host sends.
    flood(harness, (i) => lone6(`2001:db8:2::${(i + 1).toString(16)}`, i), 0, MAX_DATAGRAMS);
    harness.sendAll(up1);
    flood(harness, (i) => lone6(`2001:db8:2::${(i + 1).toString(16)}`, i), MAX_DATAGRAMS, MAX_DATAGRAMS * 2);
    assert.equal(harness.sendAll(up0).length, 2, HOST);
  });

  test('a single datagram of the largest size does not count as greedy', () => {
    const harness = attacked();
    const data = Uint8Array.from({ length: 60_000 }, (_, i) => i & 255);
    const offsets = Array.from({ length: 42 }, (_, i) => Math.min(i * 1480, 60_008));
    const all = fragments4(udp({ ...in4, data }), offsets, 9).reverse();
    const last = all.pop() as Bytes;
    for (const each of all) assert.deepEqual(harness.sendAll(each), []);
    flood(harness, (i) => lone4('192.0.2.66', i), 0, MAX_DATAGRAMS * 2);
    assert.equal(harness.sendAll(last).length, 81, 'each of 1480 bytes in two');
  });
});

test('memory is counted by real size: thousands of lone fragments can wait at the same time', () => {
  const harness = attacked();
  flood(harness, (i) => lone4(address4(i), 0), 0, MAX_DATAGRAMS);
  assert.equal(harness.counters()['drop-fragment-memory'], 0);
  const { from4 } = harness.translator.fragments;
  assert.equal(from4?.datagrams, MAX_DATAGRAMS);
  assert.equal(from4?.blocks.size - from4?.blocks.free, MAX_DATAGRAMS);
});

test('any order of operations: every block is in one place, and counted once', () => {
  const operation = fc.record({
    what: fc.constantFrom('add', 'add', 'add', 'add', 'prove', 'remove'),
    owner: fc.nat(5),
    datagram: fc.nat(9),
    from: fc.nat(20),
    blocks: fc.nat(4),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const memory = createFragmentMemory(7, 7, 31);
      const counters = new Float64Array(Object.keys(COUNTER).length);
      for (const { what, owner, datagram: id, from, blocks } of operations) {
        memory.key.fill(0);
        memory.key[0] = id;
        memory.key[1] = owner;
        memory.client.set([0, 0, 0xffff, owner]);
        const found = findDatagram(memory);
        if (what === 'remove' && found !== 0)
          removeDatagram(memory, found, counters, COUNTER['drop-fragment-timeout']);
        else if (what === 'prove' && found !== 0) proveDatagram(memory, found);
        else if (what === 'add') {
          const datagram = found === 0 ? addDatagram(memory, counters, 0) : found;
          const place = placeOf(memory, datagram, from * 8, from * 8 + 8, true);
          const bytes = blocks === 0 ? undefined : new Uint8Array(blocks * 200);
          if (place >= 0)
            addFragment(memory, counters, datagram, place, ((from * 8) << 16) | (from * 8 + 8), bytes, 20);
          else assert.ok(place === PLACE.DUPLICATE);
        }
        checkFragmentMemory(memory);
      }
      for (const datagram of datagramsOf(memory))
        removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-timeout']);
      checkFragmentMemory(memory);
      assert.equal(memory.blocks.free, memory.blocks.size);
      assert.deepEqual(
        memory.shares.map(({ usedSlots, usedUnits }) => usedSlots + usedUnits),
        [0, 0],
      );
    }),
    { numRuns: 300 },
  );
});
