import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { admitsHost, admitsSource, hostWithoutPort, isSameOrigin } from '../../../src/admin/access.ts';
import { parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { TOKEN, assertError, testAdmin } from './fixture.ts';

const prefixes = ['2001:db8:1::/64', '192.0.2.0/24', 'fe80::/10'].map((text) => parseIpPrefix(text)!);

for (const [address, admitted] of [
  ['192.0.2.9', true],
  ['::ffff:192.0.2.9', true],
  ['198.51.100.1', false],
  ['2001:db8:1::5', true],
  ['2001:db8:2::5', false],
  ['fe80::1%eth0', true],
  ['', false],
  [undefined, false],
  ['nonsense', false],
] as const) {
  test(`source ${address}: ${admitted ? 'admitted' : 'refused'}`, () =>
    assert.equal(admitsSource(prefixes, address), admitted));
}

for (const [host, admitted] of [
  ['localhost', true],
  ['localhost:8064', true],
  ['LOCALHOST.', true],
  ['127.0.0.1:8064', true],
  ['192.0.2.1', true],
  ['[::1]:8064', true],
  ['[2001:db8::1]', true],
  ['tombolo.local', true],
  ['Tombolo.Local:80', true],
  ['evil.example.com', false],
  ['tombolo.local.evil.example.com', false],
  ['192.0.2.1.evil.example.com', false],
  ['localhost:x', false],
  ['localhost:8064:1', false],
  ['user@localhost', false],
  ['[localhost]', false],
  ['[::1', false],
  ['', false],
  [undefined, false],
] as const) {
  test(`Host ${host}: ${admitted ? 'admitted' : 'refused'}`, () =>
    assert.equal(admitsHost(['tombolo.local'], host), admitted));
}

for (const [origin, host, same] of [
  [undefined, 'localhost:8064', true],
  ['http://localhost:8064', 'localhost:8064', true],
  ['http://localhost', 'localhost:80', true],
  ['http://[::1]:8064', '[::1]:8064', true],
  ['http://localhost:8065', 'localhost:8064', false],
  ['https://localhost:8064', 'localhost:8064', false],
  ['http://evil.example.com', 'localhost:8064', false],
  ['null', 'localhost:8064', false],
  ['', 'localhost:8064', false],
  ['http://localhost:8064', undefined, false],
] as const) {
  test(`Origin ${origin} at ${host}: ${same ? 'same' : 'foreign'}`, () =>
    assert.equal(isSameOrigin(origin, host), same));
}

test('random headers never throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      hostWithoutPort(a);
      admitsHost([b], a);
      isSameOrigin(a, b);
      admitsSource(prefixes, a);
    }),
  );
});

test('a browser that uses a foreign host name gets a readable page, not an API error', async (t) => {
  const { app } = await testAdmin(t);
  const open = (url: string, accept: string, language = 'en') =>
    app.inject({ url, headers: { host: 'nas.example:8064', accept, 'accept-language': language } });
  const page = await open('/', 'text/html,*/*');
  assert.equal(page.statusCode, 421);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.equal(page.headers['content-security-policy'], "default-src 'none'");
  assert.match(
    page.body,
    /<p>This appliance is not reached as &quot;nas\.example&quot;\. Use its IP address/,
  );
  assert.match((await open('/servers', 'text/html', 'de')).body, /lang="de".*Dieses Gerät/);
  for (const [url, accept] of [
    ['/api/health', 'text/html'],
    ['/', '*/*'],
  ])
    assert.equal((await open(url, accept)).json().error, 'unknown-host');
  const hostile = await app.inject({ url: '/', headers: { host: '<script>', accept: 'text/html' } });
  assert.ok(!hostile.body.includes('<script>'));
});

test('the API refuses a foreign Host, Origin and source, and counts each', async (t) => {
  const { request, counters, setAdmitted } = await testAdmin(t);
  assertError(await request('GET', '/', { host: 'evil.example.com' }), 421, 'unknown-host');
  assertError(await request('GET', '/api/health', { host: 'evil.example.com' }), 421, 'unknown-host');
  const headers = { origin: 'http://evil.example.com', 'content-type': 'application/json' };
  assertError(await request('POST', '/api/config/check', headers, '{}'), 403, 'foreign-origin');
  assert.equal((await request('GET', '/api/status', { origin: 'http://evil.example.com' })).status, 200);
  setAdmitted(false);
  assertError(await request('GET', '/api/health'), 403, 'forbidden-source');
  const { 'refused-host': host, 'refused-origin': origin, 'refused-source': source } = counters();
  assert.deepEqual({ host, origin, source }, { host: 2, origin: 1, source: 1 });
});

test('wrong tokens are slowed down and logged without the token; the right one is not', async (t) => {
  const { request, counters, log } = await testAdmin(t);
  const authorization = 'Bearer not-the-token';
  for (let i = 0; i < 5; i++) {
    assertError(await request('GET', '/api/status', { authorization }), 401, 'unauthorized');
  }
  assertError(await request('GET', '/api/status', { authorization }), 429, 'too-many-requests');
  assert.equal((await request('GET', '/api/status')).status, 200);
  assert.equal(counters()['refused-token'], 5);
  assert.equal(counters()['refused-back-off'], 1);
  assert.equal(log.lines.length, 5);
  assert.ok(!log.lines.join().includes('not-the-token') && !log.lines.join().includes(TOKEN));
});

test('the request rate of each source is limited', async (t) => {
  const { request, counters } = await testAdmin(t, {}, 3);
  for (let i = 0; i < 3; i++) assert.equal((await request('GET', '/api/health')).status, 200);
  const refused = await request('GET', '/api/health');
  assertError(refused, 429, 'too-many-requests');
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.equal(counters()['refused-rate'], 1);
});
