import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { assess } from '../../../src/admin/explain/assertions.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { TOKEN, assertError, report, testAdmin } from './fixture.ts';

const json = { 'content-type': 'application/json' };
const hosts = { hosts: [{ name: 'web1', address: '2001:db8:1::10' }] };

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
  const web1 = { 'bytes-up': 1, 'bytes-down': 2, accepted: 3, connections: 0 };
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

test('the configuration is read, changed and written as the person wrote it', async (t) => {
  const { request, apply, deps, counters } = await testAdmin(t);
  const before = await request('GET', '/api/config');
  assert.deepEqual(before.json()['document'], {});
  assert.equal(before.json()['effective'].nat64.prefix, '64:ff9b::/96');
  assert.equal(before.json()['revision'], deps.store.revision);

  const changed = await apply(hosts);
  assert.equal(changed.status, 200, changed.body);
  assert.deepEqual(changed.json(), { revision: deps.store.revision, changed: true, confirmBy: null });
  assert.deepEqual(JSON.parse(await readFile(deps.store.path, 'utf8')), hosts);
  assert.equal((await request('GET', '/api/config')).json()['effective'].hosts[0].ssh.targetPort, 22);
  assert.equal((await apply(JSON.stringify(hosts))).json()['changed'], false);
  assert.equal((await apply({})).status, 200);
  assert.equal(counters()['config-changed'], 2);
});

test('a refused configuration is answered with its problems and changes nothing', async (t) => {
  const { apply, post, deps, counters } = await testAdmin(t);
  const { revision } = deps.store;
  const bad = '{\n  "hosts": [{ "name": "a", "address": "192.0.2.1" }],\n  "prox": 1\n}';
  const problems = [
    {
      path: '/hosts/0/address',
      value: '"192.0.2.1"',
      expected: 'an IPv6 address such as 2001:db8:1::10',
      message: '"192.0.2.1" is not an IPv6 address such as 2001:db8:1::10',
    },
    {
      path: '/prox',
      value: '"prox"',
      expected: '"proxy"',
      message: 'unknown field "prox"; did you mean "proxy"?',
    },
  ];
  const places = [
    { line: 2, column: 39 },
    { line: 3, column: 11 },
  ];
  const located = problems.map((problem, i) => ({ ...problem, ...places[i] }));
  for (const [document, expected] of [
    [bad, located],
    [JSON.parse(bad), problems],
  ]) {
    const response = await apply(document);
    assertError(response, 400, 'invalid-config');
    assert.deepEqual(response.json()['problems'], expected);
    const check = await post('/api/config/check', { document });
    assert.deepEqual(check.json(), { valid: false, problems: expected, diff: [], failedAssertions: [] });
  }
  for (const document of ['{"a":', '{"__proto__":{"x":1}}', ' ', null, [], 7, 'x'])
    assertError(await apply(document), 400, 'invalid-config');
  assert.equal(deps.store.revision, revision);
  assert.equal(counters()['config-refused'], 9);
});

test('check tells what would change, and changes nothing', async (t) => {
  const { post, deps } = await testAdmin(t);
  const response = await post('/api/config/check', { document: { admin: { port: 8065 } } });
  const diff = [{ kind: 'changed', path: '/admin/port', label: 'admin.port', from: 8064, to: 8065 }];
  assert.deepEqual(response.json(), { valid: true, problems: [], diff, failedAssertions: [] });
  assert.deepEqual(deps.store.document, {});
});

test('what a change needs beside a valid document', async (t) => {
  const { apply, request, deps } = await testAdmin(t);
  const { revision } = deps.store;
  for (const body of [{ document: hosts }, { revision }, {}, { document: hosts, revision, confirm: 3 }]) {
    const response = await request('POST', '/api/config/apply', json, JSON.stringify(body));
    assertError(response, 400, 'invalid-input');
    assert.ok(response.json()['problems'].length > 0);
  }
  for (const confirmSeconds of [-1, 3601, 1.5, '60', null])
    assertError(await apply(hosts, { confirmSeconds }), 400, 'invalid-input');
  assertError(await apply(hosts, { revision: 'other' }), 412, 'stale');
  const body = JSON.stringify({ document: hosts, revision });
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/json',
  ]) {
    const response = await request('POST', '/api/config/apply', { 'content-type': type }, body);
    assertError(response, 415, 'unsupported-media-type');
  }
  assertError(await request('POST', '/api/config/apply'), 400, 'invalid-input');
  assertError(await apply('x'.repeat(1 << 20)), 413, 'too-large');
  assert.deepEqual(deps.store.document, {});
});

test('a change that cannot be applied says so, and that the one before stays', async (t) => {
  const { apply, deps } = await testAdmin(t);
  deps.store.onChange(() => Promise.reject(new Error('could not listen on 0.0.0.0:443: EADDRINUSE')));
  const response = await apply(hosts);
  assertError(response, 422, 'apply-failed');
  assert.match(response.json()['message'], /0\.0\.0\.0:443/);
  assert.deepEqual(deps.store.document, {});
});

test('a file edited by hand is not overwritten', async (t) => {
  const { apply, deps } = await testAdmin(t);
  await writeFile(deps.store.path, '{"admin":{"port":8065}}');
  assertError(await apply(hosts), 409, 'file-changed');
});

test('a change with a countdown: pending, alone, confirmed; another taken back', async (t) => {
  const { apply, post, request, deps } = await testAdmin(t);
  const pending = async () => (await request('GET', '/api/config/pending')).json();
  assert.deepEqual(await pending(), { pending: null, lastRollback: null });
  assertError(await post('/api/config/confirm'), 409, 'nothing-pending');
  assertError(await post('/api/config/rollback'), 409, 'nothing-pending');

  const previousRevision = deps.store.revision;
  const { revision, confirmBy } = (await apply({ admin: { port: 8065 } }, { confirmSeconds: 60 })).json();
  const { appliedAt, secondsLeft, ...waiting } = (await pending())['pending'];
  assert.deepEqual(waiting, {
    revision,
    previousRevision,
    by: 'bootstrap token',
    confirmBy,
    diff: [{ kind: 'changed', path: '/admin/port', label: 'admin.port', from: 8064, to: 8065 }],
  });
  assert.equal(Date.parse(confirmBy) - Date.parse(appliedAt), 60_000);
  assert.ok(secondsLeft > 50 && secondsLeft <= 60);
  assertError(await apply(hosts), 409, 'change-pending');
  assert.deepEqual((await post('/api/config/confirm')).json(), { revision });
  assert.deepEqual(await pending(), { pending: null, lastRollback: null });

  assert.equal((await apply(hosts, { confirmSeconds: 60 })).status, 200);
  assert.deepEqual((await post('/api/config/rollback')).json(), { revision });
  const { lastRollback } = await pending();
  assert.equal(lastRollback.reason, 'asked');
  assert.equal(deps.store.current.admin.port, 8065);
});

test('the history: pages, a revision with its differences, a revert', async (t) => {
  const { apply, post, request } = await testAdmin(t);
  for (let port = 9000; port < 9060; port++) await apply({ admin: { port } });
  const first = (await request('GET', '/api/config/revisions')).json();
  assert.equal(first['rows'].length, 50);
  const { at: _at, revision: _revision, ...newest } = first['rows'][0];
  assert.deepEqual(newest, {
    id: 61,
    by: 'bootstrap token',
    why: 'apply',
    reason: '',
    isCurrent: true,
    changes: 1,
  });
  const second = (await request('GET', `/api/config/revisions?cursor=${first['nextCursor']}`)).json();
  assert.equal(second['rows'].length, 11);
  assert.equal(second['nextCursor'], null);
  assert.equal(second['rows'].at(-1).why, 'first');

  const detail = (await request('GET', '/api/config/revisions/3')).json();
  assert.deepEqual(detail['document'], { admin: { port: 9001 } });
  const change = { kind: 'changed', path: '/admin/port', label: 'admin.port' };
  assert.deepEqual(detail['diff'], [{ ...change, from: 9000, to: 9001 }]);
  assert.deepEqual(detail['diffFromCurrent'], [{ ...change, from: 9059, to: 9001 }]);
  assertError(await request('GET', '/api/config/revisions/99'), 404, 'no-such-revision');
  assertError(await request('GET', '/api/config/revisions/x'), 400, 'invalid-input');

  const { revision } = first['rows'][0];
  const reverted = await post('/api/config/revisions/3/revert', { revision, confirmSeconds: 0 });
  assert.equal(reverted.json()['revision'], detail['revision']);
  assertError(await post('/api/config/revisions/99/revert', { revision }), 404, 'no-such-revision');
  assertError(await post('/api/config/revisions/4/revert', { revision }), 412, 'stale');
  const [row] = (await request('GET', '/api/config/revisions')).json()['rows'];
  assert.equal(row.why, 'revert');
  assert.equal(row.reason, 'Back to revision 3.');
});

test('a change that breaks an assertion is refused, and told which; it may be ignored', async (t) => {
  const { apply, post, request, deps } = await testAdmin(t);
  // No service has a say here: everything is refused.
  deps.changes.onAssess(async (config) => assess(config, []));
  const from = '203.0.113.9';
  const document = {
    assertions: [
      { name: 'up', from, to: 'www.example.com', port: 443, expect: 'web1' },
      { name: 'closed', from, to: 'www.example.com', port: 22, expect: 'refused' },
    ],
  };
  const failed = {
    name: 'up',
    path: '/assertions/0',
    state: 'failed',
    expect: 'web1',
    outcome: {
      kind: 'refused',
      server: null,
      address: null,
      port: null,
      text: 'Nothing here listens on tcp port 443.',
    },
    steps: [
      {
        isOk: true,
        service: 'network',
        text: 'www.example.com is taken to lead here: its A record has this appliance, or a router that passes the port on.',
      },
      { isOk: false, service: 'network', text: 'Nothing here listens on tcp port 443.' },
    ],
    message: '"up": expected the server web1. Nothing here listens on tcp port 443. There is no server web1.',
  };
  const response = await apply(document);
  assertError(response, 409, 'assertions-failed');
  assert.deepEqual(response.json()['failedAssertions'], [failed]);
  assert.match(response.json()['message'], /expected the server web1/);
  assert.deepEqual((await post('/api/config/check', { document })).json()['failedAssertions'], [failed]);
  assert.equal((await apply(document, { ignoreAssertions: true })).status, 200);
  const { rows } = (await request('GET', '/api/assertions')).json();
  assert.deepEqual(
    rows.map(({ state }: { state: string }) => state),
    ['failed', 'passed'],
  );
});

test('explain: what it needs, and an answer', async (t) => {
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

test('servers out of pasted text', async (t) => {
  const { apply, post } = await testAdmin(t);
  await apply(hosts);
  const text = 'web1 2001:db8:1::10 www.example.com\nweb2 192.0.2.1\n';
  assert.deepEqual((await post('/api/config/parse-hosts', { text })).json(), {
    format: 'lines',
    hosts: [
      {
        line: 1,
        host: { name: 'web1', address: '2001:db8:1::10', hostnames: ['www.example.com'] },
        isKnown: true,
      },
    ],
    problems: [
      {
        line: 2,
        value: '"192.0.2.1"',
        expected: 'an IPv6 address such as 2001:db8:1::10',
        message: 'address: "192.0.2.1" is not an IPv6 address such as 2001:db8:1::10',
      },
    ],
  });
});

test('the schema is the one that the configuration is checked against', async (t) => {
  const { request } = await testAdmin(t);
  const { $schema, ...schema } = (await request('GET', '/api/config/schema')).json();
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
    '/nothing.js',
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

  const [, script] = /src="(\/assets\/[\w.-]+\.js)"/.exec(page.body) ?? [];
  const [, style] = /href="(\/assets\/[\w.-]+\.css)"/.exec(page.body) ?? [];
  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/servers/web1?edit=1', 'text/html; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
    [script, 'text/javascript; charset=utf-8'],
    [style, 'text/css; charset=utf-8'],
  ]) {
    const { status, headers } = await request('GET', path, { authorization: '' });
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], type, path);
    const isImmutable = path.startsWith('/assets/');
    assert.match(String(headers['cache-control']), isImmutable ? /immutable/ : /^no-cache$/, path);
    const again = await request('GET', path, { authorization: '', 'if-none-match': String(headers['etag']) });
    assert.equal(again.status, 304);
  }
  for (const [accepted, coding] of [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['identity', undefined],
  ] as const) {
    const { headers } = await request('GET', script, { authorization: '', 'accept-encoding': accepted });
    assert.equal(headers['content-encoding'], coding, accepted);
    assert.equal(headers['vary'], 'accept-encoding');
  }
  for (const path of ['/nothing.js', '/assets/nothing.css', '/.built']) {
    assertError(await request('GET', path, { authorization: '' }), 404, 'not-found');
  }
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
