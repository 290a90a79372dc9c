import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSocketAddress } from '../../../../src/os/socket-address.ts';
import { buildHostTable, findBackend } from '../../../../src/services/proxy/host-table.ts';
import { hostAt } from '../../net/support.ts';

const table = buildHostTable(
  [
    hostAt('exact', { hostnames: ['Example.com', 'www.example.com'], services: ['https'] }),
    hostAt('wild', { hostnames: ['*.example.com', '*.EXAMPLE.net.'], services: ['https'] }),
    hostAt('deeper', { hostnames: ['*.a.example.com'], services: ['https'] }),
    hostAt('mail', { hostnames: ['mail.example.org'], services: ['imaps'] }),
    hostAt('second', { hostnames: ['example.com'], services: ['https'] }),
    hostAt('off', { enabled: false, hostnames: ['off.example.org'], services: ['https'] }),
    hostAt('any-depth', { hostnames: ['**.example.com', '**.Example.org.'], services: ['https'] }),
    hostAt('longer', { hostnames: ['**.x.example.com'], services: ['https'] }),
    hostAt('other-port', {
      hostnames: ['port.example.net'],
      services: ['http', { listener: 'https', targetPort: 8443, clientAddress: 'none' }],
      clientAddress: 'proxy-v2',
    }),
  ],
  { name: 'https', port: 443, protocol: 'tls' },
  { listeners: [], attached: [] },
);

for (const [host, expected] of [
  ['example.com', 'exact'],
  ['www.example.com', 'exact'],
  ['other.example.com', 'wild'],
  ['b.a.example.com', 'deeper'],
  ['a.example.com', 'wild'],
  ['c.b.a.example.com', 'any-depth'], // "*." is one label
  ['x.y.example.com', 'any-depth'],
  ['x.example.com', 'wild'], // "*." goes before "**."
  ['y.x.example.com', 'longer'],
  ['z.y.x.example.com', 'longer'],
  ['z..x.example.com', undefined],
  ['.x.example.com', undefined],
  ['example.org', undefined],
  ['a.example.org', 'any-depth'],
  ['off.example.org', undefined], // the name of a server that is switched off is no other server's
  ['port.example.net', 'other-port'],
  ['a.example.net', 'wild'],
  ['example.net', undefined],
  ['.example.com', undefined],
  ['com', undefined],
  ['', undefined],
  ['*.example.com', 'wild'], // a label like any other
  ['mail.example.org', undefined], // the server of this name does not use the listener
] as const) {
  test(`"${host}" leads to ${expected ?? 'no server'}`, () =>
    assert.equal(findBackend(table, host)?.name, expected));
}

test('a service may have another port and another way to tell the client', () => {
  const { serverAddress, clientAddress } = findBackend(table, 'port.example.net')!;
  assert.deepEqual(decodeSocketAddress(serverAddress).port, 8443);
  assert.equal(clientAddress, 'none');
});
