/** Packets whose checksums and segmentation are left to the device, as a TUN with a virtio header carries them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sendInBursts } from './bursts.ts';
import { UDP_SEGMENTS, complete, headerOf, partial } from './frames.ts';
import { HOST, type HarnessOptions, POOL4, REMOTE, createHarness } from './harness.ts';
import { type Bytes, TCP_FLAGS, assertWellFormed, concat, readU16, tcp, u16, udp } from './packets.ts';

const PORT = 40_000;
const ONE_PORT: HarnessOptions = { ports: [PORT, PORT] };
const REMOTE6 = `64:ff9b::${REMOTE}`;
const out6 = { source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort: 53 };
const in4 = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: PORT };
const data = new TextEncoder().encode('data');
const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

const anyData = fc.uint8Array({ minLength: 1, maxLength: 3000 });
const PROTOCOLS = [tcp, udp] as const;

test('an incomplete checksum: when the device completes it, the packet equals the translation of the complete packet', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PROTOCOLS), fc.uint8Array({ maxLength: 200 }), (build, bytes) => {
      const harness = createHarness(ONE_PORT);
      const other = createHarness(ONE_PORT);
      const flags = TCP_FLAGS.SYN;
      for (const packet of [build({ ...out6, data: bytes, flags }), build({ ...in4, data: bytes, flags })]) {
        const [frame] = harness.sendWithOffload(partial(packet));
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
        const [frame] = harness.sendWithOffload(
          partial(tcp({ ...fields, data: bytes }), type | ecn, gsoSize),
        );
        assert.ok(frame !== undefined);
        assert.equal(frame[1], newType | ecn);
        const segments = complete(frame);
        const counted = harness.counted();
        assert.equal(counted[newType === 1 ? 'packets-6to4' : 'packets-4to6'], segments.length);
        for (const [i, segment] of segments.entries()) {
          const piece = bytes.slice(i * gsoSize, (i + 1) * gsoSize);
          const alone = harness.send(tcp({ ...fields, data: piece }));
          assert.ok(alone !== undefined);
          // The device numbers the segments of one packet; the last, shorter one need not allow fragmentation.
          for (const packet of [segment, alone]) if (newType === 1) packet.set([0, 0, 0, 0, 0, 0, 0, 0], 4);
          assert.equal(hexOf(segment.slice(12)), hexOf(alone.slice(12)));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('several datagrams in one packet: each datagram of the translation is the translation of the datagram', () => {
  fc.assert(
    fc.property(anyData, fc.integer({ min: 50, max: 1200 }), (bytes, gsoSize) => {
      const [harness, other] = [createHarness(ONE_PORT), createHarness(ONE_PORT)];
      for (const each of [harness, other]) each.send(udp({ ...out6, data }));
      for (const fields of [out6, in4]) {
        harness.counted();
        const [frame] = harness.sendWithOffload(
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

test('datagrams that have to be fragmented are separated first (N22)', () => {
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
          .sendWithOffload(packet)
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

/** With a fragment header that says that it is the whole datagram (RFC 6946): in IPv4 it may be fragmented further. */
function atomicFragment(packet: Bytes, identification: number): Bytes {
  const header = Uint8Array.of(packet[6], 0, 0, 0, 0, 0, ...u16(identification));
  const bytes = concat(packet.slice(0, 40), header, packet.slice(40));
  bytes[6] = 44;
  bytes.set(u16(readU16(packet, 4) + 8), 4);
  return bytes;
}

test('datagrams in one packet to the mapping of another host, which have to be fragmented there: each arrives (N19, N22)', () => {
  const ports: HarnessOptions = { ports: [PORT, PORT + 1] };
  const [harness, other] = [createHarness(ports), createHarness(ports)];
  for (const each of [harness, other])
    each.send(udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 }));
  const fields = { ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1 };
  const gsoSize = 1300;
  const bytes = Uint8Array.from({ length: 3 * gsoSize - 100 }, (_, i) => i * 7);
  const frame = partial(udp({ ...fields, data: bytes }), UDP_SEGMENTS, gsoSize);
  const sent = harness.sendWithOffload(
    concat(headerOf(1, UDP_SEGMENTS, gsoSize, 48, 6), atomicFragment(frame.slice(10), 0xffff)),
  );
  const expected = [0, 1, 2].flatMap((i) => {
    const data = bytes.slice(i * gsoSize, (i + 1) * gsoSize);
    return other.sendAll(atomicFragment(udp({ ...fields, data }), (0xffff + i) & 0xffff));
  });
  assert.equal(expected.length, 5);
  assert.deepEqual(
    sent.flatMap((each) => (each[0] === 0 ? [each.slice(10)] : complete(each))).map(hexOf),
    expected.map(hexOf),
  );
  const drops = Object.entries(harness.counted()).filter(([name]) => name.startsWith('drop-'));
  assert.deepEqual(drops, []);
});

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

test('bursts of datagrams: on the wire they equal the translations of the single datagrams', () => {
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
      const alone = frames.flatMap((frame) => other.sendWithOffload(frame));
      const bursts = sendInBursts(harness, frames);
      joined += alone.length - bursts.length;
      assert.deepEqual(wire(bursts).map(hexOf), wire(alone).map(hexOf));
    }),
    { numRuns: 25 },
  );
  assert.ok(joined > 100, `${joined} joined`);
});

test('a burst: 64 datagrams; a shorter one ends it; a single one is sent without joining', () => {
  const harness = createHarness(ONE_PORT);
  const of = (length: number, count: number) =>
    Array.from({ length: count }, () => partial(udp({ ...out6, data: new Uint8Array(length) })));
  const sizes = (frames: readonly Bytes[]) =>
    sendInBursts(harness, frames).map((frame) => (frame[1] === 0 ? 1 : complete(frame).length));
  // The first datagram of a flow does not wait, because more may never follow.
  assert.deepEqual(sizes(of(64, 100)), [1, 64, 35]);
  assert.deepEqual(sizes([...of(64, 3), ...of(63, 1), ...of(64, 2)]), [1, 3, 2]);
  assert.deepEqual(sizes([...of(64, 2), ...of(65, 2)]), [1, 1, 2]);
  assert.deepEqual(sizes([...of(1400, 48)]), [1, 46, 1]);
});

test('segments too big for IPv6: 3/4, and no offload on the answer', () => {
  const harness = createHarness(ONE_PORT);
  harness.send(tcp({ ...out6, flags: TCP_FLAGS.SYN }));
  const packet = tcp({ ...in4, data: new Uint8Array(4000) });
  const [frame] = harness.sendWithOffload(partial(packet, 1, 1460));
  assert.ok(frame !== undefined);
  assert.deepEqual(frame.slice(0, 10), new Uint8Array(10));
  assert.deepEqual([frame[30], frame[31], readU16(frame, 36)], [3, 4, 1480]);
  assert.equal(harness.sendWithOffload(partial(packet, 1, 1440)).length, 1);
  assert.equal(harness.counters()['drop-too-big'], 1);
});

test('DF clear: TCP segments become shorter instead of being fragmented (N22)', () => {
  const harness = createHarness(ONE_PORT);
  harness.send(tcp({ ...out6, flags: TCP_FLAGS.SYN }));
  const [frame] = harness.sendWithOffload(
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
  const [frame] = harness.sendWithOffload(partial(packet));
  assert.deepEqual(frame?.slice(0, 10), new Uint8Array(10));
  assert.equal(hexOf(frame?.slice(10)), hexOf(other.send(packet)));
});

test('headers that contradict the packet are refused', () => {
  const packet = tcp({ ...out6, flags: TCP_FLAGS.SYN, data: new Uint8Array(100) });
  const rows: [title: string, header: Uint8Array][] = [
    ['checksum elsewhere', headerOf(1, 0, 0, 20, 16)],
    ['checksum field of UDP', headerOf(1, 0, 0, 40, 6)],
    ['segments of the other family', headerOf(1, 1, 50, 40, 16)],
    ['segments of size 0', headerOf(1, 4, 0, 40, 16)],
    ['segments of UDP', headerOf(1, UDP_SEGMENTS, 50, 40, 16)],
    ['segments with complete checksum', headerOf(0, 4, 50, 0, 0)],
  ];
  for (const [title, header] of rows) {
    const harness = createHarness();
    assert.deepEqual(harness.sendWithOffload(concat(header, packet)), [], title);
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
        const [frame] = harness.sendWithOffload(concat(header, packet));
        if (frame !== undefined) assertWellFormed(frame.slice(10), { transportChecksum: false });
      },
    ),
  );
});
