/** What is checked, and how far. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadDocument } from '../../../../../src/config/load.ts';
import { planHealth } from '../../../../../src/services/proxy/health/targets.ts';
import { english } from '../../../../../src/texts/text.ts';

const HOST = { name: 'web1', address: '2001:db8:1::10', hostnames: ['*.example.com', 'www.example.com'] };
const LISTENERS = [
  { name: 'http', port: 80, protocol: 'http' },
  { name: 'alt', port: 8080, protocol: 'http' },
  { name: 'https', port: 443, protocol: 'tls' },
  { name: 'imaps', port: 993, protocol: 'tls' },
];

function load(fields: object) {
  const document = { hosts: [{ ...HOST, ...fields }], proxy: { listeners: LISTENERS } };
  return loadDocument(document);
}

function plan(fields: object) {
  const loaded = load(fields);
  assert.ok('config' in loaded, JSON.stringify(loaded));
  return planHealth(loaded.config.hosts, loaded.config.proxy.listeners);
}

/** "check listener port name Host path" */
const shown = (fields: object) =>
  plan(fields).map(([{ check, listener, port, isTls, hostname, request }]) =>
    [
      isTls ? `${check} over TLS` : check,
      listener,
      port,
      hostname ?? '-',
      request === undefined ? '-' : `${request.host} ${request.path}`,
    ].join(', '),
  );

const ALL = ['http', 'alt', 'https', 'imaps'];

const ROWS: readonly (readonly [title: string, fields: object, expected: readonly string[]])[] = [
  ['none by default', {}, []],
  ['a server that is switched off', { health: {}, enabled: false }, []],
  [
    'one in maintenance is checked',
    { health: { check: 'tcp' }, services: ['http'], maintenance: true },
    ['tcp, http, 80, -, -'],
  ],
  [
    'http goes as far as each listener allows',
    { health: { path: '/health' }, services: ALL },
    [
      'http, http, 80, www.example.com, www.example.com /health',
      'http, alt, 8080, www.example.com, www.example.com:8080 /health',
      'http over TLS, https, 443, www.example.com, www.example.com /health',
      'tls over TLS, imaps, 993, www.example.com, -',
    ],
  ],
  [
    'tls: a handshake, and a connection where there is no TLS',
    { health: { check: 'tls', host: 'check.example.com' }, services: ['http', 'https'] },
    ['tcp, http, 80, -, -', 'tls over TLS, https, 443, check.example.com, -'],
  ],
  [
    'another port on the server, at which the request has the port of the listener',
    { health: {}, services: [{ listener: 'alt', targetPort: 3000 }] },
    ['http, alt, 3000, www.example.com, www.example.com:8080 /'],
  ],
  [
    'the name of mail at a port of mail',
    { health: {}, services: ['imaps'], hostnames: ['www.example.com', 'imap.example.com'] },
    ['tls over TLS, imaps, 993, imap.example.com, -'],
  ],
  [
    'tcp needs no name',
    { health: { check: 'tcp' }, services: ['https'], hostnames: [] },
    ['tcp, https, 443, -, -'],
  ],
];

describe('what is checked', () => {
  for (const [title, fields, expected] of ROWS) test(title, () => assert.deepEqual(shown(fields), expected));

  test('each address of a server is one of the group', () => {
    const addresses = ['2001:db8:1::11', '2001:db8:1::12'];
    const [group] = plan({
      address: addresses[0],
      addresses,
      health: {},
      services: ['http'],
      clientAddress: 'proxy-v2',
    });
    assert.deepEqual(
      group.map(({ address, clientAddress, intervalMs, failures, successes }) => [
        address,
        clientAddress,
        intervalMs,
        failures,
        successes,
      ]),
      addresses.map((address) => [address, 'proxy-v2', 10_000, 3, 2]),
    );
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [title: string, fields: object, path: string, message: RegExp])[] = [
    ['no name to ask for', { health: {}, hostnames: ['*.example.com'] }, '/health/host', /none without "\*"/],
    ['true', { health: true }, '/health', /true is not false, or an object, which may be empty/],
    [
      'a path without a slash',
      { health: { path: 'health' } },
      '/health/path',
      /is not a path such as \/health/,
    ],
    ['a path with a line end', { health: { path: '/a\r\nb' } }, '/health/path', /is not a path/],
    ['a status that is none', { health: { expect: ['20x'] } }, '/health/expect/0', /a status such as 200/],
    ['no status', { health: { expect: [] } }, '/health/expect', /1 to 16 statuses/],
    ['an interval of 0', { health: { intervalSeconds: 0 } }, '/health/intervalSeconds', /from 1 to 3600/],
    ['an unknown check', { health: { check: 'ping' } }, '/health/check', /"tcp", "tls" or "http"/],
    ['a field with a typing error', { health: { intervall: 3 } }, '/health/intervall', /intervalSeconds/],
  ];
  for (const [title, fields, path, message] of cases)
    test(title, () => {
      const loaded = load(fields);
      assert.ok('problems' in loaded);
      assert.deepEqual(
        loaded.problems.map((problem) => problem.path),
        [`/hosts/0${path}`],
      );
      assert.match(english(loaded.problems[0].message), message);
    });
});
