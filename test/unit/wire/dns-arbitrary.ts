/** Random DNS messages for property tests: well-formed ones, and bytes that are almost well-formed. */
import fc from 'fast-check';
import { type DnsMessage, type DnsRecord, Type, writeMessage } from '../../../src/wire/dns-message.ts';

const label = fc.uint8Array({ minLength: 1, maxLength: 12 });

/** Also names of few labels from a small set, so that messages share suffixes and can be compressed. */
export const name: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof(label, fc.constantFrom('www', 'WWW', 'example', 'Example', 'com').map(Buffer.from)), {
    maxLength: 6,
  })
  .map((labels) => Uint8Array.from([...labels.flatMap((bytes) => [bytes.length, ...bytes]), 0]));

const joined = (...parts: fc.Arbitrary<Uint8Array>[]) =>
  fc.tuple(...parts).map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const typeAndData: fc.Arbitrary<[number, Uint8Array]> = fc.oneof(
  fc.tuple(fc.constant(Type.A), bytes(4)),
  fc.tuple(fc.constant(Type.AAAA), bytes(16)),
  fc.tuple(fc.constantFrom(Type.CNAME, Type.NS, Type.PTR, Type.DNAME), name),
  fc.tuple(fc.constant(Type.MX), joined(bytes(2), name)),
  fc.tuple(fc.constant(Type.SOA), joined(name, name, bytes(20))),
  fc.tuple(fc.constant(33), joined(bytes(6), name)),
  fc.tuple(fc.constantFrom(16, 46, 65, 999), fc.uint8Array({ maxLength: 40 })),
);

export const record: fc.Arbitrary<DnsRecord> = fc
  .tuple(name, typeAndData, fc.nat(0xffffffff))
  .map(([owner, [type, data], ttlSeconds]) => ({ name: owner, type, class: 1, ttlSeconds, data }));

export const message: fc.Arbitrary<DnsMessage> = fc.record({
  id: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  questions: fc.array(fc.record({ name, type: fc.nat(0xffff), class: fc.nat(0xffff) }), { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 5 }),
  authorities: fc.array(record, { maxLength: 3 }),
  additionals: fc.array(record, { maxLength: 3 }),
});

/** A well-formed message with a few changed bytes; the end may be cut off. */
export const damaged: fc.Arbitrary<Uint8Array> = fc
  .tuple(message, fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 4 }), fc.nat(20))
  .map(([whole, changes, cut]) => {
    const wire = writeMessage(whole)!.bytes;
    for (const [at, value] of changes) wire[at % wire.length] = value;
    return cut < 10 ? wire.subarray(0, wire.length - cut) : wire;
  });

/** Bytes with many compression pointers, to provoke loops. */
export const pointers: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.nat(40).map((at) => [0xc0, at]),
      fc.nat(255).map((b) => [b]),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Uint8Array.from([0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, ...parts.flat()]));
