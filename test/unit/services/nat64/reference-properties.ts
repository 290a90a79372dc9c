/**
 * The optimised translator against the clear one, on random packets: well-formed, mutated, and plain random bytes. The unit
 * tests try a few of them, `npm run fuzz -- --only nat64-reference` as many as it is told.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findBibByHost } from '../../../../src/services/nat64/bib.ts';
import { BIB, RECORD_WORDS } from '../../../../src/services/nat64/tables.ts';
import { type Harness, POOL4, OWN_IPV6, createHarness } from './harness.ts';
import {
  type Bytes,
  address,
  assertWellFormed,
  concat,
  icmp,
  ip,
  ipv4,
  ipv6,
  readU16,
  readU32,
  tcp,
  u16,
  udp,
} from './packets.ts';
import { type Choices, ReferenceNat64 } from './reference.ts';

/** Few hosts, remotes and ports, so that packets meet each other's sessions. */
const host = fc.constantFrom('2001:db8:1::10', '2001:db8:1::11');
const remote = fc.constantFrom('203.0.113.9', '192.0.2.1');
const port = fc.constantFrom(53, 1024, 40_001, 65_535);
/** The pool is small enough for inbound packets to find mappings. */
const PORTS = [40_000, 40_007] as const;
const mappedPort = fc.integer({ min: PORTS[0] - 1, max: PORTS[1] + 1 });
const data = fc.uint8Array({ maxLength: 64 }).map((bytes) => concat(bytes));
const longData = fc.integer({ min: 1150, max: 1480 }).map((length) => new Uint8Array(length).fill(0x5a));
const flags = fc.constantFrom(2, 2, 2, 16, 18, 17, 4, 20, 1, 0, 255);
const common = {
  hopLimit: fc.constantFrom(64, 64, 64, 64, 64, 255, 2, 1, 0),
  trafficClass: fc.integer({ min: 0, max: 255 }),
};
const anyData = fc.oneof({ weight: 6, arbitrary: data }, { weight: 1, arbitrary: longData });
const NO_PREFIX_OCTET = '64:ff9b::';

const outbound = (fields: { source: string; remote: string }) => ({
  source: fields.source,
  destination: `${NO_PREFIX_OCTET}${fields.remote}`,
});

const tcp6 = fc
  .record({ source: host, remote, sourcePort: port, destinationPort: port, flags, data: anyData, ...common })
  .map((fields) => tcp({ ...fields, ...outbound(fields) }));
const udp6 = fc
  .record({ source: host, remote, sourcePort: port, destinationPort: port, data: anyData, ...common })
  .map((fields) => udp({ ...fields, ...outbound(fields) }));
const echo6 = fc
  .record({
    source: host,
    remote,
    type: fc.constantFrom(128, 129, 135),
    rest: port,
    data: anyData,
    ...common,
  })
  .map((fields) => icmp({ ...fields, ...outbound(fields), rest: fields.rest * 65536 + 7 }));
const withExtensions = fc
  .record({ inner: udp6, kind: fc.constantFrom(0, 43, 44, 60, 51), segmentsLeft: fc.constantFrom(0, 0, 1) })
  .map(({ inner, kind, segmentsLeft }) =>
    ipv6({
      source: inner.slice(8, 24),
      destination: inner.slice(24, 40),
      protocol: kind,
      payload: concat(Uint8Array.from([inner[6], 0, 0, segmentsLeft, 0, 0, 0, 0]), inner.slice(40)),
    }),
  );

const inbound = (fields: { source: string }) => ({ source: fields.source, destination: POOL4 });
const fragment = fc.constantFrom(0x4000, 0x4000, 0x4000, 0x4000, 0x4000, 0, 0, 0x2000, 100);
const options = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  Uint8Array.from([1, 1, 1, 0]),
  Uint8Array.from([131, 3, 4, 0]),
  Uint8Array.from([137, 7, 4, 203, 0, 113, 1, 0]),
  Uint8Array.from([7, 9, 0, 0]),
);
const fields4 = { source: remote, fragment, options, ...common };
type WithOptions = { options: Uint8Array | undefined };
const definedOptions = <T extends WithOptions>({ options, ...rest }: T) =>
  options === undefined ? rest : { ...rest, options };

const tcp4 = fc
  .record({ ...fields4, sourcePort: port, destinationPort: mappedPort, flags, data: anyData })
  // The options of the packet are those of IPv4 here, not of TCP.
  .map(({ options: ipOptions, ...fields }) => {
    const plain = tcp({ ...fields, ...inbound(fields) });
    return ipOptions === undefined ? plain : reheader(plain, ipOptions, fields.fragment);
  });
const udp4 = fc
  .record({ ...fields4, sourcePort: port, destinationPort: mappedPort, data: anyData, bare: fc.boolean() })
  .map(({ bare, ...fields }) => {
    const packet = udp({ ...definedOptions(fields), ...inbound(fields) });
    if (bare) packet.set([0, 0], (packet[0] & 15) * 4 + 6);
    return packet;
  });
const echo4 = fc
  .record({ ...fields4, type: fc.constantFrom(0, 8, 13), rest: mappedPort, data: anyData })
  .map((fields) => icmp({ ...definedOptions(fields), ...inbound(fields), rest: fields.rest * 65536 + 7 }));

function reheader(packet: Bytes, ipOptions: Uint8Array, fragmentField: number): Bytes {
  return ipv4({
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    protocol: packet[9],
    payload: packet.slice(20),
    hopLimit: packet[8],
    trafficClass: packet[1],
    fragment: fragmentField,
    options: ipOptions,
  });
}

/** Errors quote packets as the translator would have sent them, most of the time. */
const error4 = fc
  .record({
    source: fc.constantFrom('203.0.113.9', '198.51.100.254', '10.1.2.3', '127.0.0.1'),
    quotedRemote: remote,
    kind: fc.constantFrom('tcp', 'udp', 'icmp'),
    mappedPort,
    port,
    type: fc.constantFrom(3, 3, 3, 11, 12, 4, 5),
    code: fc.integer({ min: 0, max: 16 }),
    rest: fc.constantFrom(0, 1, 576, 1300, 1480, 0xffff, 0x0400_0000, 0x1000_0000, 0x0020_0000),
    quotedData: fc.oneof(data, longData),
    cut: fc.constantFrom(28, 27, 36, 60, 148, 1500),
    quotedFragment: fc.constantFrom(undefined, undefined, 0x2000, 0x6000, 0x2001),
    extensions: fc.option(fc.constantFrom(4, 12, 600, 1300), { nil: 0 }),
    ...common,
  })
  .map((fields) => {
    const quoted = quotedPacket(
      POOL4,
      fields.quotedRemote,
      fields.kind,
      fields.mappedPort,
      fields.port,
      fields.quotedData,
      [8, 0],
    ); // prettier-ignore
    if (fields.quotedFragment !== undefined) quoted.set(u16(fields.quotedFragment), 6);
    return icmp({
      ...fields,
      destination: POOL4,
      ...extended(quoted.slice(0, fields.cut), fields.extensions, 4, 65_536, fields.rest),
    });
  });

const error6 = fc
  .record({
    source: fc.constantFrom('2001:db8:1::10', '2001:db8:ffff::1'),
    quotedRemote: remote,
    peer: fc.constantFrom('203.0.113.9', '203.0.113.9', '10.0.0.1', '127.0.0.1'),
    host,
    kind: fc.constantFrom('tcp', 'udp', 'icmp'),
    hostPort: port,
    port,
    type: fc.constantFrom(1, 1, 2, 3, 4, 100),
    code: fc.integer({ min: 0, max: 6 }),
    rest: fc.constantFrom(0, 4, 6, 7, 20, 39, 40, 1280, 1400, 9000, 0x0700_0000, 0xffff_ffff),
    quotedData: fc.oneof(data, longData),
    cut: fc.constantFrom(48, 47, 56, 80, 168, 1232),
    quotedFragment: fc.constantFrom(undefined, undefined, 1, 0, 9),
    extensions: fc.option(fc.constantFrom(4, 12, 600), { nil: 0 }),
    ...common,
  })
  .map((fields) => {
    const from = `${NO_PREFIX_OCTET}${fields.quotedRemote}`;
    const quoted = quotedPacket(
      from,
      fields.host,
      fields.kind,
      fields.port,
      fields.hostPort,
      fields.quotedData,
      [129, 128],
    ); // prettier-ignore
    const cut = fields.quotedFragment === undefined ? quoted : asFragment6(quoted, fields.quotedFragment);
    return icmp({
      ...fields,
      destination: `${NO_PREFIX_OCTET}${fields.peer}`,
      ...extended(cut.slice(0, fields.cut), fields.extensions, 8, 2 ** 24, fields.rest),
    });
  });

/** What an error quotes, with extensions behind it and the length attribute that tells (RFC 4884). */
function extended(quote: Uint8Array, extensionBytes: number, unit: number, factor: number, rest: number) {
  if (extensionBytes === 0) return { data: quote, rest };
  const length = Math.min(Math.max(Math.ceil(quote.length / unit), 128 / unit), 255);
  const padded = new Uint8Array(length * unit);
  padded.set(quote.slice(0, padded.length));
  const extensions = Uint8Array.from({ length: extensionBytes }, (_, i) => 0x20 + (i & 15));
  return { data: concat(padded, extensions), rest: length * factor };
}

const asFragment6 = (packet: Bytes, field: number) =>
  ipv6({
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
    protocol: 44,
    payload: concat(Uint8Array.from([packet[6], 0, ...u16(field), 0xde, 0xad, 0xbe, 0xef]), packet.slice(40)),
  });

function quotedPacket(
  source: string,
  destination: string,
  kind: string,
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array,
  [echoType]: readonly number[],
): Bytes {
  if (kind === 'tcp') return tcp({ source, destination, sourcePort, destinationPort, data: payload });
  if (kind === 'udp') return udp({ source, destination, sourcePort, destinationPort, data: payload });
  const identifier = echoType === 8 ? sourcePort : destinationPort;
  return icmp({ source, destination, type: echoType, rest: identifier * 65536 + 1, data: payload });
}

const INWARD = { source: '203.0.113.9', destination: POOL4 };
const OUTWARD = { source: '2001:db8:1::10', destination: '64:ff9b::203.0.113.9' };
const otherProtocol = fc
  .record({ isIpv4: fc.boolean(), protocol: fc.constantFrom(41, 132, 59), payload: data })
  .map(({ isIpv4, protocol, payload }) => ip({ ...(isIpv4 ? INWARD : OUTWARD), protocol, payload }));
const anyIcmp = fc
  .record({ isIpv4: fc.boolean(), type: fc.nat(255), code: fc.nat(255), rest: fc.nat(0xffffffff), data })
  .map(({ isIpv4, ...fields }) => icmp({ ...(isIpv4 ? INWARD : OUTWARD), ...fields }));

const strange6 = fc
  .record({
    source: fc.constantFrom(
      '::1',
      'fe80::1',
      'ff02::1',
      '64:ff9b::203.0.113.9',
      '2001:db8:2::1',
      '::ffff:203.0.113.9',
      '::',
    ), // prettier-ignore
    destination: fc.constantFrom(
      '64:ff9b::10.0.0.1',
      '64:ff9b::203.0.113.9',
      '64:ff9b::127.0.0.1',
      '64:ff9b::198.51.100.1',
      '2001:db8::1',
      'ff02::1',
    ), // prettier-ignore
    sourcePort: port,
    destinationPort: fc.constantFrom(80, 40_003),
  })
  .map((fields) => udp(fields));
const toPool = {
  source: host,
  destination: fc.constant(`64:ff9b::${POOL4}`),
  sourcePort: port,
  destinationPort: mappedPort,
  data: anyData,
  flags,
  ...common,
};
const hairpin = fc.oneof(
  fc.record(toPool).map((fields) => udp(fields)),
  fc.record(toPool).map((fields) => tcp(fields)),
  // An error about what came from another host's mapping.
  fc
    .record({ ...toPool, router: fc.constantFrom('2001:db8:ffff::1', '2001:db8:1::10'), isTcp: fc.boolean() })
    .map(({ router, source, destination, sourcePort, destinationPort, isTcp, ...fields }) =>
      icmp({
        ...fields,
        source: router,
        destination,
        type: 1,
        code: 3,
        data: (isTcp ? tcp : udp)({
          source: destination,
          destination: source,
          sourcePort: destinationPort,
          destinationPort: sourcePort,
        }),
      }),
    ),
);
const tcpOptions = fc.oneof(
  fc.constantFrom([2, 4, 5, 180], [1, 2, 4, 9, 0, 0, 0, 0], [2, 4, 4, 0], [3, 3, 7, 2, 4, 255, 255, 0]),
  fc.constantFrom([2, 3, 1, 0], [2, 4, 0xff], [30, 0, 0, 0], [8, 9, 1, 1]),
);
const synOptions = fc
  .record({ isOut: fc.boolean(), host, remote, port, mappedPort, flags: fc.constantFrom(2, 18), tcpOptions })
  .map(({ isOut, ...fields }) => {
    const padded = [...fields.tcpOptions, 0, 0, 0].slice(0, Math.ceil(fields.tcpOptions.length / 4) * 4);
    const segment = { flags: fields.flags, options: Uint8Array.from(padded), destinationPort: 53 };
    return isOut
      ? tcp({
          ...segment,
          source: fields.host,
          destination: `64:ff9b::${fields.remote}`,
          sourcePort: fields.port,
        })
      : tcp({
          ...segment,
          source: fields.remote,
          destination: POOL4,
          sourcePort: 53,
          destinationPort: fields.mappedPort,
        });
  });

const bigData = fc
  .integer({ min: 40, max: 5000 })
  .map((length) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255));
/** Packets that will be cut into fragments. */
const bigPacket = fc.oneof(
  fc
    .record({ source: host, remote, sourcePort: port, destinationPort: port, data: bigData, ...common })
    .map((fields) => udp({ ...fields, ...outbound(fields) })),
  fc
    .record({ source: host, remote, type: fc.constantFrom(128, 129), rest: port, data: bigData, ...common })
    .map((fields) => icmp({ ...fields, ...outbound(fields), rest: fields.rest * 65536 + 7 })),
  fc
    .record({ source: remote, sourcePort: port, destinationPort: mappedPort, data: bigData, ...common })
    .map((fields) => udp({ ...fields, destination: POOL4 })),
  fc
    .record({ source: remote, type: fc.constantFrom(0, 8), rest: mappedPort, data: bigData, ...common })
    .map((fields) => icmp({ ...fields, destination: POOL4, rest: fields.rest * 65536 + 7 })),
  fc.record({ ...toPool, data: bigData }).map((fields) => udp(fields)),
);

/** The fragments of a packet; a part of them may be missing, come twice, or in another place. */
const fragments = fc
  .record({
    packet: bigPacket,
    step: fc.constantFrom(40, 552, 1232, 1448, 1480),
    identification: fc.constantFrom(1, 2, 3, 0xdead_beef),
    dontFragment: fc.boolean(),
    order: fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
    twist: fc.constantFrom('', '', '', 'shift', 'lose', 'twice', 'end', 'atomic'),
  })
  .map(({ packet, step, identification, dontFragment, order, twist }) => {
    const isIpv6 = packet[0] >> 4 === 6;
    const payload = packet.slice(isIpv6 ? 40 : 20);
    const size = twist === 'atomic' ? 65_528 : Math.max(step, Math.ceil(payload.length / 160) * 8);
    const count = Math.ceil(payload.length / size);
    const pieces = Array.from({ length: count }, (_, i) => {
      const shift = twist === 'shift' && i === 1 ? 8 : 0;
      const offset = i * size - shift;
      const isLast = i === count - 1 ? twist !== 'end' : false;
      return piece(
        packet,
        payload.slice(i * size, (i + 1) * size),
        offset,
        !isLast,
        identification,
        dontFragment,
      );
    });
    if (twist === 'lose') pieces.splice(order[0] % count, 1);
    if (twist === 'twice') pieces.push(pieces[0]);
    return pieces
      .map((bytes, i) => ({ bytes, at: order[i % 20] < 300 ? order[i % 20] : 1000 + i }))
      .sort((a, b) => a.at - b.at)
      .map(({ bytes }) => bytes);
  });

function piece(
  packet: Bytes,
  data: Uint8Array,
  offset: number,
  hasMore: boolean,
  identification: number,
  dontFragment: boolean,
): Bytes {
  if (packet[0] >> 4 === 6) {
    const field = offset + (hasMore ? 1 : 0);
    const header = Uint8Array.from([
      packet[6],
      0,
      ...u16(field),
      ...u16(identification >>> 16),
      ...u16(identification),
    ]);
    return ipv6({
      source: packet.slice(8, 24),
      destination: packet.slice(24, 40),
      protocol: 44,
      payload: concat(header, data),
      hopLimit: packet[7],
      trafficClass: (readU16(packet, 0) >> 4) & 255,
    });
  }
  return ipv4({
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    protocol: packet[9],
    payload: data,
    hopLimit: packet[8],
    trafficClass: packet[1],
    identification: identification & 0xffff,
    fragment: offset / 8 + (hasMore ? 0x2000 : 0) + (dontFragment ? 0x4000 : 0),
  });
}
const strange4 = fc
  .record({
    source: fc.constantFrom('10.0.0.1', '127.0.0.1', '224.0.0.1', '0.0.0.0', '203.0.113.9'),
    destination: fc.constantFrom(POOL4, '198.51.100.2'),
    sourcePort: port,
    destinationPort: mappedPort,
  })
  .map((fields) => udp(fields));

const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ weight: 4, arbitrary });
const wellFormed = fc.oneof(
  often(tcp6),
  often(udp6),
  often(echo6),
  often(tcp4),
  often(udp4),
  often(echo4),
  often(error4),
  often(error6),
  withExtensions,
  otherProtocol,
  anyIcmp,
  strange6,
  often(hairpin),
  often(synOptions),
  strange4,
);

/** A few bytes changed, the end cut off or padded; the IPv4 header checksum made right again most of the time. */
const mutated = fc
  .record({
    packet: wellFormed,
    changes: fc.array(fc.record({ at: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 3,
    }),
    length: fc.option(fc.nat(120), { nil: undefined }),
    padding: fc.nat(3),
    repair: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  })
  .map(({ packet, changes, length, padding, repair }) => {
    const bytes = concat(packet.slice(0, length), new Uint8Array(padding));
    for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
    const headerBytes = (bytes[0] & 15) * 4;
    if (repair && bytes[0] >> 4 === 4 && headerBytes >= 20 && headerBytes <= bytes.length) {
      bytes.set([0, 0], 10);
      bytes.set(u16(0xffff - onesSumOf(bytes.slice(0, headerBytes))), 10);
    }
    return bytes;
  });

/** The packet with one byte changed; the IPv4 header checksum is right. */
const changedIn = (packet: Bytes) =>
  fc.record({ at: fc.nat(60), value: fc.integer({ min: 0, max: 255 }) }).map(({ at, value }) => {
    const bytes = packet.slice();
    if (at < bytes.length) bytes[at] = value;
    const headerBytes = (bytes[0] & 15) * 4;
    if (bytes[0] >> 4 === 4 && headerBytes >= 20 && headerBytes <= bytes.length) {
      bytes.set([0, 0], 10);
      bytes.set(u16(0xffff - onesSumOf(bytes.slice(0, headerBytes))), 10);
    }
    return bytes;
  });

function onesSumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += readU16(bytes, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}

/** What the translator was free to choose, from its tables and the packet that it sent. */
function choicesOf({ translator: { tables } }: Harness, out: Bytes | undefined): Choices {
  return {
    identification: out === undefined || out[0] >> 4 !== 4 ? 0 : readU16(out, 4),
    portOf(kind, source, hostPort) {
      const words = [0, 4, 8, 12].map((at) => readU32(source, at) | 0) as [number, number, number, number];
      const protocol = ['tcp', 'udp', 'icmp'].indexOf(kind);
      const bib = findBibByHost(tables, protocol, ...words, hostPort);
      return tables.bib[bib * RECORD_WORDS + BIB.PORTS] & 0xffff;
    },
  };
}

/** Opens sessions on half of the pool's ports. */
const prelude = ['2001:db8:1::10', '2001:db8:1::11'].flatMap((source) =>
  [53, 1024].flatMap((sourcePort) => {
    const fields = { source, destination: `${NO_PREFIX_OCTET}203.0.113.9`, sourcePort, destinationPort: 53 };
    return [
      udp(fields),
      tcp({ ...fields, flags: 2 }),
      icmp({ ...fields, type: 128, rest: sourcePort * 65536 }),
    ];
  }),
);

const hexOf = (packet: Uint8Array) => Buffer.from(packet).toString('hex');

function agree(packets: readonly Uint8Array[], areValid: boolean): void {
  const harness = createHarness({ ports: PORTS });
  const reference = new ReferenceNat64({
    prefix: address('64:ff9b::').slice(0, 12),
    pool4: address(POOL4),
    firstPort: PORTS[0],
    lastPort: PORTS[1],
    allow: address('2001:db8:1::').slice(0, 8),
    ownIpv6: address(OWN_IPV6),
    mtuBytes: 1500,
    lowestIpv6MtuBytes: 1280,
    maxSegmentBytes: 1440,
  });
  let second = 0;
  for (const packet of [...prelude, ...packets]) {
    // A second between packets, so that the rate limit of errors does not matter, and no session ends.
    harness.translator.nowSeconds = second++ % 20;
    const outs = harness.sendAll(packet);
    const counted = harness.counted();
    const expected = reference.translate(packet, choicesOf(harness, outs[0]));
    const drops = Object.entries(counted).flatMap(([name, times]) =>
      name.startsWith('drop-') ? Array<string>(times).fill(name) : [],
    );
    assert.deepEqual(drops.sort(), [...expected.drops].sort(), hexOf(packet));
    assert.deepEqual(outs.map(hexOf), expected.outs.map(hexOf), hexOf(packet));
    if (counted['icmp-returned'] !== undefined) continue;
    for (const out of outs) assertWellFormed(out, { transportChecksum: areValid });
  }
}

const several = fc.oneof(
  { weight: 2, arbitrary: fragments },
  wellFormed.map((packet) => [packet]),
);
const mutatedFragments = fragments.chain((pieces) =>
  fc.tuple(
    ...pieces.map((bytes) => fc.oneof({ weight: 5, arbitrary: fc.constant(bytes) }, changedIn(bytes))),
  ),
);
const randomBytes = fc
  .record({
    first: fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x00),
    rest: fc.uint8Array({ maxLength: 120 }),
  })
  .map(({ first, rest }) => concat(Uint8Array.from([first]), rest));

/** What must hold for any packets of one kind, sent one after the other. */
export interface ReferenceProperty {
  readonly name: string;
  readonly sequences: fc.Arbitrary<readonly Uint8Array[]>;
  /** Compares one sequence; throws an AssertionError, with the packet in hexadecimal, where the two differ. */
  readonly check: (packets: readonly Uint8Array[]) => void;
  /** Sequences that the unit test tries. */
  readonly numRuns: number;
}

export const REFERENCE_PROPERTIES: readonly ReferenceProperty[] = [
  {
    name: 'well-formed packets: byte for byte what the reference makes of them',
    sequences: fc.array(wellFormed, { minLength: 20, maxLength: 60 }),
    check: (packets) => agree(packets, true),
    numRuns: 150,
  },
  {
    name: 'fragments, in any order, with other packets between them: byte for byte what the reference makes of them',
    sequences: fc.array(several, { minLength: 5, maxLength: 20 }).map((groups) => groups.flat()),
    check: (packets) => agree(packets, true),
    numRuns: 150,
  },
  {
    name: 'mutated packets: the same verdicts and bytes, and nothing malformed comes out',
    sequences: fc.array(fc.oneof(mutated, wellFormed), { minLength: 20, maxLength: 60 }),
    check: (packets) => agree(packets, false),
    numRuns: 150,
  },
  {
    name: 'mutated fragments: the same verdicts and bytes',
    sequences: fc.array(mutatedFragments, { minLength: 3, maxLength: 10 }).map((groups) => groups.flat()),
    check: (packets) => agree(packets, false),
    numRuns: 100,
  },
  {
    name: 'random bytes: the same verdicts and bytes',
    sequences: fc.array(randomBytes, { minLength: 1, maxLength: 20 }),
    check: (packets) => agree(packets, false),
    numRuns: 200,
  },
];
