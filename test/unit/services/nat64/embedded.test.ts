/** The IPv4 addresses that are embedded in the addresses of hosts, according to the routes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { embeddedPrefixes } from '../../../../src/services/nat64/settings/embedded.ts';
import { mapIpv4 } from '../../../../src/wire/ip-address.ts';
import { formatIpPrefix, maskAddress, prefixContains } from '../../../../src/wire/ip-prefix.ts';
import { embedIpv4 } from '../../../../src/wire/rfc6052.ts';
import { defaultNat64 } from '../../../netns/nat64/configuration.ts';
import { prefixOf } from './harness.ts';

const route = (destination: string, device = 'lan') => ({ destination: prefixOf(destination), device });
const found = (changes: Parameters<typeof defaultNat64>[0], ...routes: ReturnType<typeof route>[]) =>
  embeddedPrefixes(defaultNat64({ mode: 'stateless', ...changes }), routes).map(formatIpPrefix);

const ROWS: readonly [
  title: string,
  changes: Parameters<typeof defaultNat64>[0],
  routes: ReturnType<typeof route>[],
  expected: string[],
][] = [
  ['a network', { prefix: '2001:db8:64::/96' }, [route('2001:db8:64::192.0.2.128/121')], ['192.0.2.128/25']],
  ['a host', { prefix: '2001:db8:64::/96' }, [route('2001:db8:64::192.0.2.7/128')], ['192.0.2.7/32']],
  [
    '48 bits: the u-octet is inside it',
    { prefix: '2001:db8:64::/48' },
    [route('2001:db8:64:c000:2:8000::/81')],
    ['192.0.2.128/25'],
  ],
  [
    '64 bits: behind the u-octet',
    { prefix: '2001:db8:64::/64' },
    [route('2001:db8:64:0:c0::/88')],
    ['192.0.0.0/16'],
  ],
  [
    '32 bits: a network of hosts behind it',
    { prefix: '2001:db8::/32' },
    [route('2001:db8:c000:207::/64')],
    ['192.0.2.7/32'],
  ],
  ['our own route to the device', { prefix: '2001:db8:64::/96' }, [route('2001:db8:64::/96', 'nat64')], []],
  [
    'a route for the whole prefix to another device is not a host',
    { prefix: '2001:db8:64::/96' },
    [route('2001:db8:64::/96')],
    [],
  ],
  [
    'routes around the prefix and beside it',
    { prefix: '2001:db8:64::/96' },
    [route('2001:db8::/32'), route('2001:db8:65::1/128')],
    [],
  ],
  ['no bit of the IPv4 address', { prefix: '2001:db8:64::/64' }, [route('2001:db8:64::/70')], []],
  ['configured by hand', { embedded: ['192.0.2.0/24'] }, [route('64:ff9b::10.0.0.0/104')], ['192.0.2.0/24']],
  [
    'both',
    { embedded: ['192.0.2.0/24', 'auto'] },
    [route('64:ff9b::10.0.0.0/104')],
    ['192.0.2.0/24', '10.0.0.0/8'],
  ],
  ['with sessions no host has such an address', { mode: 'stateful', embedded: ['192.0.2.0/24'] }, [], []],
];
for (const [title, changes, routes, expected] of ROWS)
  test(title, () => assert.deepEqual(found(changes, ...routes), expected));

test('any prefix: the addresses that the IPv6 prefix contains are those of the IPv4 prefix', () => {
  const prefix = fc.constantFrom(
    '2001:db8::/32',
    '2001:db8:6400::/40',
    '2001:db8:64::/48',
    '2001:db8:64::/56',
    '2001:db8:64::/64',
    '2001:db8:64::/96',
  ); // prettier-ignore
  const ipv4 = fc.nat(0xffff_ffff);
  fc.assert(
    fc.property(prefix, ipv4, ipv4, fc.integer({ min: 33, max: 128 }), (text, base, other, prefixBits) => {
      const nat64Prefix = prefixOf(text);
      fc.pre(prefixBits > nat64Prefix.prefixBits);
      const destination = { address: maskAddress(embedIpv4(nat64Prefix, base), prefixBits), prefixBits };
      const config = defaultNat64({ mode: 'stateless', prefix: text });
      const [embedded] = embeddedPrefixes(config, [{ destination, device: 'lan' }]);
      // A route that covers only the u-octet says nothing about the IPv4 address.
      if (embedded === undefined) return;
      for (const each of [base, other])
        assert.equal(
          prefixContains(embedded, mapIpv4(each)),
          prefixContains(destination, embedIpv4(nat64Prefix, each)),
        );
    }),
    { numRuns: 2000 },
  );
});
