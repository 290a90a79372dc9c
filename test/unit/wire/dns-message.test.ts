import assert from 'node:assert/strict';
import { test } from 'node:test';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { type DnsMessage, readMessage, uint32At, writeMessage } from '../../../src/wire/dns-message.ts';
import {
  formatName,
  isAtOrBelow,
  nameFromText,
  nameKey,
  namesEqual,
  readName,
} from '../../../src/wire/dns-name.ts';
import { damaged, message, name, pointers } from './dns-arbitrary.ts';

const records = (list: DnsMessage['answers']) =>
  list.map((record) => ({ ...record, name: nameKey(record.name), data: nameKey(record.data) }));

/** A message with its names in lower case, as compression may change the case. */
function normal(of: DnsMessage) {
  return {
    ...of,
    questions: of.questions.map((question) => ({ ...question, name: nameKey(question.name) })),
    answers: records(of.answers),
    authorities: records(of.authorities),
    additionals: records(of.additionals),
  };
}

test('a written message is read back, and the TTLs are where the writer says', () => {
  fc.assert(
    fc.property(message, (whole) => {
      const written = writeMessage(whole)!;
      const again = readMessage(written.bytes);
      assert.ok(again);
      assert.deepEqual(normal(again), normal(whole));
      const ttls = [...whole.answers, ...whole.authorities, ...whole.additionals].map((r) => r.ttlSeconds);
      assert.deepEqual(
        written.ttlOffsets.map((at) => uint32At(written.bytes, at)),
        ttls,
      );
    }),
  );
});

test('the first of two equal names keeps its case; compression makes the message smaller', () => {
  const owner = nameFromText('WWW.Example.com');
  const record = {
    name: nameFromText('www.example.COM'),
    type: 1,
    class: 1,
    ttlSeconds: 1,
    data: new Uint8Array(4),
  };
  const { bytes } = writeMessage({
    id: 0,
    flags: 0,
    questions: [{ name: owner, type: 1, class: 1 }],
    answers: [record, record],
    authorities: [],
    additionals: [],
  })!;
  assert.equal(bytes.length, 12 + owner.length + 4 + 2 * (2 + 10 + 4));
  assert.deepEqual(readMessage(bytes)!.answers[1].name, owner);
});

test('random and damaged bytes are read without an exception or an endless loop', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged, pointers), (bytes) => {
      const found = readMessage(bytes);
      // Every accepted message can be written and read again. (65535 bytes are never reached here.)
      if (found !== undefined)
        assert.deepEqual(normal(readMessage(writeMessage(found)!.bytes)!), normal(found));
    }),
    { numRuns: 20_000 },
  );
});

test('messages encoded by dns-packet are understood', () => {
  const wire = dnsPacket.encode({
    type: 'response',
    id: 4711,
    flags: 0x0180,
    questions: [{ name: 'www.example.com', type: 'AAAA' }],
    answers: [
      { name: 'www.example.com', type: 'CNAME', ttl: 300, data: 'example.net' },
      { name: 'example.net', type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mail.example.net' } },
    ],
  });
  const found = readMessage(wire)!;
  assert.equal(found.id, 4711);
  assert.equal(formatName(found.questions[0].name), 'www.example.com');
  assert.deepEqual(found.answers[0].data, nameFromText('example.net'));
  assert.deepEqual(found.answers[1].data, Uint8Array.of(0, 10, ...nameFromText('mail.example.net')));
});

// [what is wrong, bytes of a name at offset 12]
for (const [title, bytes] of [
  ['a pointer to itself', [0xc0, 12]],
  ['a pointer forward', [0xc0, 14, 0]],
  ['a pointer to a pointer to itself', [1, 97, 0xc0, 12]],
  ['a label type that does not exist', [0x40, 0]],
  ['a label that ends behind the message', [5, 97, 0]],
  ['no end', [1, 97]],
  ['256 bytes', [...Array.from({ length: 127 }, () => [1, 97]).flat(), 1, 97, 0]],
] as const) {
  test(`not a name: ${title}`, () => {
    assert.equal(readName(Uint8Array.from([...new Uint8Array(12), ...bytes]), 12), undefined);
  });
}

test('a name of 255 bytes is the longest', () => {
  const longest = Uint8Array.from([...Array.from({ length: 127 }, () => [1, 97]).flat(), 0]);
  assert.deepEqual(readName(longest, 0), { name: longest, end: 255 });
});

test('names are compared without regard to case, and by whole labels', () => {
  assert.ok(namesEqual(nameFromText('A.Example.COM'), nameFromText('a.example.com')));
  assert.ok(isAtOrBelow(nameFromText('x.LOCALHOST'), nameFromText('localhost')));
  assert.ok(!isAtOrBelow(nameFromText('notlocalhost'), nameFromText('localhost')));
  assert.ok(isAtOrBelow(nameFromText('localhost'), nameFromText('.')));
  fc.assert(fc.property(name, name, (a, b) => assert.equal(namesEqual(a, b), nameKey(a) === nameKey(b))));
});

test('a name is formatted for people', () => {
  assert.equal(formatName(Uint8Array.of(3, 0x61, 0x2e, 7, 0)), 'a\\.\\007');
  assert.equal(formatName(Uint8Array.of(0)), '.');
});
