import assert from 'node:assert/strict';
import { test } from 'node:test';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { makeAnswer } from '../../../../src/services/dns64/answer.ts';
import {
  decideAaaa,
  decideReverse,
  maySynthesise,
  mayRepresent,
  needsA,
  reverseAddress,
  reverseTarget,
  withoutExcluded,
} from '../../../../src/services/dns64/decide.ts';
import { danglingAlias } from '../../../../src/wire/dns-answer.ts';
import { CLASS_IN, type DnsMessage, Rcode, Type } from '../../../../src/wire/dns-message.ts';
import { formatName, nameFromText } from '../../../../src/wire/dns-name.ts';
import { parseIpv4, parseIpv6 } from '../../../../src/wire/ip-address.ts';
import { maskAddress, parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';
import { embedIpv4 } from '../../../../src/wire/rfc6052.ts';
import { line, response } from './helpers.ts';

const question = { name: nameFromText('www.example.com'), type: Type.AAAA, class: CLASS_IN };
const prefixes = (...texts: string[]) => texts.map((text) => parseIpPrefix(text)!);
const WELL_KNOWN = prefixes('64:ff9b::/96');
const { NXDOMAIN, SERVFAIL } = Rcode;

const noData = response(0, '--', 'example.com 900 SOA 120');
const SYNTHESISED = 'www.example.com 120 AAAA 64:ff9b::c000:201';

interface Row {
  title: string;
  aaaa: DnsMessage | undefined;
  /** Absent: must not be queried. */
  a?: DnsMessage | 'failed';
  prefixes?: ReturnType<typeof prefixes>;
  dnssecOk?: boolean;
  /** Response code and lines of the answer section; undefined: SERVFAIL. */
  expected: [number, ...string[]] | undefined;
}

const rows: Row[] = [
  {
    title: 'D1: a real AAAA is the answer',
    aaaa: response(0, 'www.example.com 300 AAAA 2001:db8::1'),
    expected: [0, 'www.example.com 300 AAAA 2001:db8::1'],
  },
  {
    title: 'D1, D4: a real AAAA behind a CNAME is the answer',
    aaaa: response(0, 'www.example.com 300 CNAME a.example.net', 'a.example.net 60 AAAA 2001:db8::1'),
    expected: [0, 'www.example.com 300 CNAME a.example.net', 'a.example.net 60 AAAA 2001:db8::1'],
  },
  {
    title: 'D2: NXDOMAIN passes',
    aaaa: response(NXDOMAIN, '--', 'example.com 900 SOA 120'),
    expected: [NXDOMAIN],
  },
  {
    title: 'D6: the TTL is the smaller one of the A record and the negative answer',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 192.0.2.1'),
    expected: [0, SYNTHESISED],
  },
  {
    title: 'D6: a shorter TTL of the A record wins',
    aaaa: noData,
    a: response(0, 'www.example.com 30 A 192.0.2.1'),
    expected: [0, 'www.example.com 30 AAAA 64:ff9b::c000:201'],
  },
  {
    title: 'D6: without SOA at most 600 s',
    aaaa: response(0),
    a: response(0, 'www.example.com 86400 A 192.0.2.1'),
    expected: [0, 'www.example.com 600 AAAA 64:ff9b::c000:201'],
  },
  {
    title: 'D2: SERVFAIL for AAAA counts as empty',
    aaaa: response(SERVFAIL),
    a: response(0, 'www.example.com 300 A 192.0.2.1'),
    expected: [0, 'www.example.com 300 AAAA 64:ff9b::c000:201'],
  },
  {
    title: 'D2: no answer for AAAA counts as empty',
    aaaa: undefined,
    a: response(0, 'www.example.com 300 A 192.0.2.1'),
    expected: [0, 'www.example.com 300 AAAA 64:ff9b::c000:201'],
  },
  {
    title: 'D3: only excluded AAAA records count as none',
    aaaa: response(0, 'www.example.com 300 AAAA ::ffff:192.0.2.9'),
    a: response(0, 'www.example.com 300 A 192.0.2.1'),
    expected: [0, 'www.example.com 300 AAAA 64:ff9b::c000:201'],
  },
  {
    title: 'D3: excluded AAAA records are left out if there are others',
    aaaa: response(0, 'www.example.com 300 AAAA ::ffff:192.0.2.9', 'www.example.com 300 AAAA 2001:db8::1'),
    expected: [0, 'www.example.com 300 AAAA 2001:db8::1'],
  },
  {
    title: 'D4: an alias without AAAA at its end is no answer (dnsproxy issue 438)',
    aaaa: response(0, 'www.example.com 300 CNAME b.example.net', '--', 'example.net 900 SOA 120'),
    a: response(
      0,
      'www.example.com 300 CNAME b.example.net',
      'b.example.net 300 CNAME c.example.net',
      'c.example.net 300 A 192.0.2.1',
    ),
    expected: [
      0,
      'www.example.com 300 CNAME b.example.net',
      'b.example.net 300 CNAME c.example.net',
      'c.example.net 120 AAAA 64:ff9b::c000:201',
    ],
  },
  {
    title: 'D4: DNAME and the CNAME made from it are kept',
    aaaa: noData,
    a: response(
      0,
      'example.com 300 DNAME example.net',
      'www.example.com 0 CNAME www.example.net',
      'www.example.net 300 A 192.0.2.1',
    ),
    expected: [
      0,
      'example.com 300 DNAME example.net',
      'www.example.com 0 CNAME www.example.net',
      'www.example.net 120 AAAA 64:ff9b::c000:201',
    ],
  },
  {
    title: 'D5: neither: the AAAA response',
    aaaa: noData,
    a: response(0, '--', 'example.com 9 SOA 9'),
    expected: [0],
  },
  { title: 'D5: NXDOMAIN for A', aaaa: noData, a: response(NXDOMAIN), expected: [NXDOMAIN] },
  { title: 'D5: A fails', aaaa: noData, a: 'failed', expected: undefined },
  { title: 'both fail', aaaa: undefined, a: 'failed', expected: undefined },
  {
    title: 'AAAA fails, A is empty',
    aaaa: undefined,
    a: response(0, '--', 'example.com 9 SOA 9'),
    expected: [0],
  },
  {
    title: 'several A records, several prefixes: all of them',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 192.0.2.1', 'www.example.com 300 A 192.0.2.2'),
    prefixes: prefixes('64:ff9b::/96', '2001:db8:64::/48'),
    expected: [
      0,
      'www.example.com 120 AAAA 64:ff9b::c000:201',
      'www.example.com 120 AAAA 64:ff9b::c000:202',
      'www.example.com 120 AAAA 2001:db8:64:c000:2:100::',
      'www.example.com 120 AAAA 2001:db8:64:c000:2:200::',
    ],
  },
  {
    title: 'D7: private addresses are not put into the well-known prefix',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 10.0.0.1', 'www.example.com 300 A 192.0.2.1'),
    expected: [0, SYNTHESISED],
  },
  {
    title: "D7: but into a network's own",
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 10.0.0.1'),
    prefixes: prefixes('2001:db8:64::/96'),
    expected: [0, 'www.example.com 120 AAAA 2001:db8:64::a00:1'],
  },
  {
    title: 'D7: addresses that no translator can reach: as if there were none',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 127.0.0.1', 'www.example.com 300 A 224.0.0.1'),
    prefixes: prefixes('2001:db8:64::/96'),
    expected: [0],
  },
  {
    title: 'D12: DO and a signed negative answer: unchanged',
    aaaa: response(0, '--', 'example.com 900 SOA 120', 'example.com 900 RRSIG signature'),
    dnssecOk: true,
    expected: [0],
  },
  {
    title: 'D12: DO and a signed A: the AAAA response',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 192.0.2.1', 'www.example.com 300 RRSIG signature'),
    dnssecOk: true,
    expected: [0],
  },
  {
    title: 'DO and nothing signed: synthesised',
    aaaa: noData,
    a: response(0, 'www.example.com 300 A 192.0.2.1'),
    dnssecOk: true,
    expected: [0, SYNTHESISED],
  },
];

for (const { title, aaaa, a, prefixes: pref64 = WELL_KNOWN, dnssecOk = false, expected } of rows) {
  test(title, () => {
    const clean = aaaa && withoutExcluded(aaaa);
    assert.equal(needsA(clean, dnssecOk), a !== undefined);
    const message =
      a === undefined
        ? clean
        : decideAaaa(question, clean, a === 'failed' ? undefined : a, pref64, dnssecOk).message;
    const found = message && [message.flags & 15, ...message.answers.map(line)];
    assert.deepEqual(found, expected);
  });
}

test('whatever the A records and the prefix, another implementation understands the answer on the wire', () => {
  const prefix = fc.tuple(
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.constantFrom(32, 40, 48, 56, 64, 96),
  );
  fc.assert(
    fc.property(
      prefix,
      fc.array(fc.ipV4(), { minLength: 1, maxLength: 20 }),
      fc.nat(7200),
      ([bytes, prefixBits], texts, ttl) => {
        const address = maskAddress(bytes, prefixBits);
        address[8] = 0;
        const pref64 = [{ address, prefixBits }];
        const a = response(
          0,
          'www.example.com 5 CNAME a.example.net',
          ...texts.map((text) => `a.example.net ${ttl} A ${text}`),
        );
        const { message } = decideAaaa(question, noData, a, pref64, false);
        const { words, messageBytes } = makeAnswer(question, 0, message!);
        const decoded = dnsPacket.decode(Buffer.from(words.buffer, 0, messageBytes));
        const usable = texts.map((text) => parseIpv4(text)!).filter((ipv4) => mayRepresent(pref64[0], ipv4));
        const found = decoded.answers?.flatMap((record) =>
          record.type === 'AAAA' ? [parseIpv6(record.data)] : [],
        );
        assert.deepEqual(
          found,
          usable.map((ipv4) => embedIpv4(pref64[0], ipv4)),
        );
        assert.equal(
          decoded.answers?.some(({ type }) => type === 'A'),
          false,
        );
      },
    ),
  );
});

test('D11: only DO together with CD forbids synthesis', () => {
  assert.deepEqual(
    [
      maySynthesise(false, false),
      maySynthesise(true, false),
      maySynthesise(false, true),
      maySynthesise(true, true),
    ],
    [true, true, true, false],
  );
});

test('the documentation ranges may be represented by the well-known prefix: labs use them', () => {
  for (const text of ['192.0.2.1', '198.51.100.1', '203.0.113.1', '8.8.8.8'])
    assert.ok(mayRepresent(WELL_KNOWN[0], parseIpv4(text)!), text);
});

const ip6Arpa = (bytes: Uint8Array) =>
  `${Array.from(Buffer.from(bytes).toString('hex')).reverse().join('.')}.ip6.arpa`;

test('an ip6.arpa name is its address', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) =>
      assert.deepEqual(reverseAddress(nameFromText(ip6Arpa(bytes).toUpperCase())), bytes),
    ),
  );
});

for (const [title, text, pref64, expected] of [
  ['inside', '0064ff9b0000000000000000c0000221', '64:ff9b::/96', '33.2.0.192.in-addr.arpa'],
  ['inside /48', '20010db80122c0000002210000000000', '2001:db8:122::/48', '33.2.0.192.in-addr.arpa'],
  ['outside', '20010db8000000000000000000000001', '64:ff9b::/96', undefined],
] as const) {
  test(`D9: a reverse name ${title} the prefix`, () => {
    const name = nameFromText(ip6Arpa(Buffer.from(text, 'hex')));
    const target = reverseTarget(name, prefixes(pref64));
    assert.equal(target && formatName(target), expected);
  });
}

test('D9: names that are not a complete address are resolved unchanged', () => {
  for (const text of ['ip6.arpa', '1.ip6.arpa', `x.${ip6Arpa(new Uint8Array(16))}`, 'www.example.com'])
    assert.equal(reverseTarget(nameFromText(text), prefixes('64:ff9b::/96')), undefined);
});

test('D9: the response is a CNAME and the records of the in-addr.arpa name, with no longer TTL', () => {
  const target = nameFromText('33.2.0.192.in-addr.arpa');
  const found = decideReverse(
    question,
    target,
    response(0, '33.2.0.192.in-addr.arpa 77 PTR host.example.com'),
  );
  assert.deepEqual(found.answers.map(line), [
    'www.example.com 77 CNAME 33.2.0.192.in-addr.arpa',
    '33.2.0.192.in-addr.arpa 77 PTR host.example.com',
  ]);
});

for (const [title, message, expected] of [
  [
    'the end is missing',
    response(0, 'www.example.com 1 CNAME b.example.com', 'b.example.com 1 CNAME c.example.net'),
    'c.example.net',
  ],
  [
    'the end has a negative answer',
    response(0, 'www.example.com 1 CNAME b.example.com', '--', 'example.com 1 SOA 1'),
    undefined,
  ],
  [
    'the record exists',
    response(0, 'www.example.com 1 CNAME b.example.com', 'b.example.com 1 AAAA 2001:db8::1'),
    undefined,
  ],
  [
    'a loop',
    response(0, 'www.example.com 1 CNAME b.example.com', 'b.example.com 1 CNAME www.example.com'),
    'www.example.com',
  ],
  ['no alias', response(0), undefined],
] as const) {
  test(`a chain of aliases: ${title}`, () => {
    const found = danglingAlias(question, message);
    assert.equal(found && formatName(found), expected);
  });
}
