/** The translation of one packet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST, POOL4, REMOTE, createHarness } from './harness.ts';
import { TCP_FLAGS, address, icmp, tcp, udp } from './packets.ts';
import {
  IDENTIFICATION,
  REMOTE6,
  PORT,
  ONE_PORT,
  out6,
  out4,
  in4,
  in6,
  data,
  large6,
  expired6,
  zeroChecksum,
  hexOf,
  testRows,
} from './rows.ts';

testRows([
  {
    title: 'UDP out: the packet of a new session, small enough to be fragmented (N28)',
    packet: udp({ ...out6, data, trafficClass: 0xb9, flowLabel: 0x12345 }),
    out: udp({ ...out4, data, trafficClass: 0xb9 }),
  },
  {
    title: 'UDP out: above 1260 bytes DF is set and the identification 0 (N28)',
    packet: large6,
    out: udp({ ...out4, data: new Uint8Array(1400), fragment: 0x4000, identification: 0 }),
  },
  {
    title: 'UDP in: the answer',
    before: [udp(out6)],
    packet: udp({ ...in4, data, trafficClass: 0x28 }),
    out: udp({ ...in6, data, trafficClass: 0x28 }),
  },
  {
    title: 'the traffic class is ignored and a TOS octet set (RFC 7915 5.1)',
    config: { settings: { copiedClassTo4: 0, setClassTo4: 0x48 } },
    packet: udp({ ...out6, data, trafficClass: 0xb9 }),
    out: udp({ ...out4, data, trafficClass: 0x48 }),
  },
  {
    title: 'the TOS octet is ignored and the traffic class zero (RFC 7915 4.1)',
    config: { settings: { copiedClassTo6: 0 } },
    before: [udp(out6)],
    packet: udp({ ...in4, data, trafficClass: 0x2b }),
    out: udp({ ...in6, data }),
  },
  {
    title: 'the TOS octet is ignored in an error and its quoted packet, too (RFC 7915 4.2, 4.3)',
    config: { settings: { copiedClassTo6: 0 } },
    before: [udp({ ...out6, data })],
    packet: icmp({
      ...{ source: REMOTE, destination: POOL4, type: 3, code: 3, trafficClass: 0xc0 },
      data: udp({ ...out4, data, trafficClass: 0x48 }),
    }),
    out: icmp({
      ...{ source: REMOTE6, destination: HOST, type: 1, code: 4, hopLimit: 63 },
      data: udp({ ...out6, data, hopLimit: 63 }),
    }),
  },
  {
    title: 'a traffic class is ignored in an error and its quoted packet, too (RFC 7915 5.2, 5.3)',
    config: { settings: { copiedClassTo4: 0, setClassTo4: 0x48 } },
    before: [udp({ ...out6, data })],
    packet: icmp({
      ...{ source: HOST, destination: REMOTE6, type: 1, code: 4, trafficClass: 0xb9 },
      data: udp({ ...in6, data, trafficClass: 0x20 }),
    }),
    out: icmp({
      ...{ source: POOL4, destination: REMOTE, type: 3, code: 3, hopLimit: 63, trafficClass: 0x48 },
      ...{ fragment: 0, identification: IDENTIFICATION + 2 },
      data: udp({
        ...{ ...in4, data, hopLimit: 63, trafficClass: 0x48 },
        ...{ fragment: 0, identification: IDENTIFICATION + 1 },
      }),
    }),
  },
  {
    title: 'UDP in without checksum gets one (N2)',
    before: [udp(out6)],
    packet: zeroChecksum(udp({ ...in4, data })),
    out: udp({ ...in6, data }),
  },
  {
    title: 'TCP out: a SYN',
    packet: tcp({ ...out6, flags: TCP_FLAGS.SYN }),
    out: tcp({ ...out4, flags: TCP_FLAGS.SYN }),
  },
  {
    title: 'UDP in without checksum if the policy is to drop it (N2)',
    config: { settings: { dropsZeroUdpChecksum: true } },
    before: [udp(out6)],
    packet: zeroChecksum(udp({ ...in4, data })),
    out: undefined,
    drop: 'drop-udp-no-checksum',
  },
  {
    title: 'ping out',
    packet: icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 0x1234_0001, data }),
    out: icmp({ ...out4, type: 8, rest: PORT * 65_536 + 1, data }),
  },
  {
    title: 'ping back',
    before: [icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 0x1234_0001 })],
    packet: icmp({ source: REMOTE, destination: POOL4, type: 0, rest: PORT * 65_536 + 1, data }),
    out: icmp({ source: REMOTE6, destination: HOST, type: 129, rest: 0x1234_0001, data, hopLimit: 63 }),
  },
  {
    title: "the appliance's own ping: back to the kernel, unchanged",
    packet: icmp({ source: REMOTE, destination: POOL4, type: 0, rest: PORT * 65_536 + 1, data }),
    out: icmp({ source: REMOTE, destination: POOL4, type: 0, rest: PORT * 65_536 + 1, data }),
  },
  {
    title: 'a prefix of 48 bits (N17)',
    config: { prefix: '2001:db8:64::/48' },
    // 203.0 113.9 around the u-octet.
    packet: udp({ ...out6, destination: '2001:db8:64:cb00:71:900::', data }),
    out: udp({ ...out4, data }),
  },
  {
    title: 'the segment size in a SYN fits both sides, out',
    packet: tcp({ ...out6, flags: TCP_FLAGS.SYN, options: Uint8Array.from([2, 4, 0xff, 0xff]) }),
    out: tcp({ ...out4, flags: TCP_FLAGS.SYN, options: Uint8Array.from([2, 4, 5, 160]) }),
  },
  {
    title: 'the segment size in a SYN fits both sides, in, the option at an odd offset',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, flags: 18, options: Uint8Array.from([1, 2, 4, 5, 180, 0, 0, 0]) }),
    out: tcp({ ...in6, flags: 18, options: Uint8Array.from([1, 2, 4, 5, 160, 0, 0, 0]) }),
  },
  {
    title:
      "an answer to the appliance's own ping goes to the kernel, also from a private address with the well-known prefix",
    packet: icmp({
      source: '192.168.1.1',
      destination: POOL4,
      type: 0,
      rest: (PORT << 16) | 1,
      data,
      hopLimit: 1,
    }),
    out: icmp({
      source: '192.168.1.1',
      destination: POOL4,
      type: 0,
      rest: (PORT << 16) | 1,
      data,
      hopLimit: 1,
    }),
  },
]);

test('packets and bytes are counted by direction', () => {
  const harness = createHarness(ONE_PORT);
  harness.send(udp({ ...out6, data }));
  harness.send(udp({ ...in4, data }));
  assert.deepEqual(harness.counted(), {
    'packets-6to4': 1,
    'bytes-6to4': 32,
    'packets-4to6': 1,
    'bytes-4to6': 52,
    'bib-created': 1,
    'sessions-created-udp': 1,
  });
});

test('our own errors are limited, for one host more than for all', () => {
  const harness = createHarness();
  const answered = Array.from({ length: 300 }, () => harness.send(expired6)).filter(
    (packet) => packet !== undefined,
  );
  assert.equal(answered.length, 160);
  assert.equal(harness.counters()['icmp-errors-withheld'], 140);
  harness.setTime(1);
  assert.notEqual(harness.send(expired6), undefined);
});

test('the addresses of the tests are correct', () => {
  assert.equal(hexOf(address(REMOTE6)), '0064ff9b0000000000000000cb007109');
});
