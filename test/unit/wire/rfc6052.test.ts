import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIpv4, parseIpv6 } from '../../../src/wire/ip-address.ts';
import { maskAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { embedIpv4, ipv4Inside } from '../../../src/wire/rfc6052.ts';

// RFC 6052 section 2.4, table 2, and the well-known prefix.
for (const [prefix, expected] of [
  ['2001:db8::/32', '2001:db8:c000:221::'],
  ['2001:db8:100::/40', '2001:db8:1c0:2:21::'],
  ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::'],
  ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::'],
  ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100::'],
  ['2001:db8:122:344::/96', '2001:db8:122:344::c000:221'],
  ['64:ff9b::/96', '64:ff9b::c000:221'],
]) {
  test(`192.0.2.33 inside ${prefix} is ${expected}`, () => {
    const bytes = embedIpv4(parseIpPrefix(prefix)!, parseIpv4('192.0.2.33')!);
    assert.deepEqual(bytes, parseIpv6(expected));
    assert.equal(ipv4Inside(parseIpPrefix(prefix)!, parseIpv6(expected)!), parseIpv4('192.0.2.33'));
  });
}

test('an embedded address is extracted for any "u" octet and suffix, and "u" is written as zero', () => {
  const prefixBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(
      prefixBytes,
      fc.constantFrom(32, 40, 48, 56, 64, 96),
      fc.nat(0xffffffff),
      fc.nat(255),
      (bytes, prefixBits, ipv4, noise) => {
        const address = maskAddress(bytes, prefixBits);
        address[8] = 0;
        const embedded = embedIpv4({ address, prefixBits }, ipv4);
        assert.equal(embedded[8], 0);
        embedded[8] = noise;
        if (prefixBits < 96) embedded[15] = noise;
        assert.equal(ipv4Inside({ address, prefixBits }, embedded), ipv4);
      },
    ),
  );
});
