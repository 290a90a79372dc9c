/** Paths under other configurations, and assertions about them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assess } from '../../../src/admin/explain/assertions.ts';
import type { WayRequest } from '../../../src/admin/explain/way.ts';
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
