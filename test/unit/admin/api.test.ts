/** The smaller routes of the API, and the guarantees of all routes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TOKEN, assertError, report, testAdmin } from './fixture.ts';
import { asIs } from '../../../src/texts/text.ts';

const routes = [
  ['GET', '/api/status'],
  ['GET', '/api/counters'],
  ['GET', '/api/config'],
  ['GET', '/api/config/schema'],
  ['POST', '/api/config/check'],
  ['POST', '/api/config/apply'],
  ['GET', '/api/config/pending'],
  ['POST', '/api/config/confirm'],
  ['POST', '/api/config/rollback'],
  ['GET', '/api/config/revisions'],
  ['GET', '/api/config/revisions/1'],
  ['POST', '/api/config/revisions/1/revert'],
  ['POST', '/api/config/parse-hosts'],
  ['POST', '/api/explain'],
  ['GET', '/api/assertions'],
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

test('health is open and contains only state and version', async (t) => {
  let services = [
    report('proxy'),
    report('nat64', { state: 'degraded', problem: asIs('192.0.2.1 is gone') }),
  ];
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
    problem: asIs('no upstream'),
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

test('counters come with their explanations', async (t) => {
  const web1 = { 'bytes-up': 1, 'bytes-down': 2, accepted: 3, connections: 0, dialling: 0 };
  const { request } = await testAdmin(t, { services: () => [{ ...report('nat64'), hosts: { web1 } }] });
  assert.deepEqual((await request('GET', '/api/counters')).json(), {
    hosts: [{ name: 'web1', counters: web1 }],
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

test('explain: its required fields, and an answer', async (t) => {
  const { post } = await testAdmin(t);
  const question = { from: '203.0.113.9', protocol: 'tcp', to: 'www.example.com', port: 8064 };
  const { steps, outcome } = (await post('/api/explain', question)).json();
  assert.equal(outcome.kind, 'refused');
  assert.equal(steps.at(-1).service, 'network');
  for (const change of [
    { from: 'x' },
    { from: undefined },
    { to: 'a b' },
    { port: 0 },
    { port: undefined },
    { protocol: 'sctp' },
    { more: 1 },
  ]) {
    const refused = await post('/api/explain', { ...question, ...change });
    assertError(refused, 400, 'invalid-input');
    assert.ok(refused.json()['problems'].length > 0);
  }
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

test('unknown paths are answered with JSON, too, and no path reaches the file system', async (t) => {
  const { request } = await testAdmin(t);
  for (const path of [
    '/api/nothing',
    '/nothing.js',
    '/../package.json',
    '/%2e%2e/package.json',
    '/tsconfig.json',
    '/api',
  ]) {
    assertError(await request('GET', path), 404, 'not-found');
  }
});

test('the answer to an unexpected error does not contain its reason, which is in the log', async (t) => {
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

test('a disk error is shown to a signed-in user, who can fix it, without the path', async (t) => {
  const { request, counters } = await testAdmin(t, {
    services: () => {
      throw new Error('could not write it', {
        cause: Object.assign(new Error("ENOSPC: no space left on device, open '/secret/place'"), {
          code: 'ENOSPC',
          syscall: 'open',
          path: '/secret/place',
        }),
      });
    },
  });
  const response = await request('GET', '/api/status');
  assertError(response, 503, 'storage');
  assert.match(
    response.json()['message'],
    /^This cannot be done now: ENOSPC: no space left on device\. Free some space/,
  );
  assert.equal(counters()['internal-error'], 1);
  assertError(await request('GET', '/api/health', { authorization: '' }), 500, 'internal-error');
});

test('no body, header or path causes a 500, and none changes the configuration', async (t) => {
  const { request, deps, counters } = await testAdmin(t);
  const { revision } = deps.store;
  const text = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.jsonValue().map((value) => JSON.stringify({ hosts: [value], nat64: value })),
    fc.constantFrom(
      '[',
      '{"hosts":',
      'null',
      '[]',
      '"x"',
      '['.repeat(10_000),
      `${'['.repeat(1e5)}${']'.repeat(1e5)}`,
    ),
  );
  const body = fc.oneof(
    text,
    text.map((document) => JSON.stringify({ document, revision, text: document })),
    text.map((document) => `{"revision":"${revision}","document":${document}}`),
    text.map((value) => JSON.stringify({ text: value })),
  );
  const type = fc.constantFrom('application/json', 'application/json; charset=latin1', 'text/plain', 'a', '');
  const path = fc.constantFrom(
    'check',
    'apply',
    'confirm',
    'rollback',
    'parse-hosts',
    'revisions/1/revert',
    '../explain',
  );
  await fc.assert(
    fc.asyncProperty(body, type, path, async (payload, contentType, name) => {
      const headers = { 'content-type': contentType };
      const { status } = await request('POST', `/api/config/${name}`, headers, payload);
      assert.ok(status < 500, `${status}`);
    }),
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
