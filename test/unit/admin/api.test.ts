import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { TOKEN, assertError, report, testAdmin } from './fixture.ts';

const json = { 'content-type': 'application/json' };
const hosts = JSON.stringify({ hosts: [{ name: 'web1', address: '2001:db8:1::10' }] });

const routes = [
  ['GET', '/api/status'],
  ['GET', '/api/counters'],
  ['GET', '/api/config'],
  ['PUT', '/api/config'],
  ['POST', '/api/config/check'],
  ['GET', '/api/schema'],
  ['GET', '/api/ssh-config'],
  ['GET', '/api/nat64/sessions'],
  ['GET', '/api/nat64/bib'],
  ['GET', '/api/nat64/clients'],
  ['GET', '/api/nat64/pool'],
  ['GET', '/api/nat64/explain'],
  ['GET', '/api/nothing-here'],
  ['DELETE', '/api/config'],
] as const;

for (const [method, path] of routes) {
  test(`${method} ${path} without a token or with a wrong one: 401`, async (t) => {
    const { request } = await testAdmin(t);
    for (const authorization of [
      '',
      'Bearer',
      'Bearer x',
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `bearer ${TOKEN} x`,
    ]) {
      assertError(await request(method, path, { authorization }), 401, 'unauthorized');
    }
  });
}

test('health is open and tells only state and version', async (t) => {
  let services = [report('proxy'), report('nat64', { state: 'degraded', problem: '192.0.2.1 is gone' })];
  const { request } = await testAdmin(t, { services: () => services });
  const health = async () => (await request('GET', '/api/health', { authorization: '' })).json();
  assert.deepEqual(await health(), { status: 'degraded', version: '1.2.3' });
  services = [report('nat64', { state: 'failed' })];
  assert.deepEqual(await health(), { status: 'failed', version: '1.2.3' });
  services = [report('nat64', { state: 'disabled' })];
  assert.deepEqual(await health(), { status: 'ok', version: '1.2.3' });
});

test('status shows each service and the process', async (t) => {
  const degraded = report('dns64', {
    state: 'degraded',
    problem: 'no upstream',
    figures: { cacheEntries: 5, mode: 'x' },
  });
  const { request } = await testAdmin(t, { services: () => [report('proxy'), degraded] });
  const response = await request('GET', '/api/status');
  assert.equal(response.headers['cache-control'], 'no-store');
  const { process: figures, ...answer } = response.json();
  assert.deepEqual(answer, {
    status: 'degraded',
    version: '1.2.3',
    startedAt: '2026-01-02T03:04:05.000Z',
    services: [
      { name: 'proxy', state: 'running', problem: null, restarts: 0, figures: { sessions: 3 } },
      {
        name: 'dns64',
        state: 'degraded',
        problem: 'no upstream',
        restarts: 0,
        figures: { cacheEntries: 5, mode: 'x' },
      },
    ],
  });
  for (const value of Object.values(figures as object)) assert.ok(value > 0);
});

test('counters come with what they count', async (t) => {
  const { request } = await testAdmin(t, { services: () => [report('nat64')] });
  assert.deepEqual((await request('GET', '/api/counters')).json(), {
    services: [
      {
        name: 'nat64',
        counters: [
          { name: 'drop-ttl', value: 7, explanation: 'Packets whose TTL ended here' },
          { name: 'sent', value: 0, explanation: 'Packets sent' },
        ],
      },
    ],
  });
});

test('the configuration is read, changed and written as the person wrote it', async (t) => {
  const { request, put, deps, counters } = await testAdmin(t);
  const before = await request('GET', '/api/config');
  assert.deepEqual(before.json()['document'], {});
  assert.equal(before.json()['effective'].nat64.prefix, '64:ff9b::/96');
  assert.equal(before.headers['etag'], `"${deps.store.revision}"`);

  const changed = await put(hosts, before.headers['etag'] as string);
  assert.equal(changed.status, 200, changed.body);
  assert.deepEqual(changed.json(), { revision: deps.store.revision, changed: true });
  assert.equal(changed.headers['etag'], `"${deps.store.revision}"`);
  assert.deepEqual(JSON.parse(await readFile(deps.store.path, 'utf8')), JSON.parse(hosts));
  assert.equal((await request('GET', '/api/config')).json()['effective'].hosts[0].ssh.targetPort, 22);
  assert.equal((await put(hosts)).json()['changed'], false);
  assert.equal((await put('{}', '*')).status, 200);
  assert.equal(counters()['config-changed'], 2);
});

test('a refused configuration is answered with its problems and changes nothing', async (t) => {
  const { put, request, deps, counters } = await testAdmin(t);
  const { revision } = deps.store;
  const bad = '{\n  "hosts": [{ "name": "a", "address": "192.0.2.1" }],\n  "prox": 1\n}';
  const problems = [
    {
      path: '/hosts/0/address',
      value: '"192.0.2.1"',
      expected: 'an IPv6 address such as 2001:db8:1::10',
      message: '"192.0.2.1" is not an IPv6 address such as 2001:db8:1::10',
      line: 2,
      column: 39,
    },
    {
      path: '/prox',
      value: '"prox"',
      expected: '"proxy"',
      message: 'unknown field "prox"; did you mean "proxy"?',
      line: 3,
      column: 11,
    },
  ];
  for (const response of [await put(bad), await request('POST', '/api/config/check', json, bad)]) {
    assertError(response, 400, 'invalid-config');
    assert.deepEqual(response.json()['problems'], problems);
  }
  assertError(await put('{"a":'), 400, 'invalid-config');
  assertError(await put('{"__proto__":{"x":1}}'), 400, 'invalid-config');
  assert.equal(deps.store.revision, revision);
  assert.equal(counters()['config-refused'], 3);
});

test('check validates and changes nothing', async (t) => {
  const { request, deps } = await testAdmin(t);
  const response = await request('POST', '/api/config/check', json, hosts);
  assert.deepEqual(response.json(), { valid: true });
  assert.deepEqual(deps.store.document, {});
});

test('what a change needs beside a valid document', async (t) => {
  const { put, request, deps } = await testAdmin(t);
  assertError(await request('PUT', '/api/config', json, hosts), 428, 'precondition-required');
  assertError(await put(hosts, 'W/"weak"'), 400, 'bad-if-match');
  const stale = await put(hosts, '"other"');
  assertError(stale, 412, 'stale');
  assert.equal(stale.headers['etag'], `"${deps.store.revision}"`);
  assertError(await put(' '), 400, 'empty-body');
  const ifMatch = { 'if-match': '*' };
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/json',
  ]) {
    const response = await request('PUT', '/api/config', { ...ifMatch, 'content-type': type }, hosts);
    assertError(response, 415, 'unsupported-media-type');
  }
  assertError(await request('PUT', '/api/config', ifMatch), 415, 'unsupported-media-type');
  assertError(await put(`"${'x'.repeat(1 << 20)}"`), 413, 'too-large');
});

test('a change that cannot be applied says so, and that the one before stays', async (t) => {
  const { put, deps } = await testAdmin(t);
  deps.store.onChange(() => Promise.reject(new Error('could not listen on 0.0.0.0:443: EADDRINUSE')));
  const response = await put(hosts);
  assertError(response, 422, 'apply-failed');
  assert.match(response.json()['message'], /0\.0\.0\.0:443/);
  assert.deepEqual(deps.store.document, {});
});

test('a file edited by hand is not overwritten', async (t) => {
  const { put, deps } = await testAdmin(t);
  await writeFile(deps.store.path, '{"admin":{"port":8065}}');
  assertError(await put(hosts), 409, 'file-changed');
});

test('the schema is the one that the configuration is checked against', async (t) => {
  const { request } = await testAdmin(t);
  const { $schema, ...schema } = (await request('GET', '/api/schema')).json();
  assert.equal($schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.deepEqual(schema, JSON.parse(JSON.stringify(ConfigSchema)));
});

test('ssh_config snippets', async (t) => {
  const { request } = await testAdmin(t);
  const { servers } = (await request('GET', '/api/ssh-config?hostname=gate.example.net')).json();
  const snippet = 'Host web1\n  HostName gate.example.net\n  Port 22001\n  HostKeyAlias web1\n';
  assert.deepEqual(servers, [{ name: 'web1', port: 22_001, snippet }]);
  for (const query of [
    'hostname=a%0A%20%20ProxyCommand%20x',
    'hostname=',
    'host=x',
    'hostname=a&hostname=b',
  ]) {
    const refused = await request('GET', `/api/ssh-config?${query}`);
    assertError(refused, 400, 'invalid-input');
    assert.ok(refused.json()['problems'].length > 0);
  }
});

test('unknown paths are JSON too, and no path reaches the file system', async (t) => {
  const { request } = await testAdmin(t);
  for (const path of [
    '/api/nothing',
    '/nothing',
    '/../package.json',
    '/%2e%2e/package.json',
    '/tsconfig.json',
    '/api',
  ]) {
    assertError(await request('GET', path), 404, 'not-found');
  }
});

test('the page: its files, a strict policy, nothing from elsewhere', async (t) => {
  const { request } = await testAdmin(t);
  const page = await request('GET', '/', { authorization: '' });
  assert.equal(page.status, 200);
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /^default-src 'none';script-src 'self';style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|upgrade-insecure/);
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.equal(page.headers['strict-transport-security'], undefined);
  assert.doesNotMatch(page.body, /https?:\/\/|style=|onclick/);

  const files = ['/'];
  for (const path of files) {
    const { status, body, headers } = await request('GET', path, { authorization: '' });
    assert.equal(status, 200, path);
    const referred = [
      ...body.matchAll(/(?:src|href|from|import) ?=?"?'?"?'(\.?\/[\w.]+)'|(?:src|href)="(\/[\w.]+)"/g),
    ];
    for (const [, module, link] of referred) {
      const next = (module ?? link).replace(/^\./, '');
      if (!files.includes(next)) files.push(next);
    }
    const again = await request('GET', path, { authorization: '', 'if-none-match': String(headers['etag']) });
    assert.equal(again.status, 304);
  }
  assert.deepEqual(files.sort(), [
    '/',
    '/api.js',
    '/dom.js',
    '/editor.js',
    '/explain.js',
    '/icon.svg',
    '/main.js',
    '/nat64.js',
    '/servers.js',
    '/sessions.js',
    '/status.js',
    '/style.css',
  ]);
});

test('an unexpected error is answered without its reason, which is in the log', async (t) => {
  const { request, log, counters } = await testAdmin(t, {
    services: () => {
      throw new Error('secret inside');
    },
  });
  const response = await request('GET', '/api/status');
  assertError(response, 500, 'internal-error');
  assert.doesNotMatch(response.body, /secret/);
  assert.equal(log.lines.length, 1);
  assert.equal(counters()['internal-error'], 1);
});

test('no body, header or path makes a 500, and none changes the configuration', async (t) => {
  const { request, deps, counters } = await testAdmin(t);
  const { revision } = deps.store;
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.jsonValue().map((value) => JSON.stringify({ hosts: [value], nat64: value })),
    fc.constantFrom('[', '{"hosts":', 'null', '[]', '"x"', '['.repeat(10_000)),
  );
  const type = fc.constantFrom('application/json', 'application/json; charset=latin1', 'text/plain', 'a', '');
  const ifMatch = fc.oneof(fc.constantFrom('"x"', '""', `"${revision}`), fc.stringMatching(/^[!-~]{0,20}$/));
  await fc.assert(
    fc.asyncProperty(
      body,
      type,
      ifMatch,
      fc.constantFrom('PUT', 'POST'),
      async (payload, type, tag, method) => {
        const path = method === 'PUT' ? '/api/config' : '/api/config/check';
        const headers = { 'content-type': type, 'if-match': tag === '*' ? '"x"' : tag };
        const { status } = await request(method as 'PUT' | 'POST', path, headers, payload);
        assert.ok(status < 500, `${status}`);
      },
    ),
    { numRuns: 2000 },
  );
  await fc.assert(
    fc.asyncProperty(fc.webPath(), fc.webQueryParameters(), async (path, query) => {
      const { status } = await request('GET', `${path.startsWith('/') ? '' : '/'}${path}?${query}`);
      assert.ok(status < 500);
    }),
    { numRuns: 300 },
  );
  assert.equal(counters()['internal-error'], 0);
  assert.equal(deps.store.revision, revision);
});
