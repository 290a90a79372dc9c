/** Packets that are not translated, and the error that their sender gets. */
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import { HOST, REMOTE, type HarnessOptions, prefixOf } from './harness.ts';
import { type Bytes, TCP_FLAGS, concat, icmp, ip, tcp, udp } from './packets.ts';
import {
  REMOTE6,
  out6,
  out4,
  in4,
  in6,
  data,
  error6,
  error4,
  expired6,
  extendedFragment6,
  expired4,
  sctp6,
  sctp4,
  jumbo4,
  routed6,
  routed4,
  toPrivate,
  zeroChecksum,
  fragments4,
  fragments6,
  testRows,
} from './rows.ts';
import { compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';

testRows([
  {
    title: 'hop limit used up: 3/0',
    packet: expired6,
    out: error6(3, 0, expired6),
    drop: 'drop-hop-limit',
  },
  { title: 'TTL used up: 11/0', packet: expired4, out: error4(11, 0, expired4), drop: 'drop-hop-limit' },
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
    title: 'routing header with segments left: 4/0 with the pointer (N29)',
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
    title: 'IPv4 options are removed (N23)',
    before: [udp(out6)],
    packet: udp({ ...in4, data, options: Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0]) }),
    out: udp({ ...in6, data }),
  },
  {
    title: 'extension headers are removed (N29)',
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
]);

const bare4 = zeroChecksum(udp({ ...in4, data }));
const bare6 = udp({ ...out6, data });
bare6.set([0, 0], 46);
const fromPrivate = udp({ ...in4, source: '10.1.2.3', data });
const denied: Partial<Settings> = { denied4: compileList4([prefixOf('203.0.113.0/24')]) };
const TCP_ACK = tcp({ ...out6, flags: TCP_FLAGS.ACK });

const [firstOfBig4, secondOfBig4] = fragments4(
  udp({ ...in4, data: new Uint8Array(1600) }),
  [0, 80, 1576, 1608],
  7,
  0x4000,
);

interface Refused {
  readonly title: string;
  readonly drop: string;
  readonly packet: Bytes;
  /** Type and code of the error if errors are on, and the rest of its header. */
  readonly answer: readonly [type: number, code: number, rest?: number] | 'silence';
  /** A router must send this error, whatever the settings say. */
  readonly isOwed?: boolean;
  readonly config?: HarnessOptions;
  readonly settings?: Partial<Settings>;
  readonly before?: readonly Bytes[];
}

/** Packets from IPv4 that are discarded (RFC 7915 section 4.4: 3/13 unless another is specified). */
const FROM_IPV4: readonly Refused[] = [
  { title: 'no BIB entry', drop: 'drop-no-bib-entry', packet: udp(in4), answer: [3, 13] },
  {
    title: 'filtered',
    drop: 'drop-filtered',
    before: [udp({ ...out6, destination: '64:ff9b::192.0.2.7' })],
    settings: { isAddressDependent: true },
    packet: udp(in4),
    answer: [3, 13],
  },
  {
    title: 'UDP without checksum, if the policy is to drop it',
    drop: 'drop-udp-no-checksum',
    settings: { dropsZeroUdpChecksum: true },
    packet: bare4,
    answer: [3, 13],
  },
  { title: 'denied source', drop: 'drop-denied', settings: denied, packet: udp(in4), answer: [3, 13] },
  {
    title: 'private source, which the well-known prefix must not represent',
    drop: 'drop-non-global',
    packet: fromPrivate,
    answer: [3, 13],
  },
  {
    title: 'no room for another session',
    drop: 'drop-sessions-full',
    config: { maxSessions: 1 },
    before: [udp({ ...out6, destination: '64:ff9b::192.0.2.7' })],
    packet: udp(in4),
    answer: [3, 13],
  },
  { title: 'TTL', drop: 'drop-hop-limit', packet: expired4, answer: [11, 0], isOwed: true },
  {
    title: 'too big',
    drop: 'drop-too-big',
    before: [udp(out6)],
    packet: jumbo4,
    answer: [3, 4, 1480],
    isOwed: true,
  },
  { title: 'another protocol', drop: 'drop-protocol', packet: sctp4, answer: [3, 2], isOwed: true },
  { title: 'source route', drop: 'drop-source-route', packet: routed4, answer: [3, 5], isOwed: true },
  // RFC 1122 section 3.2.2, RFC 1812 sections 5.2.2 and 5.3.7.
  {
    title: 'an error',
    drop: 'drop-no-bib-entry',
    packet: icmp({ source: REMOTE, destination: in4.destination, type: 3, code: 3, data: udp(out4) }),
    answer: 'silence',
  },
  {
    title: 'a source that is not a host',
    drop: 'drop-source-invalid',
    packet: udp({ ...in4, source: '127.0.0.1' }),
    answer: 'silence',
  },
  {
    title: 'an ICMP message that does not exist in IPv6',
    drop: 'drop-icmp-type',
    packet: icmp({ source: REMOTE, destination: in4.destination, type: 13, rest: 1 }),
    answer: 'silence',
  },
  {
    title: 'a wrong header checksum',
    drop: 'drop-bad-checksum',
    packet: Uint8Array.from(udp(in4), (byte, at) => (at === 8 ? byte - 1 : byte)),
    answer: 'silence',
  },
  {
    title: 'the second fragment of a packet that is too big',
    drop: 'drop-too-big',
    before: [udp(out6), firstOfBig4],
    packet: secondOfBig4,
    answer: 'silence',
  },
];

/** Packets from IPv6 that are discarded (section 5.4: 1/1 unless another is specified). */
const FROM_IPV6: readonly Refused[] = [
  {
    title: 'denied destination',
    drop: 'drop-denied',
    settings: denied,
    packet: udp(out6),
    answer: [1, 1],
  },
  { title: 'private destination', drop: 'drop-non-global', packet: toPrivate, answer: [1, 1] },
  {
    title: 'UDP without checksum, if the policy is to drop it',
    drop: 'drop-udp-no-checksum',
    settings: { dropsZeroUdpChecksum6: true },
    packet: bare6,
    answer: [1, 1],
  },
  {
    title: 'a host without IPv4 address',
    drop: 'drop-untranslatable',
    settings: { isStateless: true },
    packet: udp(out6),
    answer: [1, 1],
  },
  {
    title: 'no address yet',
    drop: 'drop-no-pool4',
    settings: { pools: [] },
    packet: udp(out6),
    answer: [1, 3],
  },
  {
    title: 'no room for another session',
    drop: 'drop-sessions-full',
    config: { maxSessions: 1 },
    before: [udp({ ...out6, destination: '64:ff9b::192.0.2.7' })],
    packet: udp(out6),
    answer: [1, 3],
  },
  {
    title: 'more than the limit of a client',
    drop: 'drop-client-limit',
    settings: { maxMappingsPerClient: 0 },
    packet: udp(out6),
    answer: [1, 3],
  },
  { title: 'another protocol', drop: 'drop-protocol', packet: sctp6, answer: [1, 4] },
  // RFC 7915 section 5.1.1: except ESP, which is a protocol like any other.
  ...[0, 43, 44, 51, 60, 135, 139, 140].map(
    (extension): Refused => ({
      title: `extension header ${extension} behind the fragment header`,
      drop: 'drop-fragment-extension',
      packet: extendedFragment6(extension),
      answer: [1, 1],
    }),
  ),
  {
    title: 'ESP behind the fragment header',
    drop: 'drop-protocol',
    packet: extendedFragment6(50),
    answer: [1, 4],
  },
  { title: 'routing header', drop: 'drop-source-route', packet: routed6, answer: [4, 0, 43] },
  { title: 'hop limit', drop: 'drop-hop-limit', packet: expired6, answer: [3, 0], isOwed: true },
  {
    title: 'too big',
    drop: 'drop-too-big',
    settings: { mtu4Bytes: 1280 },
    packet: udp({ ...out6, data: new Uint8Array(1300) }),
    answer: [2, 0, 1300],
    isOwed: true,
  },
  // RFC 4443 section 2.4 e.
  {
    title: 'an error behind a routing header',
    drop: 'drop-source-route',
    packet: ip({
      source: HOST,
      destination: out6.destination,
      protocol: 43,
      payload: concat(Uint8Array.from([58, 0, 0, 1, 0, 0, 0, 0, 1, 4]), new Uint8Array(54)),
    }),
    answer: 'silence',
  },
  {
    title: 'a fragment of an error, from a source that is not in nat64.allow',
    drop: 'drop-not-allowed',
    packet: fragments6(
      icmp({ source: '2001:db8:2::1', destination: out6.destination, type: 1, data: udp(in6) }),
      [0, 24, 56],
      7,
    )[1],
    answer: 'silence',
  },
  // N5, N13
  {
    title: 'a destination that is not translated',
    drop: 'drop-destination',
    packet: udp({ ...out6, destination: '2001:db8:ffff::1' }),
    answer: 'silence',
  },
  {
    title: 'a source inside the prefix',
    drop: 'drop-source-in-prefix',
    packet: udp({ ...out6, source: '64:ff9b::192.0.2.1' }),
    answer: 'silence',
  },
  {
    title: 'a segment that opens no connection',
    drop: 'drop-tcp-not-syn',
    packet: TCP_ACK,
    answer: 'silence',
  },
];

const WAYS = [
  ['IPv4', FROM_IPV4],
  ['IPv6', FROM_IPV6],
] as const;
for (const [version, discarded] of WAYS)
  for (const answersRefused of [true, false])
    testRows(
      discarded.map(({ title, drop, packet, answer, isOwed, config, settings, before = [] }) => {
        const isAnswered = answer !== 'silence' && (answersRefused || isOwed);
        const about = isAnswered
          ? version === 'IPv4'
            ? error4(answer[0], answer[1], packet, answer[2])
            : error6(answer[0], answer[1], packet, answer[2])
          : undefined;
        return {
          title: `from ${version}, ${title}, with ICMP errors ${answersRefused ? 'on' : 'off'}: ${isAnswered ? answer.join('/') : 'silence'}`,
          config: {
            ...config,
            settings: { ...settings, answersRefused4: answersRefused, answersRefused6: answersRefused },
          },
          before,
          packet,
          out: about && (version === 'IPv4' ? toSender(about, packet) : about),
          drop,
        };
      }),
    );

/** An error of `error4`, to the sender of the packet. */
function toSender(error: Bytes, packet: Bytes): Bytes {
  const sender = packet.slice(12, 16);
  const [type, code] = error.slice(20);
  const rest = new DataView(error.buffer).getUint32(24);
  return icmp({
    ...{ source: in4.destination, destination: sender, type, code, rest },
    ...{ data: error.slice(28), trafficClass: 0xc0 },
  });
}
