/** Rows of (title, configuration, packets in, packets out, counters), and what time does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createHarness,
  type Harness,
  type HarnessOptions,
  HOST,
  OWN_IPV6,
  POOL4,
  REMOTE,
} from './harness.ts';
import { address, type Bytes, concat, icmp, ip, readU16, TCP_FLAGS, tcp, u16, u32, udp } from './packets.ts';
import { MAX_FRAGMENTS } from '../../../../src/services/nat64/packet.ts';
import { MAX_DATAGRAMS } from '../../../../src/services/nat64/reassembly.ts';
import { MAX_STORED_SYNS } from '../../../../src/services/nat64/stored-syns.ts';
import { CONTROL } from '../../../../src/services/nat64/tables.ts';
import { seededRandom } from '../../../random.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
/** With one port in the pool, what comes out is known beforehand. */
const PORT = 40_000;
const ONE_PORT: HarnessOptions = { ports: [PORT, PORT] };
const IDENTIFICATION = seededRandom(1)() & 0xffff;

const out6 = { source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort: 53 };
const out4 = {
  source: POOL4,
  destination: REMOTE,
  sourcePort: PORT,
  destinationPort: 53,
  hopLimit: 63,
  fragment: 0,
  identification: IDENTIFICATION,
};
const in4 = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: PORT };
const in6 = { source: REMOTE6, destination: HOST, sourcePort: 53, destinationPort: 5000, hopLimit: 63 };
const data = new TextEncoder().encode('data');

interface Row {
  readonly title: string;
  readonly config?: HarnessOptions;
  /** Sent first; what becomes of them is not looked at. */
  readonly before?: readonly Bytes[];
  readonly packet: Bytes;
  readonly out: Bytes | readonly Bytes[] | undefined;
  /** The counter of the drop, if it is one. */
  readonly drop?: string;
}

const error6 = (type: number, code: number, about: Bytes, rest = 0) =>
  icmp({ source: OWN_IPV6, destination: HOST, type, code, rest, data: about.slice(0, 1232) });
const error4 = (type: number, code: number, about: Bytes, rest = 0) =>
  icmp({
    source: POOL4,
    destination: REMOTE,
    type,
    code,
    rest,
    data: about.slice(0, 548),
    trafficClass: 0xc0,
  });

/** The packet in fragments: the data between one offset and the next in each. */
function fragments4(packet: Bytes, offsets: readonly number[], identification: number, flags = 0): Bytes[] {
  return offsets.slice(1).map((to, i) =>
    ip({
      source: packet.slice(12, 16),
      destination: packet.slice(16, 20),
      protocol: packet[9],
      hopLimit: packet[8],
      identification,
      fragment: offsets[i] / 8 + (i === offsets.length - 2 ? 0 : 0x2000) + flags,
      payload: packet.slice(20 + offsets[i], 20 + to),
    }),
  );
}

function fragments6(packet: Bytes, offsets: readonly number[], identification: number): Bytes[] {
  return offsets.slice(1).map((to, i) => {
    const field = offsets[i] + (i === offsets.length - 2 ? 0 : 1);
    const header = Uint8Array.from([packet[6], 0, ...u16(field), ...u32(identification)]);
    return ip({
      source: packet.slice(8, 24),
      destination: packet.slice(24, 40),
      protocol: 44,
      hopLimit: packet[7],
      payload: concat(header, packet.slice(40 + offsets[i], 40 + to)),
    });
  });
}

/** 1468 bytes with the UDP header. */
const big = Uint8Array.from({ length: 1460 }, (_, i) => i & 255);
const bigFragment4 = fragments4(udp({ ...in4, data: new Uint8Array(1500) }), [0, 1480, 1508], 7, 0x4000)[0];
/** An extension structure with one object, as opaque to us as any. */
const EXTENSIONS = Uint8Array.from([0x20, 0, 0x12, 0x34, 0, 8, 1, 1, 1, 2, 3, 4]);
const padTo = (bytes: Uint8Array, length: number) => concat(bytes, new Uint8Array(length - bytes.length));
const large6 = udp({ ...out6, data: new Uint8Array(1400) });
const expired6 = udp({ ...out6, hopLimit: 1 });
const expired4 = udp({ ...in4, hopLimit: 1 });
const notAllowed = udp({ ...out6, source: '2001:db8:2::1' });
const toPrivate = udp({ ...out6, destination: '64:ff9b::192.168.1.1' });
const sctp6 = ip({ source: HOST, destination: REMOTE6, protocol: 132, payload: new Uint8Array(12) });
const sctp4 = ip({ source: REMOTE, destination: POOL4, protocol: 132, payload: new Uint8Array(12) });
const jumbo4 = udp({ ...in4, data: new Uint8Array(1460) });
const routed6 = ip({
  source: HOST,
  destination: REMOTE6,
  protocol: 43,
  payload: Uint8Array.from([17, 0, 0, 1, 0, 0, 0, 0]),
});
const routed4 = udp({ ...in4, options: Uint8Array.from([131, 7, 4, 203, 0, 113, 1, 0]) });

const ROWS: readonly Row[] = [
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
    title: 'UDP in from another address and port: filtering is independent of the endpoint (N8)',
    before: [udp(out6)],
    packet: udp({ ...in4, source: '192.0.2.7', sourcePort: 9, data }),
    out: udp({ ...in6, source: '64:ff9b::192.0.2.7', sourcePort: 9, data }),
  },
  {
    title: 'UDP in without checksum gets one (N2)',
    before: [udp(out6)],
    packet: zeroChecksum(udp({ ...in4, data })),
    out: udp({ ...in6, data }),
  },
  {
    title: 'UDP in without BIB entry: silence (N7)',
    packet: udp(in4),
    out: undefined,
    drop: 'drop-no-bib-entry',
  },
  {
    title: 'TCP out: a SYN',
    packet: tcp({ ...out6, flags: TCP_FLAGS.SYN }),
    out: tcp({ ...out4, flags: TCP_FLAGS.SYN }),
  },
  {
    title: 'TCP in: a SYN to a BIB entry passes (N12)',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, source: '192.0.2.7', flags: TCP_FLAGS.SYN }),
    out: tcp({ ...in6, source: '64:ff9b::192.0.2.7', flags: TCP_FLAGS.SYN }),
  },
  {
    title: 'TCP in: an unsolicited SYN: silence (N39)',
    packet: tcp({ ...in4, flags: TCP_FLAGS.SYN }),
    out: undefined,
  },
  {
    title: 'TCP in: an unsolicited SYN where policy is to drop it (N11)',
    config: { settings: { storesSyns: false } },
    packet: tcp({ ...in4, flags: TCP_FLAGS.SYN }),
    out: undefined,
    drop: 'drop-no-bib-entry',
  },
  {
    title: 'UDP in without checksum where policy is to drop it (N2)',
    config: { settings: { dropsZeroUdpChecksum: true } },
    before: [udp(out6)],
    packet: zeroChecksum(udp({ ...in4, data })),
    out: undefined,
    drop: 'drop-udp-no-checksum',
  },
  {
    title: 'address-dependent filtering: another port of an address that the host has sent to (N8)',
    config: { settings: { isAddressDependent: true } },
    before: [udp(out6)],
    packet: udp({ ...in4, sourcePort: 999, data }),
    out: udp({ ...in6, sourcePort: 999, data }),
  },
  {
    title: 'address-dependent filtering: another address (N8)',
    config: { settings: { isAddressDependent: true } },
    before: [udp(out6)],
    packet: udp({ ...in4, source: '192.0.2.7', data }),
    out: undefined,
    drop: 'drop-filtered',
  },
  {
    title: 'address-dependent filtering: a SYN from another address is stored (N12)',
    config: { settings: { isAddressDependent: true } },
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, source: '192.0.2.7', flags: TCP_FLAGS.SYN }),
    out: undefined,
  },
  {
    title: 'TCP out: what opens nothing, without BIB entry (N13)',
    packet: tcp({ ...out6, flags: TCP_FLAGS.ACK }),
    out: undefined,
    drop: 'drop-tcp-not-syn',
  },
  {
    title: 'TCP out: what opens nothing, with a BIB entry (N13)',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...out6, destinationPort: 80, flags: TCP_FLAGS.ACK }),
    out: tcp({ ...out4, destinationPort: 80, flags: TCP_FLAGS.ACK, identification: IDENTIFICATION + 1 }),
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
    title: 'hop limit used up: 3/0',
    packet: expired6,
    out: error6(3, 0, expired6),
    drop: 'drop-hop-limit',
  },
  { title: 'TTL used up: 11/0', packet: expired4, out: error4(11, 0, expired4), drop: 'drop-hop-limit' },
  {
    title: 'source not in nat64.allow: 1/1',
    packet: notAllowed,
    out: icmp({ source: OWN_IPV6, destination: '2001:db8:2::1', type: 1, code: 1, data: notAllowed }),
    drop: 'drop-not-allowed',
  },
  {
    title: 'private destination behind the well-known prefix: 1/1 (N34)',
    packet: toPrivate,
    out: error6(1, 1, toPrivate),
    drop: 'drop-non-global',
  },
  {
    title: 'private destination behind another prefix: translated (N34)',
    config: { prefix: '2001:db8:64::/96' },
    packet: udp({ ...out6, destination: '2001:db8:64::192.168.1.1', data }),
    out: udp({ ...out4, destination: '192.168.1.1', data }),
  },
  {
    title: 'a prefix of 48 bits (N17)',
    config: { prefix: '2001:db8:64::/48' },
    // 203.0 113.9 around the u-octet.
    packet: udp({ ...out6, destination: '2001:db8:64:cb00:71:900::', data }),
    out: udp({ ...out4, data }),
  },
  {
    title: 'IPv6 source inside the prefix (N5)',
    packet: udp({ ...out6, source: '64:ff9b::192.0.2.1' }),
    out: undefined,
    drop: 'drop-source-in-prefix',
  },
  {
    title: 'destination outside the prefix (N5)',
    packet: udp({ ...out6, destination: '2001:db8::1' }),
    out: undefined,
    drop: 'drop-destination',
  },
  {
    title: 'other transport, from IPv6: 1/4 (N4)',
    packet: sctp6,
    out: error6(1, 4, sctp6),
    drop: 'drop-protocol',
  },
  {
    title: 'other transport, from IPv4: 3/2 (N4)',
    packet: sctp4,
    out: error4(3, 2, sctp4),
    drop: 'drop-protocol',
  },
  {
    title: 'too big for IPv6, DF set: 3/4 with the MTU less 20 (N23)',
    before: [udp(out6)],
    packet: jumbo4,
    out: error4(3, 4, jumbo4, 1480),
    drop: 'drop-too-big',
  },
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
    title: 'routing header with segments left: 4/0 and where (N29)',
    packet: routed6,
    out: error6(4, 0, routed6, 43),
    drop: 'drop-source-route',
  },
  {
    title: 'unexpired source route: 3/5 (N23)',
    packet: routed4,
    out: error4(3, 5, routed4),
    drop: 'drop-source-route',
  },
  {
    title: 'IPv4 options are left out (N23)',
    before: [udp(out6)],
    packet: udp({ ...in4, data, options: Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0]) }),
    out: udp({ ...in6, data }),
  },
  {
    title: 'extension headers are left out (N29)',
    packet: ip({
      source: HOST,
      destination: REMOTE6,
      protocol: 0,
      payload: concat(
        Uint8Array.from([60, 0, 1, 4, 0, 0, 0, 0]),
        Uint8Array.from([17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        udp({ ...out6, data }).slice(40),
      ),
    }),
    out: udp({ ...out4, data }),
  },
  {
    title: 'no port left: 1/3 (N9)',
    before: [udp(out6)],
    packet: udp({ ...out6, sourcePort: 5001 }),
    out: error6(1, 3, udp({ ...out6, sourcePort: 5001 })),
    drop: 'drop-pool4-exhausted',
  },
  {
    title: 'an error from a router on the way (N18): port unreachable about a UDP packet',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: '198.51.100.254',
      destination: POOL4,
      type: 3,
      code: 3,
      data: udp({ ...out4, data }),
    }),
    out: icmp({
      source: '64:ff9b::198.51.100.254',
      destination: HOST,
      type: 1,
      code: 4,
      hopLimit: 63,
      data: udp({ ...out6, data, hopLimit: 63 }),
    }),
  },
  {
    title:
      'an error from a private address still arrives behind the well-known prefix, from us (N34, path MTU)',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: '192.168.1.1',
      destination: POOL4,
      type: 3,
      code: 4,
      rest: 1400,
      data: udp({ ...out4, data }),
    }), // prettier-ignore
    out: icmp({
      source: OWN_IPV6,
      destination: HOST,
      type: 2,
      rest: 1420,
      hopLimit: 63,
      data: udp({ ...out6, data, hopLimit: 63 }),
    }),
  },
  {
    title: 'packet too big from the IPv6 side becomes 3/4, 20 less (N31)',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: '2001:db8:ff::1',
      destination: REMOTE6,
      type: 2,
      rest: 1400,
      data: udp({ ...in6, data }),
    }),
    out: icmp({
      ...out4,
      identification: IDENTIFICATION + 1,
      type: 3,
      code: 4,
      rest: 1380,
      data: udp({ ...in4, data, hopLimit: 63, fragment: 0 }),
    }),
  },
  {
    title: 'RFC 4884: extensions of an ICMPv4 error are carried, behind a longer quoted packet (N25)',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: REMOTE,
      destination: POOL4,
      type: 11,
      rest: 32 * 65_536,
      data: concat(padTo(udp({ ...out4, data }), 128), EXTENSIONS),
    }),
    out: icmp({
      source: REMOTE6,
      destination: HOST,
      type: 3,
      rest: 19 * 2 ** 24,
      hopLimit: 63,
      data: concat(padTo(udp({ ...out6, data, hopLimit: 63 }), 152), EXTENSIONS),
    }),
  },
  {
    title: 'RFC 4884: extensions of an ICMPv6 error are carried, behind at least 128 bytes (N25)',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: HOST,
      destination: REMOTE6,
      type: 1,
      code: 4,
      rest: 16 * 2 ** 24,
      data: concat(padTo(udp({ ...in6, data }), 128), EXTENSIONS),
    }),
    out: icmp({
      ...out4,
      identification: IDENTIFICATION + 1,
      type: 3,
      code: 3,
      rest: 32 * 65_536,
      data: concat(padTo(udp({ ...in4, data, hopLimit: 63, fragment: 0 }), 128), EXTENSIONS),
    }),
  },
  {
    title: 'RFC 4884: an error that has no length attribute in IPv6 loses its extensions, not its quote',
    before: [udp({ ...out6, data })],
    packet: icmp({
      source: REMOTE,
      destination: POOL4,
      type: 3,
      code: 4,
      rest: 32 * 65_536 + 1400,
      data: concat(padTo(udp({ ...out4, data }), 128), EXTENSIONS),
    }),
    out: icmp({
      source: REMOTE6,
      destination: HOST,
      type: 2,
      rest: 1420,
      hopLimit: 63,
      data: padTo(udp({ ...out6, data, hopLimit: 63 }), 148),
    }),
  },
  {
    title: 'an error about the first fragment of a packet quotes a fragment (N18)',
    before: [udp(out6)],
    packet: icmp({
      source: REMOTE,
      destination: POOL4,
      type: 11,
      data: fragments4(udp({ ...out4, data: big }), [0, 8, 1468], 7)[0],
    }),
    out: icmp({
      source: REMOTE6,
      destination: HOST,
      type: 3,
      hopLimit: 63,
      data: fragments6(udp({ ...out6, data: big, hopLimit: 63 }), [0, 8, 1468], 7)[0],
    }),
  },
  {
    title: 'an error about an error (N3)',
    packet: icmp({
      source: REMOTE,
      destination: POOL4,
      type: 3,
      code: 1,
      data: icmp({ source: POOL4, destination: REMOTE, type: 3, code: 1, data: new Uint8Array(28) }),
    }),
    out: undefined,
    drop: 'drop-icmp-quote',
  },
  {
    title: 'hairpin: what one host sends to the mapping of another comes from its own mapping (N19)',
    config: { ports: [PORT, PORT + 1] },
    before: [udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 })],
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    out: udp({
      ...in6,
      source: `64:ff9b::${POOL4}`,
      destination: '2001:db8:1::11',
      sourcePort: PORT,
      destinationPort: 6001,
      data,
      hopLimit: 62,
    }),
  },
  {
    title: 'hairpin: an error about such a packet reaches the host that sent it (N40)',
    config: { ports: [PORT, PORT + 1] },
    before: [
      udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 }),
      udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    ],
    packet: icmp({
      source: '2001:db8:1::11',
      destination: `64:ff9b::${POOL4}`,
      type: 1,
      code: 4,
      data: udp({
        source: `64:ff9b::${POOL4}`,
        destination: '2001:db8:1::11',
        sourcePort: PORT,
        destinationPort: 6001,
        data,
      }),
    }),
    out: icmp({
      source: `64:ff9b::${POOL4}`,
      destination: HOST,
      type: 1,
      code: 4,
      hopLimit: 62,
      data: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    }),
  },
  {
    title: 'hairpin: the hop limit ends between the two passes; the host is told by the translator',
    config: { ports: [PORT, PORT + 1] },
    before: [udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 })],
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, hopLimit: 2 }),
    out: icmp({
      source: `64:ff9b::${POOL4}`,
      destination: HOST,
      type: 3,
      hopLimit: 63,
      trafficClass: 0xc0,
      data: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, hopLimit: 1 }),
    }),
    drop: 'drop-hop-limit',
  },
  {
    title: 'hairpin: to a port of the pool that nobody has',
    config: { ports: [PORT, PORT + 1] },
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1 }),
    out: undefined,
    drop: 'drop-no-bib-entry',
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
  {
    title: 'a SYN announces no more than fits both sides, out',
    packet: tcp({ ...out6, flags: TCP_FLAGS.SYN, options: Uint8Array.from([2, 4, 0xff, 0xff]) }),
    out: tcp({ ...out4, flags: TCP_FLAGS.SYN, options: Uint8Array.from([2, 4, 5, 160]) }),
  },
  {
    title: 'a SYN announces no more than fits both sides, in, the option at an odd place',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, flags: 18, options: Uint8Array.from([1, 2, 4, 5, 180, 0, 0, 0]) }),
    out: tcp({ ...in6, flags: 18, options: Uint8Array.from([1, 2, 4, 5, 160, 0, 0, 0]) }),
  },
];

function zeroChecksum(packet: Bytes): Bytes {
  packet.set([0, 0], 26);
  return packet;
}

const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

describe('one packet', () => {
  for (const { title, config, before = [], packet, out, drop } of ROWS) {
    test(title, () => {
      const harness = createHarness({ ...ONE_PORT, ...config });
      for (const earlier of before) harness.send(earlier);
      harness.counted();
      const expected = out === undefined ? [] : Array.isArray(out) ? out : [out as Bytes];
      assert.deepEqual(harness.sendAll(packet).map(hexOf), expected.map(hexOf));
      const dropped = Object.entries(harness.counted()).filter(([name]) => name.startsWith('drop-'));
      assert.deepEqual(dropped, drop === undefined ? [] : [[drop, 1]]);
    });
  }
});

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

test('errors of our own are limited', () => {
  const harness = createHarness();
  const answered = Array.from({ length: 300 }, () => harness.send(expired6)).filter(
    (packet) => packet !== undefined,
  );
  assert.equal(answered.length, 200);
  assert.equal(harness.counters()['icmp-errors-withheld'], 100);
  harness.setTime(1);
  assert.notEqual(harness.send(expired6), undefined);
});

const sessions = (harness: Harness) => harness.translator.tables.control[CONTROL.SESSION_COUNT];
const send6 = (flags: number) => tcp({ ...out6, flags });
const send4 = (flags: number) => tcp({ ...in4, flags });

describe('lifetimes (RFC 6146 section 4)', () => {
  const { SYN, ACK, FIN, RST } = TCP_FLAGS;
  const handshake = [send6(SYN), send4(SYN | ACK), send6(ACK)];
  const ping = icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 0x1234_0001 });

  const rows: [title: string, packets: Bytes[], seconds: number][] = [
    ['N7: UDP, 5 minutes', [udp(out6)], 300],
    ['N16: ICMP queries, 60 seconds', [ping], 60],
    ['N10: a SYN, 4 minutes', [send6(SYN)], 240],
    ['N14: an established connection, 2 h 4 min', handshake, 7440],
    ['N15: a reset, 4 minutes', [...handshake, send4(RST)], 240],
    ['N15: data after a reset, 2 h 4 min again', [...handshake, send4(RST), send6(ACK)], 7440],
    ['one FIN keeps the connection', [...handshake, send6(FIN | ACK)], 7440],
    ['N15: both FINs, 4 minutes', [...handshake, send6(FIN | ACK), send4(FIN | ACK), send6(ACK)], 240],
    ['N38: SYNs that cross establish', [send6(SYN), send4(SYN)], 7440],
  ];
  for (const [title, packets, seconds] of rows) {
    test(title, () => {
      const harness = createHarness(ONE_PORT);
      harness.setTime(1000);
      for (const packet of packets) harness.send(packet);
      harness.setTime(1000 + seconds);
      assert.equal(sessions(harness), 1, 'it lived out its time');
      const [probe] = harness.setTime(1001 + seconds);
      if (probe !== undefined) harness.setTime(1001 + seconds + 241);
      assert.equal(sessions(harness), 0);
      assert.equal(harness.counters()['bib-removed'], 1);
    });
  }

  test('N14: an established connection without traffic: the host is asked, and has 4 minutes to answer', () => {
    const harness = createHarness(ONE_PORT);
    for (const packet of handshake) harness.send(packet);
    const segment = { source: REMOTE6, destination: HOST, sourcePort: 53, destinationPort: 5000, flags: ACK };
    const probe = tcp({ ...segment, sequence: 0, acknowledgement: 0, window: 0 });
    assert.deepEqual(harness.setTime(7441).map(hexOf), [hexOf(probe)]);
    assert.deepEqual(harness.setTime(7441 + 240), []);
    assert.equal(sessions(harness), 1);
    // A host that knows the connection answers, and the session is established again.
    assert.notEqual(harness.send(send6(ACK)), undefined);
    assert.deepEqual(harness.setTime(7681 + 7440), []);
    assert.equal(harness.setTime(7681 + 7441).length, 1);
    assert.deepEqual(harness.setTime(7681 + 7441 + 241), []);
    assert.equal(sessions(harness), 0);
    assert.equal(harness.counters()['probes-sent'], 2);
  });

  test('lifetimes are what the configuration says', () => {
    const lifetimes = {
      udpSeconds: 600,
      tcpEstablishedSeconds: 20_000,
      tcpTransitorySeconds: 300,
      icmpSeconds: 90,
    };
    const rows2: [Bytes[], number][] = [
      [[udp(out6)], 600],
      [[ping], 90],
      [[send6(SYN)], 300],
      [handshake, 20_000],
    ];
    for (const [packets, seconds] of rows2) {
      const harness = createHarness({ ...ONE_PORT, settings: { lifetimes } });
      for (const packet of packets) harness.send(packet);
      for (let second = 0; second < seconds; second += 50) assert.deepEqual(harness.setTime(second), []);
      harness.setTime(seconds);
      assert.equal(sessions(harness), 1);
      if (harness.setTime(seconds + 1).length === 0) assert.equal(sessions(harness), 0);
    }
  });

  test('N11, N39: who sends an unsolicited SYN is told after 6 seconds, once', () => {
    const harness = createHarness(ONE_PORT);
    const syn = send4(SYN);
    harness.send(syn);
    harness.setTime(3);
    harness.send(syn);
    assert.deepEqual(harness.setTime(6), []);
    assert.deepEqual(harness.setTime(7).map(hexOf), [hexOf(error4(3, 3, syn))]);
    assert.deepEqual(harness.setTime(20), []);
  });

  test('N38, N39: a SYN that crosses it from the host establishes the connection; nobody is told', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(send4(SYN));
    assert.notEqual(harness.send(send6(SYN)), undefined);
    assert.deepEqual(harness.setTime(100), []);
    assert.notEqual(harness.send(send4(SYN)), undefined, 'its repetition passes');
    assert.deepEqual(harness.setTime(100 + 7440), []);
    assert.equal(sessions(harness), 1);
  });

  test('N11: only so many SYNs are stored; a stored one makes no session', () => {
    const harness = createHarness(ONE_PORT);
    for (let port = 1; port <= MAX_STORED_SYNS + 10; port++)
      harness.send(tcp({ ...in4, sourcePort: port, flags: SYN }));
    assert.equal(harness.counters()['syns-stored'], MAX_STORED_SYNS);
    assert.equal(harness.counters()['drop-no-bib-entry'], 10);
    assert.equal(sessions(harness), 0);
    harness.setTime(7);
    harness.send(tcp({ ...in4, sourcePort: 9999, flags: SYN }));
    assert.equal(harness.counters()['syns-stored'], MAX_STORED_SYNS + 1);
  });

  test('N36: traffic of both directions refreshes', () => {
    const harness = createHarness(ONE_PORT);
    for (const [second, packet] of [udp(out6), udp(in4), udp(out6), udp(in4)].entries()) {
      harness.setTime(second * 299);
      harness.send(packet);
    }
    assert.equal(sessions(harness), 1);
    harness.setTime(4 * 299 + 10);
    assert.equal(sessions(harness), 0);
  });

  test('N6, N37: ICMP errors neither refresh nor end a session', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(udp({ ...out6, data }));
    const error = icmp({
      source: REMOTE,
      destination: POOL4,
      type: 3,
      code: 3,
      data: udp({ ...out4, data }),
    });
    assert.notEqual(harness.send(error), undefined);
    assert.equal(sessions(harness), 1);
    harness.setTime(299);
    assert.notEqual(harness.send(error), undefined);
    harness.setTime(301);
    assert.equal(sessions(harness), 0);
    assert.equal(harness.send(error), undefined);
  });

  test('N20: one host and port has one mapping, whoever it talks with', () => {
    const harness = createHarness();
    const ports = ['203.0.113.9', '192.0.2.1', '198.51.100.77'].map((remote) => {
      const out = harness.send(udp({ ...out6, destination: `64:ff9b::${remote}` }));
      return out && readU16(out, 20);
    });
    assert.equal(new Set(ports).size, 1);
    assert.equal(sessions(harness), 3);
  });
});

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

test('the addresses of the tests are what they seem', () => {
  assert.equal(hexOf(address(REMOTE6)), '0064ff9b0000000000000000cb007109');
});
