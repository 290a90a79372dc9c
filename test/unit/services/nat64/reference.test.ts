/** The optimised translator against the clear one, on random packets: well-formed, mutated, and plain random bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { POOL4, OWN_IPV6, createHarness } from './harness.ts';
import {
  type Bytes,
  PROTOCOL,
  address,
  assertWellFormed,
  concat,
  icmp,
  ip,
  ipv4,
  ipv6,
  readU16,
  tcp,
  u16,
  udp,
} from './packets.ts';
import { ReferenceNat64 } from './reference.ts';

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
    return icmp({ ...fields, destination: POOL4, data: quoted.slice(0, fields.cut) });
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
    return icmp({
      ...fields,
      destination: `${NO_PREFIX_OCTET}${fields.peer}`,
      data: quoted.slice(0, fields.cut),
    });
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
const hairpin = fc
  .record({
    source: host,
    destination: fc.constant(`64:ff9b::${POOL4}`),
    sourcePort: port,
    destinationPort: mappedPort,
  })
  .map((fields) => udp(fields));
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
  hairpin,
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

function onesSumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += readU16(bytes, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}

/** What the translator was free to choose, from the packet that it sent. */
function choicesOf(out: Bytes | undefined) {
  if (out === undefined || out[0] >> 4 !== 4) return { port: 0, identification: 0 };
  return { port: readU16(out, out[9] === PROTOCOL.ICMP ? 24 : 20), identification: readU16(out, 4) };
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
  });
  let second = 0;
  for (const packet of [...prelude, ...packets]) {
    // A second between packets, so that the rate limit of errors does not matter, and no session ends.
    harness.translator.nowSeconds = second++ % 50;
    const out = harness.send(packet);
    const counted = harness.counted();
    const expected = reference.translate(packet, choicesOf(out));
    const drop = Object.keys(counted).find((name) => name.startsWith('drop-'));
    assert.equal(drop, expected.drop, Buffer.from(packet).toString('hex'));
    assert.deepEqual(
      out && Buffer.from(out).toString('hex'),
      expected.out && Buffer.from(expected.out).toString('hex'),
    );
    if (out !== undefined && counted['icmp-returned'] === undefined)
      assertWellFormed(out, { transportChecksum: areValid });
  }
}

test('well-formed packets: byte for byte what the reference makes of them', () => {
  fc.assert(
    fc.property(fc.array(wellFormed, { minLength: 20, maxLength: 60 }), (packets) => agree(packets, true)),
    { numRuns: 150 },
  );
});

test('mutated packets: the same verdicts and bytes, and nothing malformed comes out', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(mutated, wellFormed), { minLength: 20, maxLength: 60 }), (packets) =>
      agree(packets, false),
    ),
    { numRuns: 150 },
  );
});

test('random bytes: the same verdicts and bytes', () => {
  const random = fc
    .record({
      first: fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x00),
      rest: fc.uint8Array({ maxLength: 120 }),
    })
    .map(({ first, rest }) => concat(Uint8Array.from([first]), rest));
  fc.assert(
    fc.property(fc.array(random, { minLength: 1, maxLength: 20 }), (packets) => agree(packets, false)),
    { numRuns: 200 },
  );
});
