import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv6, parseIpv4, parseIpv6 } from '../../../src/wire/ip-address.ts';
import {
  extractIpv4,
  isWellKnownPrefix,
  nat64PrefixContains,
  parseNat64Prefix,
  writeEmbeddedIpv4,
} from '../../../src/wire/nat64-prefix.ts';

/** RFC 6052 section 2.4, table 2, and the well-known prefix of table 3. */
const EXAMPLES: [prefix: string, embedded: string][] = [
  ['2001:db8::/32', '2001:db8:c000:221::'],
  ['2001:db8:100::/40', '2001:db8:1c0:2:21::'],
  ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::'],
  ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::'],
  ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100:0'],
  ['2001:db8:122:344::/96', '2001:db8:122:344::192.0.2.33'],
  ['64:ff9b::/96', '64:ff9b::192.0.2.33'],
];

const parse = (text: string) => {
  const prefix = parseNat64Prefix(text);
  assert.ok(prefix !== undefined, text);
  return prefix;
};

test('RFC 6052 section 2.4: the examples, in both directions', () => {
  const ipv4 = parseIpv4('192.0.2.33') as number;
  for (const [prefixText, embedded] of EXAMPLES) {
    const prefix = parse(prefixText);
    const view = new DataView(new ArrayBuffer(16));
    writeEmbeddedIpv4(prefix, ipv4 | 0, view, 0);
    assert.equal(formatIpv6(new Uint8Array(view.buffer)), formatIpv6(parseIpv6(embedded) as Uint8Array));
    assert.equal(extractIpv4(prefix.prefixBits, view, 0) >>> 0, ipv4);
    assert.ok(nat64PrefixContains(prefix, view, 0));
  }
});

const prefixes = fc.constantFrom(...EXAMPLES.map(([text]) => parse(text)));

test('every address survives the round trip, with a zero u-octet; N33: u-octet and suffix are ignored', () => {
  fc.assert(
    fc.property(
      prefixes,
      fc.nat(0xffffffff),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (prefix, ipv4, noise) => {
        const bytes = new Uint8Array(16);
        const view = new DataView(bytes.buffer);
        writeEmbeddedIpv4(prefix, ipv4 | 0, view, 0);
        assert.equal(bytes[8], 0);
        if (prefix.prefixBits < 96) {
          bytes[8] = noise[8];
          const suffixAt = 5 + prefix.prefixBits / 8;
          for (let i = suffixAt; i < 16; i++) bytes[i] = noise[i];
        }
        assert.ok(nat64PrefixContains(prefix, view, 0));
        assert.equal(extractIpv4(prefix.prefixBits, view, 0) >>> 0, ipv4);
      },
    ),
  );
});

test('an address is inside the prefix if its leading bits match', () => {
  fc.assert(
    fc.property(prefixes, fc.nat(127), (prefix, bit) => {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      writeEmbeddedIpv4(prefix, 0x5a5a5a5a, view, 0);
      bytes[bit >> 3] ^= 0x80 >> (bit & 7);
      assert.equal(nat64PrefixContains(prefix, view, 0), bit >= prefix.prefixBits);
    }),
  );
});

test('other lengths, a set u-octet and malformed text are not NAT64 prefixes', () => {
  const texts = [
    '2001:db8::/33',
    '2001:db8::/128',
    '2001:db8:0:0:100::/96',
    '192.0.2.0/24',
    '64:ff9b::1/96',
    'x',
  ];
  for (const text of texts) assert.equal(parseNat64Prefix(text), undefined, text);
});

test('the well-known prefix is recognised', () => {
  assert.ok(isWellKnownPrefix(parse('64:ff9b::/96')));
  assert.ok(!isWellKnownPrefix(parse('64:ff9b:1::/96')));
  assert.ok(!isWellKnownPrefix(parse('64:ff9b::/64')));
});
