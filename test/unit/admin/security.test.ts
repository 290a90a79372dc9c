/** Every route in the application's route table, against every client that must not use it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { IDLE_LIMIT_MS } from '../../../src/admin/auth/sessions.ts';
import { CSRF_HEADER, SESSION_COOKIE } from '../../../src/admin/contract/auth.ts';
import type { Route } from '../../../src/admin/route-table.ts';
import { type Answer, PASSWORD, newBrowser } from './browser.ts';
import { TOKEN, assertError, testAdmin } from './fixture.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The routes that any client that can connect may use. Think before adding one. */
const OPEN = ['GET /api/health', 'GET /api/session', 'POST /api/first-run', 'POST /api/session'];

const nameOf = ({ method, url }: Route) => `${method} ${url}`;
const isChange = ({ method }: Route) => method !== 'GET';

/** A path of the route, with any parameters: none of these requests reaches a handler. */
const pathOf = ({ url }: Route) => url.replace(/:[A-Za-z]+/g, 'x').replace(/\*$/, 'x');

function ask(app: FastifyInstance, route: Route, headers: object): Promise<Answer> {
  return app
    .inject({
      method: route.method as Method,
      url: pathOf(route),
      headers: {
        host: 'localhost:8064',
        ...(isChange(route) && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(isChange(route) && { payload: '{}' }),
    })
    .then((response) => ({
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
      json: () => JSON.parse(response.body),
    }));
}

/** A claimed appliance, its owner's browser, and its routes; `closed`: those that are not open. */
async function claimed(t: TestContext) {
  const admin = await testAdmin(t);
  const owner = newBrowser(admin.app);
  assert.equal((await owner.send('POST', 'first-run', { password: PASSWORD })).status, 200);
  const routes = admin.app.routeTable.filter(({ url }) => url.startsWith('/api/'));
  const closed = routes.filter(({ scope }) => scope !== 'open');
  const cookie = () => ({ cookie: `${SESSION_COOKIE}=${owner.cookies.get(SESSION_COOKIE)}` });
  return { ...admin, owner, routes, closed, cookie };
}

test('only the necessary routes and the files of the page are open', async (t) => {
  const { app } = await claimed(t);
  const open = app.routeTable.filter(({ scope }) => scope === 'open');
  const api = open.filter(({ url }) => url.startsWith('/api/'));
  assert.deepEqual(api.map(nameOf).sort(), OPEN);
  for (const route of open.filter(({ url }) => !url.startsWith('/api/'))) assert.equal(route.method, 'GET');
});

test('the requests other than GET of the scope read change nothing and are not audited, except signing out', async (t) => {
  const { closed } = await claimed(t);
  const changes = closed.filter((route) => isChange(route) && route.scope === 'read' && route.isAudited);
  assert.deepEqual(changes.map(nameOf), ['DELETE /api/session']);
});

for (const [title, headers] of [
  ['without credentials', {}],
  ['with a wrong token', { authorization: `Bearer ${TOKEN}x` }],
  ['with the right token in the wrong scheme', { authorization: `Basic ${TOKEN}` }],
  ['with a made-up session', { cookie: `${SESSION_COOKIE}=${'x'.repeat(43)}` }],
  ['with an empty session', { cookie: `${SESSION_COOKIE}=` }],
  ['with the token as a session', { cookie: `${SESSION_COOKIE}=${TOKEN}` }],
] as const) {
  test(`every route ${title}: 401`, async (t) => {
    const { app, closed, auth } = await claimed(t);
    assert.ok(closed.length > 20);
    for (const route of closed) {
      auth.tokenBackOff.succeed('127.0.0.1'); // not the subject of this test
      auth.tokenBackOff.succeed('127.0.0.1/32');
      const answer = await ask(app, route, headers);
      assert.equal(answer.headers['www-authenticate'], 'Bearer', nameOf(route));
      if (answer.status !== 429) assertError(answer, 401, 'unauthorized');
    }
  });
}

test('every route with a token of a smaller scope: 403, and the owner’s own routes with any token', async (t) => {
  const { app, closed, owner } = await claimed(t);
  const tokens: Record<string, string> = {};
  for (const scope of ['read', 'configure', 'system']) {
    const made = await owner.send('POST', 'tokens', {
      name: scope,
      scope,
      expiresInDays: 1,
      password: PASSWORD,
    });
    tokens[scope] = made.json()['secret'];
  }
  const smaller: Record<string, string[]> = { read: [], configure: ['read'], system: ['read', 'configure'] };
  let refusals = 0;
  for (const route of closed) {
    for (const scope of smaller[route.scope]) {
      const answer = await ask(app, route, { authorization: `Bearer ${tokens[scope]}` });
      assertError(answer, 403, 'scope-too-small');
      assert.match(answer.json()['message'], new RegExp(`needs the scope "${route.scope}".*"${scope}"`));
      refusals++;
    }
    if (!route.ownerOnly) continue;
    assertError(await ask(app, route, { authorization: `Bearer ${tokens['system']}` }), 403, 'owner-only');
  }
  assert.ok(refusals > 20);
});

/** Changes that outlive a session: a stolen session must not suffice for them. Think before removing one. */
const PRESENCE = [
  'DELETE /api/totp /password',
  'POST /api/backup /password',
  'POST /api/restore /password',
  'POST /api/system/factory-reset /password',
  'POST /api/system/ssh/keys /password',
  'POST /api/tokens /password',
  'PUT /api/password /current',
  'PUT /api/totp /password',
];

/** Bodies that these routes accept, without the password. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /api/backup': { passphrase: 'a passphrase' },
  'POST /api/restore': { file: 'AAAA', passphrase: 'a passphrase' },
  'POST /api/system/factory-reset': { confirm: 'x' },
  'POST /api/system/ssh/keys': { key: 'x' },
  'POST /api/tokens': { name: 'for ever', scope: 'system', expiresInDays: null },
  'PUT /api/password': { next: 'mine from now on' },
  'PUT /api/totp': { code: '123456' },
};

test('a stolen session alone cannot change anything that outlives it: the password is required, guesses are recorded and slowed down', async (t) => {
  const { closed, owner, auth, clock } = await claimed(t);
  const asking = closed.filter(({ presence }) => presence !== undefined);
  assert.deepEqual(asking.map((route) => `${nameOf(route)} ${route.presence}`).sort(), PRESENCE);
  const before = JSON.stringify({ ...auth.data, sessions: [] });
  for (const route of asking) {
    const field = route.presence!.slice(1);
    const body = BODIES[nameOf(route)] ?? {};
    const send = (more: object) =>
      owner.send(route.method as 'POST', route.url.slice('/api/'.length), { ...body, ...more });
    const without = await send({});
    assertError(without, 400, 'invalid-input');
    assert.equal(without.json()['problems'][0].path, route.presence, nameOf(route));
    clock.monotonicMs += 3_600_000;
    const wrong = await send({ [field]: 'a guess of mine' });
    assertError(wrong, 400, 'invalid-input');
    assert.doesNotMatch(wrong.body, /a guess of mine/);
  }
  assert.equal(JSON.stringify({ ...auth.data, sessions: [] }), before);
  const { entries } = (await owner.get('audit?limit=50')).json();
  const refused = entries.filter(({ outcome }: { outcome: string }) => outcome === 'refused');
  assert.equal(refused.length, asking.length);
  for (const { detail } of refused) assert.equal(detail, 'The present password is wrong.');
  let last = 400;
  for (let guesses = 0; last === 400 && guesses < 10; guesses++)
    last = (await owner.send('DELETE', 'totp', { password: `guess ${guesses}` })).status;
  assert.equal(last, 429);
});

test('the bootstrap token needs no password, and a token of scope system gets only a backup without secrets', async (t) => {
  const { request, owner } = await claimed(t);
  const json = { 'content-type': 'application/json' };
  assert.equal((await request('DELETE', '/api/totp', json, '{}')).status, 200);
  const made = await owner.send('POST', 'tokens', {
    name: 'nightly',
    scope: 'system',
    expiresInDays: 1,
    password: PASSWORD,
  });
  const authorization = `Bearer ${made.json()['secret']}`;
  const body = JSON.stringify({ passphrase: 'a passphrase' });
  assert.equal((await request('POST', '/api/backup', { ...json, authorization }, body)).status, 200);
});

/** What `configure` may change. Think before adding one. */
const CONFIGURES = [
  'POST /api/config/apply',
  'POST /api/config/confirm',
  'POST /api/config/revisions/:id/revert',
  'POST /api/config/rollback',
];

test('a token of the scope configure changes the configuration, and nothing else', async (t) => {
  const { app, closed, owner, auth } = await claimed(t);
  const made = await owner.send('POST', 'tokens', {
    name: 'deploy',
    scope: 'configure',
    expiresInDays: 1,
    password: PASSWORD,
  });
  const headers = { authorization: `Bearer ${made.json()['secret']}` };
  const before = JSON.stringify({ ...auth.data, tokens: [] });
  const isLetIn = async (route: Route) => ![401, 403].includes((await ask(app, route, headers)).status);
  const changes: string[] = [];
  for (const route of closed.filter((each) => isChange(each) && each.isAudited))
    if (await isLetIn(route)) changes.push(nameOf(route));
  // It has no session to end: the answer is 409.
  assert.deepEqual(changes.sort(), ['DELETE /api/session', ...CONFIGURES]);
  for (const url of ['/api/audit', '/api/support-bundle', '/api/tokens', '/api/sessions'])
    assert.equal(
      await isLetIn(closed.find((route) => route.url === url && route.method === 'GET')!),
      false,
      url,
    );
  assert.equal(JSON.stringify({ ...auth.data, tokens: [] }), before);
});

test('every route from a foreign address: 403, open ones and the page too', async (t) => {
  const { app, setAdmitted, cookie } = await claimed(t);
  setAdmitted(false);
  for (const route of app.routeTable) {
    for (const headers of [{}, cookie(), { authorization: `Bearer ${TOKEN}` }]) {
      assertError(await ask(app, route, headers), 403, 'forbidden-source');
    }
  }
});

test('every route under a foreign Host (DNS rebinding): 421, open ones and the page too', async (t) => {
  const { app, cookie } = await claimed(t);
  for (const route of app.routeTable) {
    for (const host of ['evil.example.com', 'localhost.evil.example.com', 'user@localhost']) {
      assertError(await ask(app, route, { ...cookie(), host }), 421, 'unknown-host');
    }
  }
});

test('every change requested by a page of another origin: 403', async (t) => {
  const { app, routes, cookie, owner } = await claimed(t);
  for (const route of routes.filter(isChange)) {
    for (const origin of [
      'http://evil.example.com',
      'null',
      'https://localhost:8064',
      'http://localhost:8065',
    ]) {
      const headers = { ...cookie(), [CSRF_HEADER]: owner.csrf, origin };
      assertError(await ask(app, route, headers), 403, 'foreign-origin');
    }
  }
});

test('every change in a session without its CSRF token: 403', async (t) => {
  const { app, closed, cookie } = await claimed(t);
  const other = newBrowser(app);
  await other.send('POST', 'session', { password: PASSWORD });
  for (const route of closed.filter(isChange)) {
    for (const sent of [{}, { [CSRF_HEADER]: '' }, { [CSRF_HEADER]: other.csrf }]) {
      assertError(await ask(app, route, { ...cookie(), ...sent }), 403, 'csrf');
    }
  }
});

test('every route with a session that was signed out (replayed), that is too old, or that ended with all others: 401', async (t) => {
  const { app, closed, cookie, owner, clock } = await claimed(t);
  for (const end of [
    () => owner.send('DELETE', 'session'),
    () => owner.send('DELETE', 'sessions'),
    () => owner.send('PUT', 'password', { current: PASSWORD, next: PASSWORD }),
    () => owner.send('POST', 'session', { password: PASSWORD }),
    async () => clock.pass(IDLE_LIMIT_MS),
  ]) {
    await owner.send('POST', 'session', { password: PASSWORD });
    const headers = { ...cookie(), [CSRF_HEADER]: owner.csrf };
    await end();
    for (const route of closed) assertError(await ask(app, route, headers), 401, 'unauthorized');
  }
});

test('every route with a session that an attacker had put into the browser (fixed): 401', async (t) => {
  const { app, closed } = await claimed(t);
  const planted = 'planted'.padEnd(43, 'x');
  const victim = newBrowser(app);
  victim.cookies.set(SESSION_COOKIE, planted);
  assert.equal((await victim.send('POST', 'session', { password: PASSWORD })).status, 200);
  assert.notEqual(victim.cookies.get(SESSION_COOKIE), planted);
  for (const route of closed) {
    assertError(await ask(app, route, { cookie: `${SESSION_COOKIE}=${planted}` }), 401, 'unauthorized');
  }
});

test('every route with a token that was revoked or has expired: 401', async (t) => {
  const { app, closed, owner, clock, auth } = await claimed(t);
  const make = async (name: string) =>
    (
      await owner.send('POST', 'tokens', { name, scope: 'system', expiresInDays: 1, password: PASSWORD })
    ).json();
  const [revoked, expired] = [await make('revoked'), await make('expired')];
  await owner.send('DELETE', `tokens/${revoked['id']}`);
  clock.pass(86_400_000);
  for (const route of closed) {
    for (const { secret } of [revoked, expired]) {
      auth.tokenBackOff.succeed('127.0.0.1/32');
      const answer = await ask(app, route, { authorization: `Bearer ${secret}` });
      if (answer.status !== 429) assertError(answer, 401, 'unauthorized');
    }
  }
});

test('HEAD has the same requirements as GET', async (t) => {
  const { app, closed, cookie } = await claimed(t);
  for (const route of closed.filter(({ method }) => method === 'GET')) {
    const { status } = await ask(app, { ...route, method: 'HEAD' }, {});
    assert.equal(status, 401, nameOf(route));
  }
  const known = await ask(app, { method: 'HEAD', url: '/api/status' } as Route, cookie());
  assert.equal(known.status, 200);
});

test('no route answers other methods than its own', async (t) => {
  const { app, routes } = await claimed(t);
  const known = new Set(routes.map(nameOf));
  for (const url of new Set(routes.map((route) => route.url))) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
      if (known.has(`${method} ${url}`)) continue;
      const route = { method, url } as Route;
      const answer = await ask(app, route, { authorization: `Bearer ${TOKEN}` });
      assert.ok([404, 415].includes(answer.status), `${method} ${url}: ${answer.status}`);
    }
  }
});
