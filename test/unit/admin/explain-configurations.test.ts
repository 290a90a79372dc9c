/** Paths under other configurations, and assertions about them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assess } from '../../../src/admin/explain/assertions.ts';
import type { WayRequest } from '../../../src/admin/explain/way.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { english } from '../../../src/texts/text.ts';
import { configOf, DOCUMENT, explainersFor, INTERNET, SERVER, way } from './explain-world.ts';

test('an allotted port stays with its server, also under a configuration that is not active', async () => {
  const request: WayRequest = { from: INTERNET, protocol: 'tcp', to: '203.0.113.1', port: 22_500 };
  const { outcome } = await way(request, DOCUMENT, { web2: { port: 22_500 } });
  assert.deepEqual([outcome.server, outcome.port], ['web2', 2222]);
  const without = { ...DOCUMENT, hosts: DOCUMENT.hosts.slice(0, 1) };
  assert.equal((await way(request, without, { web2: { port: 22_500 } })).outcome.kind, 'refused');
});

test('services that are switched off', async () => {
  const without = { ...DOCUMENT, dns64: { enabled: false }, nat64: { enabled: false } };
  const request: WayRequest = { from: SERVER, protocol: 'tcp', to: 'ipv4.example.net', port: 443 };
  assert.equal((await way(request, without)).outcome.kind, 'unknown');
  const { outcome, steps } = await way({ ...request, to: '64:ff9b::203.0.113.9' }, without);
  assert.equal(outcome.kind, 'refused');
  assert.equal(steps[0].configPath, '/nat64/enabled');
});

test('listeners that are bound elsewhere', async () => {
  const loopback = { ...DOCUMENT, proxy: { listen: ['127.0.0.1'] }, forward: { listen: ['127.0.0.2'] } };
  for (const port of [443, 22_001]) {
    const request: WayRequest = { from: INTERNET, protocol: 'tcp', to: 'www.example.com', port };
    const { outcome } = await way(request, loopback);
    assert.match(english(outcome.text), /listens only on 127\.0\.0\.[12]/);
    assert.equal((await way({ ...request, to: '127.0.0.1' }, loopback)).outcome.kind, 'refused');
  }
});

/** The document with these fields in the server of that position, and in the proxy; undefined removes a field. */
const changed = (position: number, fields: object, proxy: object = {}) =>
  JSON.parse(
    JSON.stringify({
      ...DOCUMENT,
      hosts: DOCUMENT.hosts.map((host, i) => (i === position ? { ...host, ...fields } : host)),
      proxy,
    }),
  ) as object;

const ROUTING: readonly (readonly [
  title: string,
  document: object,
  request: Partial<WayRequest>,
  outcome: string,
  last: RegExp,
  configPath: string,
])[] = [
  [
    'another port on the server',
    changed(0, { services: [{ listener: 'https', targetPort: 8443, clientAddress: 'proxy-v1' }] }),
    {},
    'server 8443',
    /PROXY header \(version 1\)/,
    '/hosts/0/services/0/clientAddress',
  ],
  [
    'the default server for an unknown name',
    changed(0, {}, { defaultHost: 'web2' }),
    { to: 'other.example.net' },
    'server 443',
    /PROXY header \(version 2\)/,
    '/hosts/1/clientAddress',
  ],
  [
    'the default server for no name',
    changed(0, {}, { defaultHost: 'web1' }),
    { to: '203.0.113.1' },
    'server 443',
    /sees the address of this appliance/,
    '/hosts/0/clientAddress',
  ],
  [
    'several addresses: the first',
    changed(0, {
      address: undefined,
      addresses: ['2001:db8:1::10', '2001:db8:1::20'],
      balance: 'round-robin',
    }),
    { port: 22_001 },
    'server 22',
    /Its 2 addresses take turns/,
    '/hosts/0/addresses',
  ],
  [
    'maintenance',
    changed(0, { maintenance: true }),
    {},
    'refused',
    /web1 is in maintenance/,
    '/hosts/0/maintenance',
  ],
  [
    'maintenance at the SSH port',
    changed(0, { maintenance: true }),
    { port: 22_001 },
    'refused',
    /web1 is in maintenance/,
    '/hosts/0/maintenance',
  ],
  [
    'an access list without the client',
    changed(0, { allow: ['198.51.100.0/24'] }),
    { port: 80 },
    'refused',
    /The access list of web1 does not have 203\.0\.113\.50/,
    '/hosts/0/allow',
  ],
  [
    'an access list without the client at the SSH port',
    changed(0, { allow: [] }),
    { port: 22_001 },
    'refused',
    /The access list of web1 does not have 203\.0\.113\.50/,
    '/hosts/0/allow',
  ],
  [
    'a redirect',
    changed(0, { redirectToHttps: 308 }),
    { port: 80 },
    'appliance',
    /redirect \(308\) to https:\/\/www\.example\.com\/\./,
    '/hosts/0/redirectToHttps',
  ],
  [
    'a server that is switched off',
    changed(0, { enabled: false }),
    {},
    'refused',
    /web1 has the name, but is switched off/,
    '/hosts/0/enabled',
  ],
  [
    'the SSH port of a server that is switched off',
    changed(0, { enabled: false }),
    { port: 22_001 },
    'refused',
    /Port 22001 is the SSH port of web1, which is switched off/,
    '/hosts/0/enabled',
  ],
];

for (const [title, document, request, expected, text, configPath] of ROUTING) {
  test(title, async () => {
    const asked = { from: INTERNET, protocol: 'tcp', to: 'www.example.com', port: 443, ...request } as const;
    const { outcome, steps } = await way(asked, document);
    assert.equal([outcome.kind, outcome.port].filter((each) => each !== null).join(' '), expected);
    const last = steps.at(-1)!;
    assert.match(english(last.text), text);
    assert.equal(last.configPath, configPath);
  });
}

test('assertions: passed, failed with the actual result, unknown', async () => {
  const assertion = (name: string, changes: object) => ({
    name,
    from: INTERNET,
    to: 'www.example.com',
    port: 443,
    ...changes,
  });
  const document = {
    ...DOCUMENT,
    assertions: [
      assertion('the site', { expect: 'web1' }),
      assertion('the other', { expect: 'web2' }),
      assertion('nobody', { expect: 'web9' }),
      assertion('no admin page', { port: 8064, expect: 'refused' }),
      assertion('the mirror', { from: SERVER, to: 'ipv4.example.net', expect: 'nat64' }),
      assertion('ping', {
        from: SERVER,
        to: '203.0.113.9',
        protocol: 'icmp',
        port: undefined,
        expect: 'nat64',
      }),
    ].map((each) => JSON.parse(JSON.stringify(each)) as object),
  };
  const config = configOf(document);
  const results = await assess(config, await explainersFor(config));
  assert.deepEqual(
    results.map(({ name, state, path }) => [name, state, path]),
    [
      ['the site', 'passed', '/assertions/0'],
      ['the other', 'failed', '/assertions/1'],
      ['nobody', 'failed', '/assertions/2'],
      ['no admin page', 'passed', '/assertions/3'],
      ['the mirror', 'passed', '/assertions/4'],
      ['ping', 'passed', '/assertions/5'],
    ],
  );
  assert.match(
    english(results[1].message),
    /^"the other": expected the server web2\. www\.example\.com leads to web1/,
  );
  assert.match(english(results[2].message), /There is no server web9\.$/);
  const off = configOf({ ...document, dns64: { enabled: false } });
  assert.equal((await assess(off, await explainersFor(off)))[4].state, 'unknown');
});

test('a server that sees mapped addresses: through the proxy, and through its SSH port', async () => {
  const hosts = [{ ...DOCUMENT.hosts[0], clientAddress: 'mapped' }, ...DOCUMENT.hosts.slice(1)];
  const sees = /sees the client as 64:ff9b:1:fffe::[0-9a-f:]+\. If it has no route for 64:ff9b:1:fffe::\/63/;
  for (const [request, ssh] of [
    [{ to: 'www.example.com', port: 443 }, {}],
    [{ to: '203.0.113.1', port: 22_001 }, { web1: { port: 22_001 } }],
  ] as const) {
    const { outcome, steps } = await way(
      { from: INTERNET, protocol: 'tcp', ...request },
      { ...DOCUMENT, hosts },
      ssh,
    );
    assert.equal(outcome.server, 'web1');
    assert.match(english(steps.at(-1)!.text), sees);
    assert.equal(steps.at(-1)!.configPath, '/hosts/0/clientAddress');
  }
});

test('rules by protocol: which one has decided, which other there is, and why a name leads nowhere', async () => {
  const acme = { listener: 'https', alpn: ['acme-tls/1'], targetPort: 5443 };
  const document = changed(0, { services: ['http', 'https', acme] });
  const ask = async (alpn: string[], of = document) => {
    const request = { from: INTERNET, protocol: 'tcp', to: 'www.example.com', port: 443, alpn } as const;
    const { outcome, steps } = await way(request, of);
    return { outcome, texts: steps.map(({ text, configPath }) => `${english(text)} ${configPath ?? ''}`) };
  };
  const offering = await ask(['h2', 'acme-tls/1']);
  assert.deepEqual([offering.outcome.server, offering.outcome.port], ['web1', 5443]);
  const rule =
    'The client offers acme-tls/1 (ALPN): this way in of web1 goes before others. /hosts/0/services/2/alpn';
  assert.ok(offering.texts.includes(rule), offering.texts.join('\n'));
  const others = await ask(['h2']);
  assert.equal(others.outcome.port, 443);
  assert.ok(others.texts.includes('A client that offers acme-tls/1 (ALPN) would go to web1, port 5443. '));
  const only = await ask([], changed(0, { services: [acme] }));
  assert.equal(only.outcome.kind, 'refused');
  assert.match(only.texts.at(-1)!, /web1 has the name, but only for clients that offer certain protocols/);
});

test('a trusted proxy must send a header, at a listener and at an SSH port; an own address need not', async () => {
  const document = changed(0, {}, { trustedProxies: ['198.51.100.0/24', '203.0.113.0/24'] });
  for (const port of [443, 22_001]) {
    const request = { from: INTERNET, protocol: 'tcp', to: 'www.example.com', port } as const;
    const { outcome, steps } = await way(request, document);
    assert.equal(outcome.server, 'web1');
    const step = steps.find(({ configPath }) => configPath === '/proxy/trustedProxies/1');
    assert.match(
      english(step!.text),
      /203\.0\.113\.50 is a trusted proxy: its connection must begin with a PROXY/,
    );
    const own = await way(request, document, {}, [{ address: parseIpAddress(INTERNET)!, prefixBits: 128 }]);
    assert.ok(own.steps.every(({ configPath }) => configPath?.includes('trustedProxies') !== true));
  }
});
