/** Packets whose checksums and segmentation are left to the device: what a TUN with a virtio header carries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BURST_FRAME_START,
  begin,
  createUdpBurst,
  finish,
  join,
} from '../../../../src/services/nat64/udp-burst.ts';
import { HOST, type HarnessOptions, POOL4, REMOTE, createHarness } from './harness.ts';
import {
  type Bytes,
  PROTOCOL,
  TCP_FLAGS,
  assertWellFormed,
  concat,
  onesSum,
  pseudoHeader,
  readU16,
  tcp,
  u16,
  udp,
} from './packets.ts';

const PORT = 40_000;
const ONE_PORT: HarnessOptions = { ports: [PORT, PORT] };
const REMOTE6 = `64:ff9b::${REMOTE}`;
const out6 = { source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort: 53 };
const in4 = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: PORT };
const data = new TextEncoder().encode('data');
const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

const NEEDS_CHECKSUM = 1;
const UDP_SEGMENTS = 5;
const le16 = (value: number) => [value & 255, value >> 8];
const headerOf = (flags: number, gsoType: number, gsoSize: number, start: number, offset: number) =>
  Uint8Array.from([flags, gsoType, 0, 0, ...le16(gsoSize), ...le16(start), ...le16(offset)]);

/** The packet as a stack hands it over that leaves the checksum to the device. */
function partial(packet: Bytes, gsoType = 0, gsoSize = 0): Bytes {
  const { transport, protocol, checksumAt } = layout(packet);
  const bytes = packet.slice();
  bytes.set(u16(pseudoSum(packet, packet.length - transport)), checksumAt);
  const offset = protocol === PROTOCOL.TCP ? 16 : 6;
  return concat(headerOf(NEEDS_CHECKSUM, gsoType, gsoSize, transport, offset), bytes);
}

function layout(packet: Uint8Array) {
  const isIpv4 = packet[0] >> 4 === 4;
  const transport = isIpv4 ? 20 : 40;
  const protocol = isIpv4 ? packet[9] : packet[6];
  return { isIpv4, transport, protocol, checksumAt: transport + (protocol === PROTOCOL.TCP ? 16 : 6) };
}

function pseudoSum(packet: Uint8Array, length: number): number {
  const { isIpv4, protocol } = layout(packet);
  const addresses = isIpv4 ? packet.slice(12, 20) : packet.slice(8, 40);
  const half = addresses.length / 2;
  return onesSum(pseudoHeader(addresses.slice(0, half), addresses.slice(half), protocol, length));
}

/** What the device does before it sends: completes the checksum, after cutting TCP into segments, UDP into datagrams. */
function complete(frame: Uint8Array): Bytes[] {
  const packet = frame.slice(10);
  const { isIpv4, transport, protocol, checksumAt } = layout(packet);
  assert.equal(frame[0], NEEDS_CHECKSUM);
  assert.equal(frame[6] + frame[7] * 256, transport);
  assert.equal(frame[8] + frame[9] * 256, checksumAt - transport);
  assert.equal(
    readU16(packet, checksumAt),
    pseudoSum(packet, packet.length - transport),
    'the pseudo-header sum',
  );
  const gsoSize = frame[4] + frame[5] * 256;
  const headerBytes = transport + (protocol === PROTOCOL.TCP ? (packet[transport + 12] >> 4) * 4 : 8);
  if (frame[1] !== 0) {
    assert.equal(frame[1] & 0x7f, protocol === PROTOCOL.UDP ? UDP_SEGMENTS : isIpv4 ? 1 : 4);
    assert.equal(frame[2] + frame[3] * 256, headerBytes, 'header length');
  }
  const payload = packet.slice(headerBytes);
  const step = gsoSize || payload.length || 1;
  const segments: Bytes[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += step) {
    const fields = {
      source: packet.slice(isIpv4 ? 12 : 8, isIpv4 ? 16 : 24),
      destination: packet.slice(isIpv4 ? 16 : 24, isIpv4 ? 20 : 40),
      sourcePort: readU16(packet, transport),
      destinationPort: readU16(packet, transport + 2),
      data: payload.slice(at, at + step),
      hopLimit: packet[isIpv4 ? 8 : 7],
      fragment: isIpv4 ? readU16(packet, 6) : 0,
      identification: isIpv4 ? (readU16(packet, 4) + segments.length) & 0xffff : 0,
      flags: packet[transport + 13],
    };
    segments.push(protocol === PROTOCOL.TCP ? tcp(fields) : udp(fields));
  }
  return segments;
}

const anyData = fc.uint8Array({ minLength: 1, maxLength: 3000 });
const PROTOCOLS = [tcp, udp] as const;

test('an incomplete checksum: completed behind us, the packet is the one that a complete one becomes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PROTOCOLS), fc.uint8Array({ maxLength: 200 }), (build, bytes) => {
      const harness = createHarness(ONE_PORT);
      const other = createHarness(ONE_PORT);
      const flags = TCP_FLAGS.SYN;
      for (const packet of [build({ ...out6, data: bytes, flags }), build({ ...in4, data: bytes, flags })]) {
        const frame = harness.sendWithOffload(partial(packet));
        assert.ok(frame !== undefined);
        const [completed] = complete(frame);
        assert.equal(hexOf(completed), hexOf(other.send(packet)));
        assertWellFormed(completed);
      }
    }),
  );
});

test('a segmented packet: each segment of the translation is the translation of the segment', () => {
  fc.assert(
    fc.property(anyData, fc.integer({ min: 100, max: 1400 }), fc.boolean(), (bytes, gsoSize, hasCwr) => {
      const harness = createHarness(ONE_PORT);
      harness.send(tcp({ ...out6, flags: TCP_FLAGS.SYN }));
      const ecn = hasCwr ? 0x80 : 0;
      const rows = [
        { fields: out6, type: 4, newType: 1 },
        { fields: in4, type: 1, newType: 4 },
      ];
      for (const { fields, type, newType } of rows) {
        harness.counted();
        const frame = harness.sendWithOffload(partial(tcp({ ...fields, data: bytes }), type | ecn, gsoSize));
        assert.ok(frame !== undefined);
        assert.equal(frame[1], newType | ecn);
        const segments = complete(frame);
        const counted = harness.counted();
        assert.equal(counted[newType === 1 ? 'packets-6to4' : 'packets-4to6'], segments.length);
        for (const [i, segment] of segments.entries()) {
          const piece = bytes.slice(i * gsoSize, (i + 1) * gsoSize);
          const alone = harness.send(tcp({ ...fields, data: piece }));
          assert.ok(alone !== undefined);
          // The device numbers the segments of one packet; the last, shorter one, need not allow fragmentation.
          for (const packet of [segment, alone]) if (newType === 1) packet.set([0, 0, 0, 0, 0, 0, 0, 0], 4);
          assert.equal(hexOf(segment.slice(12)), hexOf(alone.slice(12)));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('several datagrams in one packet: each of the translation is the translation of the datagram', () => {
  fc.assert(
    fc.property(anyData, fc.integer({ min: 50, max: 1200 }), (bytes, gsoSize) => {
      const [harness, other] = [createHarness(ONE_PORT), createHarness(ONE_PORT)];
      for (const each of [harness, other]) each.send(udp({ ...out6, data }));
      for (const fields of [out6, in4]) {
        harness.counted();
        const frame = harness.sendWithOffload(
          partial(
            udp({ ...fields, data: bytes, identification: 7, fragment: 0x4000 }),
            UDP_SEGMENTS,
            gsoSize,
          ),
        );
        assert.ok(frame !== undefined);
        assert.equal(frame[1], UDP_SEGMENTS);
        const datagrams = complete(frame);
        const counter = fields === out6 ? 'packets-6to4' : 'packets-4to6';
        assert.equal(harness.counted()[counter], datagrams.length);
        assert.equal(datagrams.length, Math.ceil(bytes.length / gsoSize));
        for (const [i, datagram] of datagrams.entries()) {
          const piece = bytes.slice(i * gsoSize, (i + 1) * gsoSize);
          const alone = other.send(udp({ ...fields, data: piece, identification: 7 + i, fragment: 0x4000 }));
          assert.equal(hexOf(datagram), hexOf(alone));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('datagrams that have to be fragmented are taken apart first (N22)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1233, max: 1472 }),
      fc.integer({ min: 1, max: 8000 }),
      (gsoSize, length) => {
        const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
        const [harness, other] = [createHarness(ONE_PORT), createHarness(ONE_PORT)];
        for (const each of [harness, other]) each.send(udp({ ...out6, data }));
        const fields = { ...in4, fragment: 0 };
        const packet = partial(
          udp({ ...fields, data: bytes, identification: 0xffff }),
          UDP_SEGMENTS,
          gsoSize,
        );
        const sent = harness
          .sendAllWithOffload(packet)
          .flatMap((frame) => (frame[0] === 0 ? [frame.slice(10)] : complete(frame)));
        const expected: Bytes[] = [];
        for (let at = 0; at < length; at += gsoSize) {
          expected.push(
            ...other.sendAll(
              udp({
                ...fields,
                data: bytes.slice(at, at + gsoSize),
                identification: (0xffff + at / gsoSize) & 0xffff,
              }),
            ),
          );
        }
        assert.deepEqual(sent.map(hexOf), expected.map(hexOf));
      },
    ),
    { numRuns: 50 },
  );
});

/** As the worker sends: datagrams of a flow that follow each other as one packet. */
function sendInBursts(harness: ReturnType<typeof createHarness>, frames: readonly Bytes[]): Bytes[] {
  const burst = createUdpBurst();
  const { packet } = harness.translator;
  const sent: Bytes[] = [];
  const flush = () => {
    if (burst.count === 0) return;
    finish(burst, packet.view);
    sent.push(packet.bytes.slice(BURST_FRAME_START, burst.end));
  };
  for (const frame of frames) {
    const out = harness.sendWithOffload(frame);
    assert.ok(out !== undefined);
    if (join(burst, packet)) continue;
    flush();
    if (!begin(burst, packet)) sent.push(out);
  }
  flush();
  return sent;
}

const anyDatagram = fc.record({
  fields: fc.constantFrom(
    out6,
    { ...out6, sourcePort: 5001 },
    { ...out6, hopLimit: 9 },
    in4,
    { ...in4, sourcePort: 54 },
    { ...in4, fragment: 0x4000 },
  ),
  length: fc.constantFrom(0, 1, 8, 63, 64, 64, 64, 64, 700, 1200),
  copies: fc.integer({ min: 1, max: 70 }),
  isPartial: fc.boolean(),
  isDamaged: fc.constantFrom(false, false, false, true),
});

test('bursts of datagrams: on the wire they are what each becomes alone', () => {
  let joined = 0;
  fc.assert(
    fc.property(fc.array(anyDatagram, { maxLength: 12 }), (runs) => {
      const harness = createHarness();
      const other = createHarness();
      for (const each of [harness, other])
        for (const sourcePort of [5000, 5001]) each.send(udp({ ...out6, sourcePort, data }));
      const mapped = readU16(other.send(udp(out6)) as Bytes, 20);
      harness.send(udp(out6));
      const frames = runs.flatMap(({ fields, length, copies, isPartial, isDamaged }) =>
        Array.from({ length: copies }, (_, i) => {
          const toPool = fields.destination === POOL4 ? { destinationPort: mapped } : {};
          const packet = udp({
            ...fields,
            ...toPool,
            data: new Uint8Array(length).fill(i),
            identification: i,
          });
          if (isPartial) return partial(packet);
          if (isDamaged && length > 0) packet[packet.length - 1] ^= 1;
          return concat(new Uint8Array(10), packet);
        }),
      );
      const wire = (sent: readonly Bytes[]) =>
        sent.flatMap((frame) => (frame[0] === 0 ? [frame.slice(10)] : complete(frame)));
      const alone = frames.map((frame) => other.sendWithOffload(frame) as Bytes);
      const bursts = sendInBursts(harness, frames);
      joined += alone.length - bursts.length;
      assert.deepEqual(wire(bursts).map(hexOf), wire(alone).map(hexOf));
    }),
    { numRuns: 25 },
  );
  assert.ok(joined > 100, `${joined} joined`);
});

test('a burst: 64 datagrams, a shorter one ends it, one alone goes as it came', () => {
  const harness = createHarness(ONE_PORT);
  const of = (length: number, count: number) =>
    Array.from({ length: count }, () => partial(udp({ ...out6, data: new Uint8Array(length) })));
  const sizes = (frames: readonly Bytes[]) =>
    sendInBursts(harness, frames).map((frame) => (frame[1] === 0 ? 1 : complete(frame).length));
  // The first of a flow does not wait: nobody knows yet whether more follow.
  assert.deepEqual(sizes(of(64, 100)), [1, 64, 35]);
  assert.deepEqual(sizes([...of(64, 3), ...of(63, 1), ...of(64, 2)]), [1, 3, 2]);
  assert.deepEqual(sizes([...of(64, 2), ...of(65, 2)]), [1, 1, 2]);
  assert.deepEqual(sizes([...of(1400, 48)]), [1, 46, 1]);
});

test('segments too big for IPv6: 3/4, and no offload on the answer', () => {
  const harness = createHarness(ONE_PORT);
  harness.send(tcp({ ...out6, flags: TCP_FLAGS.SYN }));
  const packet = tcp({ ...in4, data: new Uint8Array(4000) });
  const frame = harness.sendWithOffload(partial(packet, 1, 1460));
  assert.ok(frame !== undefined);
  assert.deepEqual(frame.slice(0, 10), new Uint8Array(10));
  assert.deepEqual([frame[30], frame[31], readU16(frame, 36)], [3, 4, 1480]);
  assert.notEqual(harness.sendWithOffload(partial(packet, 1, 1440)), undefined);
  assert.equal(harness.counters()['drop-too-big'], 1);
});

test('DF clear: TCP segments become shorter instead of being fragmented (N22)', () => {
  const harness = createHarness(ONE_PORT);
  harness.send(tcp({ ...out6, flags: TCP_FLAGS.SYN }));
  const frame = harness.sendWithOffload(
    partial(tcp({ ...in4, data: new Uint8Array(4000), fragment: 0 }), 1, 1460),
  );
  assert.ok(frame !== undefined);
  assert.equal(frame[4] + frame[5] * 256, 1220);
  for (const segment of complete(frame)) assertWellFormed(segment);
});

test('an incomplete checksum is completed before a packet is cut into fragments', () => {
  const packet = udp({ ...in4, data: new Uint8Array(1460).fill(7), fragment: 0, identification: 3 });
  const [harness, other] = [createHarness(ONE_PORT), createHarness(ONE_PORT)];
  for (const each of [harness, other]) each.send(udp(out6));
  const frame = harness.sendWithOffload(partial(packet));
  assert.deepEqual(frame?.slice(0, 10), new Uint8Array(10));
  assert.equal(hexOf(frame?.slice(10)), hexOf(other.send(packet)));
});

test('headers that contradict the packet are refused', () => {
  const packet = tcp({ ...out6, flags: TCP_FLAGS.SYN, data: new Uint8Array(100) });
  const rows: [title: string, header: Uint8Array][] = [
    ['checksum elsewhere', headerOf(1, 0, 0, 20, 16)],
    ['checksum field of UDP', headerOf(1, 0, 0, 40, 6)],
    ['segments of the other family', headerOf(1, 1, 50, 40, 16)],
    ['segments of no size', headerOf(1, 4, 0, 40, 16)],
    ['segments of UDP', headerOf(1, UDP_SEGMENTS, 50, 40, 16)],
    ['segments with complete checksum', headerOf(0, 4, 50, 0, 0)],
  ];
  for (const [title, header] of rows) {
    const harness = createHarness();
    assert.equal(harness.sendWithOffload(concat(header, packet)), undefined, title);
    assert.deepEqual(harness.counted(), { 'drop-bad-offload': 1 }, title);
  }
});

test('any header in front of any packet: no exception, and lengths that fit', () => {
  const harness = createHarness(ONE_PORT);
  const packets = [tcp({ ...out6, flags: 2, data }), udp({ ...out6, data }), tcp({ ...in4, data }), udp(in4)];
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
      fc.constantFrom(...packets),
      (header, packet) => {
        const frame = harness.sendWithOffload(concat(header, packet));
        if (frame !== undefined) assertWellFormed(frame.slice(10), { transportChecksum: false });
      },
    ),
  );
});
