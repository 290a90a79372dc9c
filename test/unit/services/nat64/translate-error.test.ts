/** ICMP errors about sessions, with the packets that they quote. */
import { HOST, OWN_IPV6, POOL4, REMOTE, eamOf } from './harness.ts';
import { concat, icmp, udp } from './packets.ts';
import {
  PORT,
  REMOTE6,
  IDENTIFICATION,
  out6,
  out4,
  in4,
  in6,
  data,
  fragments4,
  fragments6,
  big,
  EXTENSIONS,
  padTo,
  testRows,
} from './rows.ts';

/** Long enough for DF, without its fragment header. */
const long = new Uint8Array(1000);
const OWN4 = '192.0.2.9';
const OWN = { settings: { eam: eamOf([`${OWN4}/32`, `${HOST}/128`]) } };
const later4 = (source: string) =>
  fragments4(udp({ ...out4, source, hopLimit: 64, data: big }), [0, 800, 1468], 7)[1];
const aboutLater4 = icmp({ source: REMOTE, destination: POOL4, type: 11, data: later4(POOL4) });
const aboutLater6 = icmp({
  source: HOST,
  destination: REMOTE6,
  type: 1,
  code: 4,
  data: fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 7)[1],
});
const laterEcho6 = fragments6(
  icmp({ source: REMOTE6, destination: HOST, type: 128, data: big }),
  [0, 800, 1468],
  7,
)[1];
const tooBig4 = { destination: POOL4, type: 3, code: 4, rest: 1400, data: udp({ ...out4, data }) };
const fragmentedTooBig = icmp({
  ...tooBig4,
  source: '169.254.7.1',
  data: udp({ ...out4, data: new Uint8Array(24) }),
});

testRows([
  {
    title: 'an error from a router on the path (N18): port unreachable about a UDP packet',
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
      'an error from a private address still passes the well-known prefix, with our address as its source (N34, path MTU)',
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
  ...['169.254.7.1', '240.0.0.1', '0.0.0.9', '0.0.0.0', '127.0.0.1'].flatMap((router) =>
    ['64:ff9b::', '2001:db8:64::'].map((prefix) => ({
      title: `packet too big from ${router}, which is never routed, still passes (path MTU, RFC 7915 4.1), ${prefix}/96`,
      config: { prefix: `${prefix}/96` },
      before: [udp({ ...out6, destination: `${prefix}${REMOTE}`, data })],
      packet: icmp({ ...tooBig4, source: router }),
      out: icmp({
        // The well-known prefix must not represent such an address (RFC 6052 section 3.1).
        source: prefix === '64:ff9b::' ? OWN_IPV6 : `${prefix}${router}`,
        destination: HOST,
        type: 2,
        rest: 1420,
        hopLimit: 63,
        data: udp({ ...out6, destination: `${prefix}${REMOTE}`, data, hopLimit: 63 }),
      }),
    })),
  ),
  ...['224.0.0.1', '255.255.255.255'].map((router) => ({
    title: `an error from ${router}, which is not a single host: dropped (RFC 1812 5.3.7)`,
    before: [udp({ ...out6, data })],
    packet: icmp({ ...tooBig4, source: router }),
    out: undefined,
    drop: 'drop-source-invalid',
  })),
  {
    title: 'not an error, from an address that is never routed: dropped (RFC 7915 4.1)',
    before: [icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 0x1234_0001 })],
    packet: icmp({ source: '169.254.7.1', destination: POOL4, type: 0, rest: PORT * 65_536 }),
    out: undefined,
    drop: 'drop-source-invalid',
  },
  {
    title: 'an error in fragments, which no router sends, from an address that is never routed',
    before: [udp({ ...out6, data })],
    packet: fragments4(fragmentedTooBig, [0, 32, 60], 9)[0],
    out: undefined,
    drop: 'drop-source-invalid',
  },
  {
    title: 'packet too big from the IPv6 side becomes 3/4, with 20 bytes less (N31)',
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
      identification: IDENTIFICATION + 2,
      type: 3,
      code: 4,
      rest: 1380,
      data: udp({ ...in4, data, hopLimit: 63, fragment: 0, identification: IDENTIFICATION + 1 }),
    }),
  },
  {
    title: 'RFC 4884: extensions of an ICMPv4 error are kept, behind a longer quoted packet (N25)',
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
    title: 'RFC 4884: extensions of an ICMPv6 error are kept, behind at least 128 bytes (N25)',
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
      identification: IDENTIFICATION + 2,
      type: 3,
      code: 3,
      rest: 32 * 65_536,
      data: concat(
        padTo(udp({ ...in4, data, hopLimit: 63, fragment: 0, identification: IDENTIFICATION + 1 }), 128),
        EXTENSIONS,
      ),
    }),
  },
  {
    title:
      'RFC 4884: an error without a length attribute in IPv6 loses its extensions, not the quoted packet',
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
    title:
      'an ICMPv6 error and its quoted packet, both with a fragment header: its identification, DF clear (5.1.1, 5.3)',
    before: [udp(out6)],
    packet: fragments6(
      icmp({
        source: '2001:db8:ff::1',
        destination: REMOTE6,
        type: 1,
        code: 4,
        data: fragments6(udp({ ...in6, data: long }), [0, long.length + 8], 0xdead_beef)[0],
      }),
      [0, 8 + 40 + 8 + 8 + long.length],
      0x1234_5678,
    )[0],
    out: icmp({
      ...out4,
      identification: 0x5678,
      type: 3,
      code: 3,
      data: udp({ ...in4, data: long, hopLimit: 63, fragment: 0, identification: 0xbeef }),
    }),
  },
  {
    title: 'an ICMPv6 error that quotes a first fragment: identification, MF (5.3)',
    before: [udp(out6)],
    packet: icmp({
      source: '2001:db8:ff::1',
      destination: REMOTE6,
      type: 3,
      code: 0,
      data: fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 0xdead_beef)[0],
    }),
    out: icmp({
      ...out4,
      identification: IDENTIFICATION + 1,
      type: 11,
      data: fragments4(udp({ ...in4, data: big, hopLimit: 63 }), [0, 800, 1468], 0xbeef)[0],
    }),
  },
  {
    title: 'packet too big about a fragment: the next packet needs room for its fragment header, too (5.2)',
    before: [udp(out6)],
    packet: icmp({
      source: '2001:db8:ff::1',
      destination: REMOTE6,
      type: 2,
      rest: 1420,
      data: fragments6(udp({ ...in6, data: big }), [0, 800, 1468], 0xdead_beef)[0],
    }),
    out: icmp({
      ...out4,
      identification: IDENTIFICATION + 1,
      type: 3,
      code: 4,
      rest: 1392,
      data: fragments4(udp({ ...in4, data: big, hopLimit: 63 }), [0, 800, 1468], 0xbeef)[0],
    }),
  },
  {
    title: 'the packet that an ICMPv6 error quotes had DF set if it is longer than 1260 bytes (N28)',
    before: [udp(out6)],
    packet: icmp({
      source: '2001:db8:ff::1',
      destination: REMOTE6,
      type: 2,
      rest: 1400,
      data: udp({ ...in6, data: big }).slice(0, 100),
    }),
    out: icmp({
      ...out4,
      identification: IDENTIFICATION + 1,
      type: 3,
      code: 4,
      rest: 1380,
      data: udp({ ...in4, data: big, hopLimit: 63, fragment: 0x4000 }).slice(0, 80),
    }),
  },
  {
    title: 'from IPv4, about a later fragment: without ports its host is unknown (N3)',
    before: [udp(out6)],
    packet: aboutLater4,
    out: undefined,
    drop: 'drop-icmp-quote',
  },
  {
    title: 'from IPv6, about a later fragment: without ports its host is unknown (N3)',
    before: [udp(out6)],
    packet: aboutLater6,
    out: undefined,
    drop: 'drop-icmp-quote',
  },
  {
    title: 'from IPv4, about a later fragment of a host with its own address (RFC 7915 section 4.3)',
    config: OWN,
    packet: icmp({ source: REMOTE, destination: OWN4, type: 11, code: 0, data: later4(OWN4) }),
    out: icmp({
      source: REMOTE6,
      destination: HOST,
      type: 3,
      hopLimit: 63,
      data: fragments6(udp({ ...out6, data: big }), [0, 800, 1468], 7)[1],
    }),
  },
  {
    title: 'from IPv6, about a later fragment of ICMP to such a host (section 5.3)',
    config: OWN,
    packet: icmp({ source: HOST, destination: REMOTE6, type: 1, code: 4, data: laterEcho6 }),
    out: icmp({
      source: OWN4,
      destination: REMOTE,
      type: 3,
      code: 3,
      hopLimit: 63,
      fragment: 0,
      identification: IDENTIFICATION,
      data: fragments4(icmp({ source: REMOTE, destination: OWN4, type: 8, data: big }), [0, 800, 1468], 7)[1],
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
]);
