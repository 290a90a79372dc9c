import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatIpAddress,
  formatIpv4,
  formatIpv6,
  mapIpv4,
  mappedIpv4,
  parseIpAddress,
  parseIpv4,
  parseIpv6,
} from '../../../src/wire/ip-address.ts';
import {
  anyPrefixContains,
  formatIpPrefix,
  maskAddress,
  parseIpPrefix,
  prefixContains,
} from '../../../src/wire/ip-prefix.ts';

const address16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Text that is almost an address, which random strings rarely are. */
const nearlyAddress = fc
  .array(fc.constantFrom(':', '::', '.', '0', '1', '255', '256', '01', 'ffff', '12345', 'g', '', '%eth0'), {
    maxLength: 16,
  })
  .map((parts) => parts.join(''));

test('IPv6 text round-trips through bytes', () => {
  fc.assert(fc.property(address16, (bytes) => assert.deepEqual(parseIpv6(formatIpv6(bytes)), bytes)));
});

test('IPv4 text round-trips through numbers', () => {
  fc.assert(fc.property(fc.nat(0xffffffff), (n) => assert.equal(parseIpv4(formatIpv4(n)), n)));
});

test("accepts exactly what Node's own parser accepts, on valid, nearly valid and random text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearlyAddress, fc.string()), (text) => {
      assert.equal(parseIpv4(text) !== undefined, isIPv4(text), text);
      assert.equal(parseIpv6(text) !== undefined, isIPv6(text) && !text.includes('%'), text);
    }),
    { numRuns: 20_000 },
  );
});

// RFC 5952 sections 4 and 5.
for (const [input, expected] of [
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8::', '2001:db8::'],
]) {
  test(`${input} is formatted as ${expected}`, () => assert.equal(formatIpv6(parseIpv6(input)!), expected));
}

test('an IPv4 address and its mapped form are the same', () => {
  fc.assert(fc.property(fc.nat(0xffffffff), (n) => assert.equal(mappedIpv4(mapIpv4(n)), n)));
  assert.equal(formatIpAddress(parseIpAddress('::ffff:192.0.2.1')!), '192.0.2.1');
  assert.equal(mappedIpv4(parseIpv6('64:ff9b::1')!), undefined);
});

test('a prefix contains an address exactly if the masked address equals it', () => {
  fc.assert(
    fc.property(address16, address16, fc.nat(128), fc.nat(128), (prefixBytes, other, bits, same) => {
      const prefix = { address: maskAddress(prefixBytes, bits), prefixBits: bits };
      // `candidate` shares its first `same` bits with the prefix, so that both answers occur often.
      const head = maskAddress(prefixBytes, same);
      const candidate = other.map(
        (byte, i) => head[i] | (byte & ~maskAddress(new Uint8Array(16).fill(255), same)[i]),
      );
      const isIpv4 = mappedIpv4(candidate as Uint8Array) !== undefined;
      const isInside = maskAddress(candidate, bits).every((byte, i) => byte === prefix.address[i]);
      const expected = isInside && (bits >= 96 || !isIpv4);
      assert.equal(prefixContains(prefix, candidate), expected);
    }),
  );
});

for (const [text, formatted] of [
  ['2001:db8::/32', '2001:db8::/32'],
  ['192.0.2.0/24', '192.0.2.0/24'],
  ['192.0.2.7', '192.0.2.7/32'],
  ['::/0', '::/0'],
] as const) {
  test(`prefix ${text}`, () => assert.equal(formatIpPrefix(parseIpPrefix(text)!), formatted));
}

for (const text of [
  '2001:db8::1/32',
  '192.0.2.0/33',
  '2001:db8::/129',
  '192.0.2.0/-1',
  '/24',
  '::/0/0',
  '::/',
]) {
  test(`not a prefix: "${text}"`, () => assert.equal(parseIpPrefix(text), undefined));
}

for (const [prefix, address, isInside] of [
  ['::/0', '2001:db8::1', true],
  ['::/0', '192.0.2.1', false],
  ['::/64', '::1', true],
  ['::/64', '192.0.2.1', false],
  ['::ffff:0:0/96', '192.0.2.1', true],
  ['0.0.0.0/0', '192.0.2.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
] as const) {
  test(`${prefix} ${isInside ? 'contains' : 'does not contain'} ${address}`, () =>
    assert.equal(prefixContains(parseIpPrefix(prefix)!, parseIpAddress(address)!), isInside));
}

test('an empty access list admits nobody', () => assert.equal(anyPrefixContains([], mapIpv4(1)), false));
