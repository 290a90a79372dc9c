import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DnsMessage, Type, readMessage, writeMessage } from '../../../src/wire/dns-message.ts';
import { nameFromText } from '../../../src/wire/dns-name.ts';
import { QueryKind, newQuery, readQuery } from '../../../src/wire/dns-query.ts';
import { damaged, name, pointers } from './dns-arbitrary.ts';

const opt = (dnssecOk: boolean, udpBytes: number, version = 0) => ({
  name: Uint8Array.of(0),
  type: Type.OPT,
  class: udpBytes,
  ttlSeconds: (version << 16) | (dnssecOk ? 0x8000 : 0),
  data: new Uint8Array(),
});

const query: fc.Arbitrary<DnsMessage> = fc.record({
  id: fc.nat(0xffff),
  flags: fc.nat(0x07ff),
  questions: fc.tuple(fc.record({ name, type: fc.nat(0xffff), class: fc.nat(0xffff) })),
  answers: fc.constant([]),
  authorities: fc.constant([]),
  additionals: fc.oneof(
    fc.constant([]),
    fc
      .tuple(fc.boolean(), fc.nat(0xffff), fc.nat(255))
      .map(([dnssecOk, bytes, v]) => [opt(dnssecOk, bytes, v)]),
  ),
});

test('a well-formed query is read as by the general reader, at any offset in memory', () => {
  fc.assert(
    fc.property(query, fc.nat(8), (whole, start) => {
      const { bytes } = writeMessage(whole)!;
      const memory = new Uint8Array(start + bytes.length + 3).fill(0xaa);
      memory.set(bytes, start);
      const into = newQuery();
      assert.equal(readQuery(memory, start, bytes.length, into), QueryKind.QUERY);
      const [question] = whole.questions;
      const [edns] = whole.additionals;
      assert.deepEqual(into, {
        flags: whole.flags,
        nameBytes: question.name.length,
        questionEnd: 12 + question.name.length + 4,
        type: question.type,
        class: question.class,
        edns: edns !== undefined,
        ednsVersion: edns === undefined ? 0 : (edns.ttlSeconds >> 16) & 255,
        udpBytes: edns?.class ?? 0,
        dnssecOk: edns !== undefined && (edns.ttlSeconds & 0x8000) !== 0,
      });
    }),
  );
});

test('for any bytes, reading ends, stays inside the message, and agrees with the general reader', () => {
  const damagedQuery = fc
    .tuple(query, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }), fc.nat(6))
    .map(([whole, changes, cut]) => {
      const { bytes } = writeMessage(whole)!;
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - cut);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged, pointers, damagedQuery), (bytes) => {
      const into = newQuery();
      const kind = readQuery(bytes, 0, bytes.length, into);
      assert.ok(into.questionEnd <= bytes.length);
      const general = readMessage(bytes);
      if (kind === QueryKind.QUERY && bytes[11] === 0 && bytes[10] === 0) {
        // Without additional records both readers read everything.
        assert.equal(general?.questions[0].name.length, into.nameBytes);
        assert.equal(general?.questions[0].type, into.type);
      }
      if (general === undefined && (bytes[11] | bytes[10]) === 0) assert.notEqual(kind, QueryKind.QUERY);
    }),
    { numRuns: 20_000 },
  );
});

const plain = (changes: Partial<DnsMessage> = {}) =>
  writeMessage({
    id: 1,
    flags: 0x0100,
    questions: [{ name: nameFromText('example.com'), type: 28, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    ...changes,
  })!.bytes;
const question = { name: nameFromText('example.com'), type: 28, class: 1 };
const a = { ...question, type: 1, ttlSeconds: 1, data: new Uint8Array(4) };

for (const [title, bytes, expected] of [
  ['a query', plain(), QueryKind.QUERY],
  ['11 bytes', plain().subarray(0, 11), QueryKind.SHORT],
  ['a response', plain({ flags: 0x8180 }), QueryKind.RESPONSE],
  ['NOTIFY', plain({ flags: 4 << 11 }), QueryKind.OPCODE],
  ['no question', plain({ questions: [] }), QueryKind.MALFORMED],
  ['two questions (RFC 9619)', plain({ questions: [question, question] }), QueryKind.MALFORMED],
  ['an answer record', plain({ answers: [a] }), QueryKind.MALFORMED],
  ['an authority record', plain({ authorities: [a] }), QueryKind.MALFORMED],
  ['an additional record (TSIG and such)', plain({ additionals: [a] }), QueryKind.QUERY],
  ['OPT with another record', plain({ additionals: [a, opt(true, 1232)] }), QueryKind.QUERY],
  ['two OPT records', plain({ additionals: [opt(true, 1232), opt(true, 1232)] }), QueryKind.MALFORMED],
  [
    'OPT with a name',
    plain({ additionals: [{ ...opt(true, 1232), name: question.name }] }),
    QueryKind.MALFORMED,
  ],
  ['bytes behind the end', Uint8Array.of(...plain(), 0), QueryKind.MALFORMED],
  ['cut off in the question', plain().subarray(0, 27), QueryKind.MALFORMED],
] as const) {
  test(`${title}`, () => assert.equal(readQuery(bytes, 0, bytes.length, newQuery()), expected));
}
