import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHostTable, findBackend } from '../../../../src/services/proxy/host-table.ts';
import { hostAt } from '../../net/support.ts';

const table = buildHostTable(
  [
    hostAt('exact', { hostnames: ['Example.com', 'www.example.com'], services: ['https'] }),
    hostAt('wild', { hostnames: ['*.example.com', '*.EXAMPLE.net.'], services: ['https'] }),
    hostAt('deeper', { hostnames: ['*.a.example.com'], services: ['https'] }),
    hostAt('mail', { hostnames: ['mail.example.org'], services: ['imaps'] }),
    hostAt('second', { hostnames: ['example.com'], services: ['https'] }),
  ],
  { name: 'https', port: 443 },
);

for (const [host, expected] of [
  ['example.com', 'exact'],
  ['www.example.com', 'exact'],
  ['other.example.com', 'wild'],
  ['b.a.example.com', 'deeper'],
  ['a.example.com', 'wild'],
  ['c.b.a.example.com', undefined],
  ['x.y.example.com', undefined],
  ['a.example.net', 'wild'],
  ['example.net', undefined],
  ['.example.com', undefined],
  ['com', undefined],
  ['', undefined],
  ['*.example.com', 'wild'], // a label like any other
  ['mail.example.org', undefined],
] as const) {
  test(`"${host}" leads to ${expected ?? 'no server'}`, () =>
    assert.equal(findBackend(table, host)?.name, expected));
}
