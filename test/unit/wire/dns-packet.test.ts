import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from 'dns-packet';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { type DnsRecord, Rcode, Type, readMessage, writeMessage } from '../../../src/wire/dns-message.ts';
import { formatName, nameFromText } from '../../../src/wire/dns-name.ts';
import { makeResponse, readPlainAnswer } from '../../../src/wire/dns-packet.ts';
import { formatIpv4, formatIpv6, ipv4At } from '../../../src/wire/ip-address.ts';
import { damaged, message, pointers } from './dns-arbitrary.ts';

const OWNER = nameFromText('www.example.com');
const record = (type: number, data: Iterable<number>, name = OWNER): DnsRecord => ({
  name,
  type,
  class: 1,
  ttlSeconds: 300,
  data: Uint8Array.from(data),
});
const response = (...answers: DnsRecord[]): Uint8Array =>
  writeMessage({ id: 1, flags: 0x8180, questions: [], answers, authorities: [], additionals: [] })!.bytes;

test('addresses and names of an answer are read, other records are skipped', () => {
  const svcb = [0, 1, 0, 0, 1, 0, 3, 2, 0x68, 0x33];
  const found = readPlainAnswer(
    response(
      record(Type.CNAME, nameFromText('example.net')),
      record(65, svcb, nameFromText('example.net')),
      record(Type.AAAA, Buffer.from('20010db8000100000000000000000010', 'hex'), nameFromText('example.net')),
      record(16, [200, 1]), // TXT whose string ends behind its data
    ),
  );
  assert.equal(found?.rcode, Rcode.NOERROR);
  assert.deepEqual(
    found?.answers.map(({ name, type, ttl, data }) => [name, type, ttl, data]),
    [
      ['www.example.com', 'CNAME', 300, 'example.net'],
      ['example.net', 'AAAA', 300, '2001:db8:1::10'],
    ],
  );
});

// [what the library reads wrongly, the message, the result of the library]
const WRONG: readonly [string, Uint8Array, RegExp][] = [
  [
    'a dot inside a label',
    response(record(Type.A, [192, 0, 2, 1], Uint8Array.of(3, 0x61, 0x2e, 0x62, 0))),
    /"a\.b"/,
  ],
  ['bytes that are not UTF-8', response(record(Type.CNAME, [2, 0xff, 0xfe, 0])), /\ufffd/],
  ['an address of 5 bytes', wire(Type.A, [192, 0, 2, 1, 9]), /"192\.0\.2\.1"/],
  ['an alias with bytes behind its name', wire(Type.CNAME, [1, 0x61, 0, 7, 7]), /"a"/],
];

/** A response with one record, with the given data. */
function wire(type: number, data: readonly number[]): Uint8Array {
  const owner = [0, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length];
  return Uint8Array.from([0, 1, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0, ...owner, ...data]);
}

for (const [title, bytes, readAs] of WRONG) {
  test(`a message that the library reads wrongly is refused: ${title}`, () => {
    assert.match(JSON.stringify(dnsPacket.decode(Buffer.from(bytes)).answers), readAs);
    assert.equal(readPlainAnswer(bytes), undefined);
  });
}

test('from random and damaged messages, only records that our own reader accepts are read', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        damaged,
        pointers,
        message.map((whole) => writeMessage(whole)!.bytes),
      ),
      (bytes) => {
        const found = readPlainAnswer(bytes);
        if (found === undefined) return;
        const own = readMessage(bytes)!.answers.filter(
          ({ type, class: of }) =>
            of === 1 && [Type.A, Type.NS, Type.CNAME, Type.PTR, Type.AAAA].includes(type as 1),
        );
        assert.deepEqual(
          found.answers.map(({ name, type, ttl, data }) => [name, type, ttl, data]),
          own.map(({ name, type, ttlSeconds, data }) => [
            formatName(name),
            Object.entries(Type).find(([, number]) => number === type)![0],
            ttlSeconds,
            type === Type.A
              ? formatIpv4(ipv4At(data, 0))
              : type === Type.AAAA
                ? formatIpv6(data)
                : formatName(data),
          ]),
        );
      },
    ),
    { numRuns: 5000 },
  );
});

test('a response is made', () => {
  const made = makeResponse({
    rcode: Rcode.NXDOMAIN,
    answers: [{ name: 'a.example.com', type: 'AAAA', class: 'IN', ttl: 60, data: '64:ff9b::192.0.2.1' }],
    authorities: [],
  });
  assert.equal(made.flags & 15, Rcode.NXDOMAIN);
  assert.equal(formatName(made.answers[0].name), 'a.example.com');
  assert.equal(formatIpv6(made.answers[0].data), '64:ff9b::c000:201');
});

const answer = (type: string, data: unknown, name = 'a.example.com'): Answer =>
  ({ name, type, class: 'IN', ttl: 60, data }) as Answer;

for (const [title, meant] of [
  ['a label of 64 bytes', answer('A', '192.0.2.1', `${'a'.repeat(64)}.example.com`)],
  ['an alias to one of 200', answer('CNAME', `${'a'.repeat(200)}.example.com`)],
  ['an empty label', answer('A', '192.0.2.1', 'a..example.com')],
  ['an octet of 300', answer('A', '192.0.2.300')],
  ['an address of three octets', answer('A', '192.0.2')],
  ['two "::"', answer('AAAA', '2001::db8::1')],
  ['no address', answer('AAAA', 'example.com')],
] as const) {
  test(`an answer that the library would write wrongly is refused: ${title}`, () => {
    assert.throws(() => makeResponse({ rcode: 0, answers: [meant], authorities: [] }));
  });
}
