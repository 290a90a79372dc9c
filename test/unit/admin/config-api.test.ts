/** The configuration through the API: read, check, change, roll back. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { assess } from '../../../src/admin/explain/assertions.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { assertError, testAdmin } from './fixture.ts';

const json = { 'content-type': 'application/json' };
const hosts = { hosts: [{ name: 'web1', address: '2001:db8:1::10' }] };

test('the configuration is read, changed and written in the form that the user sent', async (t) => {
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

test('check reports what would change, and changes nothing', async (t) => {
  const { post, deps } = await testAdmin(t);
  const response = await post('/api/config/check', { document: { admin: { port: 8065 } } });
  const diff = [{ kind: 'changed', path: '/admin/port', label: 'admin.port', from: 8064, to: 8065 }];
  assert.deepEqual(response.json(), { valid: true, problems: [], diff, failedAssertions: [] });
  assert.deepEqual(deps.store.document, {});
});

test('what a change needs besides a valid document', async (t) => {
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

test('a change that cannot be applied is reported as failed, and the old configuration stays active', async (t) => {
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

test('a change with a countdown: pending, exclusive, confirmed; another is rolled back', async (t) => {
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

test('a change that breaks an assertion is refused with its name; the assertion may be ignored', async (t) => {
  const { apply, post, request, deps } = await testAdmin(t);
  // No service is asked here: every connection counts as refused.
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
      text: 'Nothing here listens on TCP port 443.',
    },
    steps: [
      {
        isOk: true,
        service: 'network',
        text: 'Assumption: the A record of www.example.com has the address of this appliance, or of a router that forwards the port to it.',
      },
      { isOk: false, service: 'network', text: 'Nothing here listens on TCP port 443.' },
    ],
    message: '"up": expected the server web1. Nothing here listens on TCP port 443. There is no server web1.',
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

test('servers from pasted text', async (t) => {
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
