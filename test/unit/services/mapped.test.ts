/** Mapped addresses of clients: which they are, who uses them, and the route that a server needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSourceOf } from '../../../src/net/mapped-source.ts';
import { decodeSocketAddress } from '../../../src/os/socket-address.ts';
import {
  isMapped,
  mappedAddress,
  probeAddress,
  routeLine,
  routePrefix,
  whatServerSees,
  withoutCounterOf,
} from '../../../src/services/mapped.ts';
import { english } from '../../../src/texts/text.ts';
import { formatIpAddress, mapIpv4, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseIpPrefix, prefixContains } from '../../../src/wire/ip-prefix.ts';
import { ipv4Inside } from '../../../src/wire/rfc6052.ts';
import { MAPPED, hostAt } from '../net/support.ts';

const OTHER = { mappedPrefix: '2001:db8:64::/96', mappedFallback: 'refuse' } as const;
const address = (text: string) => parseIpAddress(text)!;
const text = (bytes: Uint8Array | undefined) => bytes && formatIpAddress(bytes);

test('an IPv4 client has an address in the prefix, an IPv6 client has none', () => {
  assert.equal(text(mappedAddress(MAPPED, address('203.0.113.9'))), '64:ff9b:1:fffe::cb00:7109');
  assert.equal(text(mappedAddress(OTHER, address('10.0.0.1'))), '2001:db8:64::a00:1');
  assert.equal(mappedAddress(MAPPED, address('2001:db8::1')), undefined);
  assert.equal(text(probeAddress(MAPPED)), '64:ff9b:1:fffe::c000:201');
});

test('the source of a connection is the mapped address, and contains the client', () => {
  const prefix = parseIpPrefix(MAPPED.mappedPrefix)!;
  const sourceOf = createSourceOf(probeAddress(MAPPED), 7);
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (ipv4) => {
      const client = { address: mapIpv4(ipv4), port: 4711 };
      const source = sourceOf(client)!;
      const found = decodeSocketAddress(source.address);
      assert.equal(found.port, 0);
      assert.ok(prefixContains(prefix, found.address));
      assert.equal(ipv4Inside(prefix, found.address), ipv4);
      assert.equal(text(found.address), text(mappedAddress(MAPPED, client.address)));
      assert.equal(text(decodeSocketAddress(source.trial).address), '64:ff9b:1:fffe::c000:201');
    }),
  );
  assert.equal(sourceOf({ address: address('2001:db8::1'), port: 1 }), undefined);
});

test('one route covers the default prefix and its neighbour; another prefix is its own route', () => {
  assert.equal(routePrefix(MAPPED), '64:ff9b:1:fffe::/63');
  assert.equal(routePrefix({ mappedPrefix: '64:ff9b:1:ffff::/96' }), '64:ff9b:1:fffe::/63');
  assert.equal(routePrefix(OTHER), '2001:db8:64::/96');
  assert.equal(routeLine(MAPPED, '2001:db8:1::1'), 'ip -6 route add 64:ff9b:1:fffe::/63 via 2001:db8:1::1');
});

test('who uses it', () => {
  const mapped = (fields: object) => isMapped(hostAt('a', { clientAddress: 'mapped', ...fields }));
  assert.equal(mapped({ services: ['https'] }), true);
  assert.equal(mapped({ ssh: { targetPort: 22 } }), true);
  assert.equal(mapped({}), false, 'nothing leads to this server');
  assert.equal(isMapped(hostAt('a', { services: ['https'] })), false);
});

test('without the route', () => {
  assert.deepEqual([withoutCounterOf(MAPPED, 7), withoutCounterOf(OTHER, 7)], [7, -1]);
  assert.match(
    english(whatServerSees(MAPPED, '203.0.113.9')),
    /as 64:ff9b:1:fffe::cb00:7109\. If it has no route for 64:ff9b:1:fffe::\/63 .*, it sees the address of/,
  );
  assert.match(english(whatServerSees(OTHER, '203.0.113.9')), /the client is refused/);
  assert.match(english(whatServerSees(MAPPED, '2001:db8::1')), /only IPv4 addresses are mapped/);
});
