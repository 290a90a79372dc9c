/** What becomes of clients: a table of who asks for what, and what comes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenerConfig } from '../../../../src/config/schema.ts';
import { decodeSocketAddress } from '../../../../src/os/socket-address.ts';
import { decide, locationOf } from '../../../../src/services/proxy/decide.ts';
import { buildHostTable } from '../../../../src/services/proxy/host-table.ts';
import { offeredOf } from '../../../../src/services/proxy/offered.ts';
import { parseIpAddress } from '../../../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';
import { hostAt } from '../../net/support.ts';

const http: ListenerConfig = { name: 'http', port: 80, protocol: 'http' };
const https: ListenerConfig = { name: 'https', port: 443, protocol: 'tls' };
const services = ['http', 'https'];
const hosts = [
  hostAt('plain', { hostnames: ['plain.example'], services }),
  hostAt('moved', { hostnames: ['moved.example'], services, redirectToHttps: 308 }),
  hostAt('lan', { hostnames: ['lan.example'], services, allow: ['lan', '198.51.100.0/24'] }),
  hostAt('nobody', { hostnames: ['nobody.example'], services, allow: [], maintenance: true }),
  hostAt('work', { hostnames: ['work.example'], services, maintenance: true, redirectToHttps: 301 }),
  hostAt('rest', { services, redirectToHttps: 301 }),
  hostAt('off', { enabled: false, hostnames: ['off.example'], services }),
];
const attached = [parseIpPrefix('192.0.2.0/24')!];

const ROWS: readonly (readonly [
  listener: ListenerConfig,
  name: string | undefined,
  client: string | undefined,
  target: string,
  expected: string,
])[] = [
  [http, 'plain.example', '203.0.113.9', '/', 'plain'],
  [https, 'plain.example', undefined, '/', 'plain'],
  [http, 'moved.example', '203.0.113.9', '/', '308 to 443'],
  [http, 'moved.example', '203.0.113.9', '/.well-known/acme-challenge/x', 'moved'],
  [http, 'moved.example', '203.0.113.9', '/.well-known/acme-challenge', '308 to 443'],
  // One segment, as certificate authorities ask for it: nothing else is reached through it.
  [http, 'moved.example', '203.0.113.9', '/.well-known/acme-challenge/../../x', '308 to 443'],
  [http, 'moved.example', '203.0.113.9', '/.well-known/acme-challenge/..%2f..%2fx', '308 to 443'],
  [http, 'moved.example', '203.0.113.9', '/x/.well-known/acme-challenge/x', '308 to 443'],
  [https, 'moved.example', '203.0.113.9', '/', 'moved'],
  [http, 'lan.example', '192.0.2.200', '/', 'lan'],
  [http, 'lan.example', '198.51.100.1', '/', 'lan'],
  [http, 'lan.example', '203.0.113.9', '/', 'not-allowed of lan'],
  [https, 'lan.example', '2001:db8::1', '/', 'not-allowed of lan'],
  [https, 'lan.example', undefined, '/', 'not-allowed of lan'],
  [http, 'nobody.example', '192.0.2.200', '/', 'not-allowed of nobody'],
  [http, 'work.example', '203.0.113.9', '/', 'maintenance of work'],
  [http, 'work.example', '203.0.113.9', '/.well-known/acme-challenge/x', 'maintenance of work'],
  [https, 'work.example', '203.0.113.9', '/', 'maintenance of work'],
  [http, 'off.example', '203.0.113.9', '/', 'unknown-name'],
  [https, 'other.example', '203.0.113.9', '/', 'unknown-name'],
  [https, undefined, '203.0.113.9', '/', 'no-name'],
];

const found = (
  table: ReturnType<typeof buildHostTable>,
  [listener, name, client, target]: (typeof ROWS)[number],
) => {
  const address = client === undefined ? undefined : parseIpAddress(client);
  const decided = decide(table, name, address, listener.protocol === 'http' ? target : undefined, null);
  if (decided.refused === null) return decided.name;
  if (decided.refused === 'not-asked') return decided.refused;
  if (decided.refused === 'redirect') return `${decided.redirect.status} to ${decided.redirect.port}`;
  return decided.backend === null ? decided.refused : `${decided.refused} of ${decided.backend.name}`;
};

for (const row of ROWS) {
  const [listener, name, client, target, expected] = row;
  test(`${listener.name}, ${name}${target}, ${client}: ${expected}`, () => {
    const table = buildHostTable(hosts, listener, { listeners: [http, https], attached });
    assert.equal(found(table, row), expected);
  });
}

test('the default server: for no name, and for names that nobody has', () => {
  const options = { listeners: [http, { ...https, port: 8443 }], attached, defaultHost: 'rest' };
  for (const [name, target, expected] of [
    ['plain.example', '/', 'plain'],
    ['off.example', '/.well-known/acme-challenge/x', 'unknown-name'],
    ['other.example', '/', '301 to 8443'],
    [undefined, '/', 'rest'], // a redirect needs a name
  ] as const) {
    const table = buildHostTable(hosts, http, options);
    assert.equal(found(table, [http, name, '203.0.113.9', target, expected]), expected);
  }
  const off = buildHostTable(hosts, http, { ...options, defaultHost: 'off' });
  assert.equal(found(off, [http, 'other.example', '203.0.113.9', '/', '']), 'unknown-name');
});

test('the client is only asked for if an access list needs it', () => {
  const needs = (allow: string[]) =>
    buildHostTable([hostAt('a', { services, allow })], http, { listeners: [http], attached }).needsClient;
  assert.deepEqual([['any'], ['lan', 'any'], ['lan'], []].map(needs), [false, false, true, true]);
});

test('the Location of a redirect', () => {
  assert.equal(locationOf('example.com', 443, '/a?b=c'), 'https://example.com/a?b=c');
  assert.equal(locationOf('[2001:db8::1]', 8443, '/'), 'https://[2001:db8::1]:8443/');
  assert.equal(locationOf('example.com', 443, '*'), 'https://example.com');
});

const acme = { listener: 'https', alpn: ['acme-tls/1', 'x'], targetPort: 5443 };
const byProtocol = [
  hostAt('acme', { hostnames: ['www.example', '*.example'], services: [acme], allow: ['203.0.113.0/24'] }),
  hostAt('web', {
    hostnames: ['www.example'],
    services: ['http', 'https', { listener: 'https', alpn: ['imap'], targetPort: 993 }],
  }),
  hostAt('h2', { hostnames: ['*.example'], services: [{ listener: 'https', alpn: ['h2'] }] }),
  hostAt('wide', { hostnames: ['**.example'], services: ['https'], maintenance: true }),
  hostAt('off', { enabled: false, hostnames: ['off.test'], services: ['https'] }),
  hostAt('only', { hostnames: ['off.test'], services: [{ listener: 'https', alpn: ['h2'] }] }),
  hostAt('rest', { services: ['https', { listener: 'https', alpn: ['acme-tls/1'], targetPort: 6443 }] }),
];

for (const [name, offered, expected] of [
  ['www.example', [], 'web 443'],
  ['www.example', ['acme-tls/1'], 'acme 5443'],
  ['www.example', ['acme-tls'], 'web 443'], // not a prefix
  ['www.example', ['acme-tls/10'], 'web 443'],
  ['www.example', ['ACME-TLS/1'], 'web 443'], // bytes, not text
  ['www.example', ['h2', 'http/1.1'], 'web 443'], // "*.example" has the rule: the exact name goes first
  ['www.example', ['imap'], 'web 993'],
  ['www.example', ['http/1.1', 'imap', 'acme-tls/1'], 'web 993'], // the client's order counts
  ['www.example', ['x', 'imap'], 'acme 5443'],
  ['a.example', ['h2', 'acme-tls/1'], 'h2 443'],
  ['a.example', ['acme-tls/1', 'h2'], 'acme 5443'],
  ['a.example', ['http/1.1'], 'unknown-name'], // "**." does not get the clients of a name of others
  ['a.b.example', ['acme-tls/1'], 'maintenance of wide'],
  ['off.test', ['h2'], 'only 443'],
  ['off.test', [], 'unknown-name'],
  ['other.test', [], 'rest 443'],
  ['other.test', ['acme-tls/1'], 'rest 6443'],
  [undefined, ['acme-tls/1'], 'rest 6443'],
  [undefined, [], 'rest 443'],
] as const) {
  test(`${name ?? 'no name'}, offering ${offered.join(', ') || 'nothing'}: ${expected}`, () => {
    const options = { listeners: [http, https], attached, defaultHost: 'rest' };
    // In any order: the rules do not depend on it.
    for (const order of [byProtocol, byProtocol.toReversed()]) {
      const table = buildHostTable(order, https, options);
      const decided = decide(table, name, parseIpAddress('203.0.113.9'), undefined, offeredOf(offered));
      const found =
        decided.refused === null
          ? `${decided.name} ${decodeSocketAddress(decided.serverAddress).port}`
          : `${decided.refused}${'backend' in decided && decided.backend !== null ? ` of ${decided.backend.name}` : ''}`;
      assert.equal(found, expected);
    }
  });
}

test('a rule has the access list of its server', () => {
  const table = buildHostTable(byProtocol, https, { listeners: [https], attached });
  assert.ok(table.needsClient);
  const decided = decide(
    table,
    'a.example',
    parseIpAddress('192.0.2.1'),
    undefined,
    offeredOf(['acme-tls/1']),
  );
  assert.equal(decided.refused, 'not-allowed');
});

test('over plain HTTP a name is that of the server without rules', () => {
  const table = buildHostTable(byProtocol, http, { listeners: [http, https], attached });
  assert.equal(found(table, [http, 'www.example', '203.0.113.9', '/', '']), 'web');
});
