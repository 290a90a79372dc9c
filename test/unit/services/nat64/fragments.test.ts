/** Fragments, put together and cut. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_FRAGMENTS } from '../../../../src/services/nat64/fragment-memory.ts';
const MAX_DATAGRAMS = 64;
import { POOL4, REMOTE, createHarness } from './harness.ts';
import { ip, udp } from './packets.ts';
import {
  ONE_PORT,
  out6,
  out4,
  in4,
  in6,
  data,
  error4,
  fragments4,
  fragments6,
  big,
  bigFragment4,
  zeroChecksum,
  testRows,
} from './rows.ts';

testRows([
  {
    title: 'too big for IPv6, DF clear: fragments of at most 1280 bytes (N22)',
    before: [udp(out6)],
    packet: udp({ ...in4, data: big, fragment: 0, identification: 0xbeef }),
    out: fragments6(udp({ ...in6, data: big }), [0, 1232, 1468], 0xbeef),
  },
  {
    title: 'lowestIpv6MtuBytes: fits, and so needs no fragment header (N22)',
    config: { settings: { lowestIpv6MtuBytes: 1500 } },
    before: [udp(out6)],
    packet: udp({ ...in4, data: new Uint8Array(1400), fragment: 0, identification: 0xbeef }),
    out: udp({ ...in6, data: new Uint8Array(1400) }),
  },
  {
    title:
      'fragments from IPv6, the last first: cut at the same places, identification cut to 16 bits (N1, N30)',
    before: [fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 0xdead_beef)[1]],
    packet: fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 0xdead_beef)[0],
    out: fragments4(udp({ ...out4, data: big }), [0, 800, 1468], 0xbeef),
  },
  {
    title: 'fragments from IPv4: cut at the same places, and where they are longer than 1280 bytes (N1)',
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
    title: 'a fragment that is all of its datagram is no fragment (RFC 6946)',
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
    title: 'a fragment in the middle that is no multiple of 8',
    packet: fragments4(udp({ ...in4, data }), [0, 9, 12], 7)[0],
    out: undefined,
    drop: 'drop-fragment-bad',
  },
  {
    title: 'a fragment too big for IPv6, DF set: 3/4 with what fits beside a fragment header (N23)',
    before: [udp(out6)],
    packet: bigFragment4,
    out: error4(3, 4, bigFragment4, 1472),
    drop: 'drop-too-big',
  },
  {
    title: "a datagram of the appliance's own in fragments: back to the kernel in one piece",
    before: [fragments4(udp({ ...in4, destinationPort: 53, data: big }), [0, 800, 1468], 7)[1]],
    packet: fragments4(udp({ ...in4, destinationPort: 53, data: big }), [0, 800, 1468], 7)[0],
    out: udp({ ...in4, destinationPort: 53, data: big, fragment: 0, identification: 7 }),
  },
]);

describe('reassembly (N1)', () => {
  const pieces = (identification: number) =>
    fragments4(udp({ ...in4, data: big }), [0, 800, 1468], identification);

  test('what comes within 30 seconds is put together, later it is not', () => {
    for (const [seconds, count] of [
      [30, 2],
      [31, 0],
    ] as const) {
      const harness = createHarness(ONE_PORT);
      harness.send(udp(out6));
      harness.send(pieces(1)[0]);
      harness.setTime(seconds);
      assert.equal(harness.sendAll(pieces(1)[1]).length, count);
    }
  });

  test('of too many at a time, those that have waited 2 seconds give way, and no others', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(udp(out6));
    for (let id = 0; id < MAX_DATAGRAMS; id++) harness.send(pieces(id)[0]);
    harness.setTime(2);
    harness.send(pieces(1000)[0]);
    assert.equal(harness.counters()['drop-fragment-memory'], 1);
    assert.equal(harness.sendAll(pieces(5)[1]).length, 2, 'all others are still there');
    harness.send(pieces(5)[0]);
    harness.setTime(3);
    assert.equal(harness.sendAll(pieces(1000)[0]).length, 0);
    assert.equal(harness.sendAll(pieces(1000)[1]).length, 2, 'in the place of the oldest');
    assert.equal(harness.counters()['drop-fragment-memory'], 1);
  });

  test('a datagram in more fragments than there is room for', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(udp(out6));
    const offsets = Array.from({ length: MAX_FRAGMENTS + 2 }, (_, i) => i * 8);
    const packet = udp({ ...in4, data: new Uint8Array(1200) });
    for (const fragment of fragments4(packet, offsets, 1)) assert.equal(harness.send(fragment), undefined);
    assert.equal(harness.counters()['drop-fragment-memory'], 1);
  });

  test('fragments that claim a datagram beyond 64 KiB', () => {
    const harness = createHarness(ONE_PORT);
    const packet = ip({ source: REMOTE, destination: POOL4, protocol: 17, fragment: 0x1fff, payload: data });
    assert.equal(harness.send(packet), undefined);
    assert.deepEqual(harness.counted(), { 'drop-fragment-bad': 1 });
  });
});
