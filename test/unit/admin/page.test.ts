/** The files of the control panel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, testAdmin } from './fixture.ts';

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

test('requests for its code are not counted, its API requests are', async (t) => {
  const { request } = await testAdmin(t, {}, 3);
  const { body } = await request('GET', '/', { authorization: '' });
  const [, script] = /src="(\/assets\/[\w.-]+\.js)"/.exec(body) ?? [];
  const ask = async (path: string) => (await request('GET', path, { authorization: '' })).status;
  for (let i = 0; i < 10; i++) assert.deepEqual([await ask('/'), await ask(script)], [200, 200]);
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await ask('/api/health'));
  assert.deepEqual(answers, [200, 200, 200, 429]);
});
