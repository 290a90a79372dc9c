/** First run, sessions, password, TOTP, API tokens and the audit log, through the API. */
import assert from 'node:assert/strict';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { CLAIM_WINDOW_MS } from '../../../src/admin/auth/claim.ts';
import { ABSOLUTE_LIMIT_MS, IDLE_LIMIT_MS } from '../../../src/admin/auth/sessions.ts';
import { SESSION_COOKIE } from '../../../src/admin/contract/auth.ts';
import { type Browser, PASSWORD, newBrowser } from './browser.ts';
import { TOKEN, assertError, temporaryDirectory, testAdmin } from './fixture.ts';
import { openAuth } from '../../../src/admin/auth/auth.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { english } from '../../../src/texts/text.ts';

const LOCAL = '127.0.0.1';

/** An appliance whose owner has just set the password in `owner`. */
async function claimed(t: TestContext) {
  const admin = await testAdmin(t);
  const owner = newBrowser(admin.app, LOCAL);
  const response = await owner.send('POST', 'first-run', { password: PASSWORD });
  assert.equal(response.status, 200, response.body);
  return { ...admin, owner };
}

const signIn = (browser: Browser, password = PASSWORD, more: object = {}) =>
  browser.send('POST', 'session', { password, ...more });

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

test('first run: the first visitor sets the password and is signed in', async (t) => {
  const { app, clock } = await testAdmin(t);
  const browser = newBrowser(app, LOCAL);
  const before = (await browser.get('session')).json();
  assert.equal(before['state'], 'unclaimed');
  assert.deepEqual(before['claim'], { isOpen: true, endsInSeconds: 1800, isLocal: true });
  clock.monotonicMs += 60_000;
  assert.equal((await browser.get('session')).json()['claim'].endsInSeconds, 1740);
  assertError(await browser.get('status'), 401, 'unauthorized');
  assertError(await signIn(browser), 409, 'unclaimed');

  const response = await browser.send('POST', 'first-run', { password: PASSWORD });
  assert.equal(response.status, 200, response.body);
  const { state, scope, csrfToken, claim } = response.json();
  assert.deepEqual({ state, scope, claim }, { state: 'signed-in', scope: 'system', claim: undefined });
  assert.match(csrfToken, /^[\w-]{43}$/);
  const cookies = response.headers['set-cookie'] as string[];
  assert.match(cookies[0], /^tombolo_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.equal((await browser.get('status')).status, 200);
  assertError(
    await newBrowser(app, LOCAL).send('POST', 'first-run', { password: PASSWORD }),
    409,
    'already-claimed',
  );
});

test('first run: not from another network, not after the window, again after a restart', async (t) => {
  const { app, setLocal, clock, openTestAuth, counters } = await testAdmin(t);
  const browser = newBrowser(app, LOCAL);
  setLocal(false);
  assert.equal((await browser.get('session')).json()['claim'].isLocal, false);
  assertError(await browser.send('POST', 'first-run', { password: PASSWORD }), 403, 'not-local');
  setLocal(true);
  clock.nowMs += 10 * CLAIM_WINDOW_MS; // the clock is set: no matter
  clock.monotonicMs += CLAIM_WINDOW_MS - 1;
  assert.equal((await browser.get('session')).json()['claim'].isOpen, true);
  clock.monotonicMs += 1;
  assertError(await browser.send('POST', 'first-run', { password: PASSWORD }), 403, 'claim-closed');
  assert.equal((await browser.get('session')).json()['state'], 'unclaimed');
  assert.equal(counters()['refused-claim'], 2);
  assert.equal((await openTestAuth()).claim.isOpen(), true);
});

test('first run: of two at once one wins', async (t) => {
  const { app } = await testAdmin(t);
  const browsers = [newBrowser(app, LOCAL), newBrowser(app, LOCAL)];
  const passwords = ['first come first served', 'second to none at all'];
  const answers = await Promise.all(
    browsers.map((browser, i) => browser.send('POST', 'first-run', { password: passwords[i] })),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual(statuses.toSorted(), [200, 409]);
  const winner = statuses.indexOf(200);
  assert.equal((await browsers[1 - winner].get('status')).status, 401);
  assert.equal((await signIn(newBrowser(app, LOCAL), passwords[winner])).status, 200);
  assertError(await signIn(newBrowser(app, LOCAL), passwords[1 - winner]), 401, 'wrong-credentials');
});

for (const [password, expected] of [
  ['short', /a password of 10 to 256 characters/],
  ['x'.repeat(257), /a password of 10 to 256 characters/],
  ['aaaaaaaaaaaa', /at least 5 different characters/],
  ['Tombolo12345', /no common word/],
  ['0123456789', /no plain sequence/],
  ['qwertyuiop', /no row of keys/],
  [12345678901, /a password of 10 to 256 characters/],
] as const) {
  test(`a new password ${String(password).slice(0, 20)} is refused, and not quoted`, async (t) => {
    const { app } = await testAdmin(t);
    const response = await newBrowser(app, LOCAL).send('POST', 'first-run', { password });
    assertError(response, 400, 'invalid-input');
    const [problem] = response.json()['problems'];
    assert.equal(problem.path, '/password');
    assert.match(problem.expected, expected);
    assert.ok(!response.body.includes(String(password)));
  });
}

test('what is kept: hashes only, for its owner only', async (t) => {
  const { stateDirectory, owner, auth, log } = await claimed(t);
  const made = await owner.send('POST', 'tokens', { name: 'backup', scope: 'read', expiresInDays: 1 });
  await auth.audit.settled();
  assert.equal((await stat(join(stateDirectory, 'auth.json'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(stateDirectory, 'audit.jsonl'))).mode & 0o777, 0o600);
  const secrets = [PASSWORD, owner.cookies.get(SESSION_COOKIE)!, owner.csrf!, made.json()['secret']];
  for (const file of await readdir(stateDirectory)) {
    const text = await readFile(join(stateDirectory, file), 'utf8');
    for (const secret of secrets) assert.ok(!text.includes(secret), `${file} has a secret`);
  }
  for (const secret of secrets) assert.ok(!log.lines.join('\n').includes(secret));
  assert.match(auth.data.password ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test('signing in begins a session under a new cookie, and ends the old one', async (t) => {
  const { app, owner, openTestAuth } = await claimed(t);
  const first = owner.cookies.get(SESSION_COOKIE);
  assert.equal((await signIn(owner)).status, 200);
  assert.notEqual(owner.cookies.get(SESSION_COOKIE), first);
  const old = newBrowser(app, LOCAL);
  old.cookies.set(SESSION_COOKIE, first!);
  assertError(await old.get('status'), 401, 'unauthorized');
  const { sessions } = (await owner.get('sessions')).json();
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].isCurrent, true);
  assert.equal(sessions[0].userAgent, 'Test/1.0');
  assert.equal((await openTestAuth()).data.sessions.length, 1, 'sessions outlive the process');
});

test('a session ends after a time without use, and after a time with', async (t) => {
  const { owner, clock } = await claimed(t);
  clock.nowMs += IDLE_LIMIT_MS - 60_000;
  assert.equal((await owner.get('status')).status, 200);
  clock.nowMs += IDLE_LIMIT_MS + 60_000;
  assertError(await owner.get('status'), 401, 'unauthorized');
  await signIn(owner);
  for (let agedMs = 0; agedMs < ABSOLUTE_LIMIT_MS; agedMs += IDLE_LIMIT_MS / 2) {
    assert.equal((await owner.get('status')).status, 200);
    clock.nowMs += IDLE_LIMIT_MS / 2;
  }
  assertError(await owner.get('status'), 401, 'unauthorized');
});

test('sessions are listed and ended: one, the own one, all', async (t) => {
  const { app, owner } = await claimed(t);
  const [second, third] = [newBrowser(app, LOCAL), newBrowser(app, LOCAL)];
  await signIn(second);
  await signIn(third);
  const list = async () =>
    (await owner.get('sessions')).json()['sessions'] as { id: string; isCurrent: boolean }[];
  const [{ id: ownId }, { id: secondId }] = await list();
  assert.equal((await owner.send('DELETE', `sessions/${secondId}`)).json()['state'], 'signed-in');
  assertError(await second.get('status'), 401, 'unauthorized');
  assertError(await owner.send('DELETE', `sessions/${secondId}`), 404, 'not-found');
  assert.equal((await third.send('DELETE', `sessions/${ownId}`)).status, 200);
  assertError(await owner.get('status'), 401, 'unauthorized');
  await signIn(owner);
  assert.equal((await third.send('DELETE', 'sessions')).json()['state'], 'signed-out');
  for (const browser of [owner, third]) assertError(await browser.get('status'), 401, 'unauthorized');
});

test('signing out', async (t) => {
  const { owner, request } = await claimed(t);
  const response = await owner.send('DELETE', 'session');
  assert.equal(response.json()['state'], 'signed-out');
  assert.equal(owner.cookies.has(SESSION_COOKIE), false);
  assertError(await request('DELETE', '/api/session'), 409, 'no-session');
});

test('a new password ends every session but this one, which goes on under a new cookie', async (t) => {
  const { app, owner } = await claimed(t);
  const other = newBrowser(app, LOCAL);
  await signIn(other);
  const next = 'another horse battery';
  for (const [body, path] of [
    [{ current: 'wrong wrong wrong', next }, '/current'],
    [{ next }, '/current'],
    [{ current: PASSWORD, next: 'aaaaaaaaaaaa' }, '/next'],
    [{ current: PASSWORD }, '/next'],
  ] as const) {
    const refused = await owner.send('PUT', 'password', body);
    assertError(refused, 400, 'invalid-input');
    assert.equal(refused.json()['problems'][0].path, path);
  }
  const before = owner.cookies.get(SESSION_COOKIE);
  assert.equal((await owner.send('PUT', 'password', { current: PASSWORD, next })).status, 200);
  assert.notEqual(owner.cookies.get(SESSION_COOKIE), before);
  assert.equal((await owner.get('status')).status, 200);
  assertError(await other.get('status'), 401, 'unauthorized');
  assertError(await signIn(other), 401, 'wrong-credentials');
  assert.equal((await signIn(other, next)).status, 200);
});

test('wrong passwords are slowed down by source; a browser that was here before is not concerned', async (t) => {
  const { app, owner, clock, counters } = await claimed(t);
  await owner.send('DELETE', 'session');
  const guesser = newBrowser(app, LOCAL);
  for (let i = 0; i < 5; i++) assertError(await signIn(guesser, 'a guess of mine'), 401, 'wrong-credentials');
  for (const password of ['a guess of mine', PASSWORD]) {
    assertError(await signIn(guesser, password), 429, 'too-many-requests');
  }
  assert.equal((await signIn(owner)).status, 200, 'the owner, at the same address');
  clock.monotonicMs += 1000;
  assert.equal((await signIn(guesser)).status, 200);
  assert.equal(counters()['refused-password'], 5);
  assert.equal(counters()['refused-back-off'], 2);
});

test('guesses from many addresses are slowed down together, but not the browser that was here before', async (t) => {
  const stateDirectory = await temporaryDirectory(t);
  const auth = await openAuth({ stateDirectory, log: silentLog, now: () => 0, monotonicNow: () => 0 });
  await auth.claimWith(PASSWORD);
  for (let i = 0; i < 50; i++) {
    const source = `192.0.2.${i}`;
    assert.equal(await auth.isOwner({ password: 'x', code: undefined, source, device: undefined }), false);
  }
  const source = '198.51.100.1';
  const candidate = { password: PASSWORD, code: undefined, source };
  await assert.rejects(auth.isOwner({ ...candidate, device: undefined }), { statusCode: 429 });
  assert.equal(await auth.isOwner({ ...candidate, device: 'known' }), true);
  assert.equal(await auth.isOwner({ ...candidate, source: '127.0.0.1', device: undefined }), true);
});

test('many sign-ins at once: the wait holds for those under way, too many are refused', async (t) => {
  const { app } = await claimed(t);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => signIn(newBrowser(app, LOCAL), 'a guess of mine')),
  );
  const count = (status: number) => answers.filter((each) => each.status === status).length;
  assert.equal(count(401), 5);
  assert.equal(count(429), 15);
});

test('a device cookie that we did not give counts for nothing', async (t) => {
  const { app } = await claimed(t);
  const guesser = newBrowser(app, LOCAL);
  for (let i = 0; i < 5; i++) {
    guesser.cookies.set('tombolo_device', `device${i}.${'x'.repeat(43)}`);
    assertError(await signIn(guesser, 'a guess of mine'), 401, 'wrong-credentials');
  }
  assertError(await signIn(guesser, 'a guess of mine'), 429, 'too-many-requests');
});

test('TOTP: switched on with a code, asked for, each code once, switched off with the password', async (t) => {
  const { app, owner, clock } = await claimed(t);
  assertError(await owner.send('PUT', 'totp', { code: '123456' }), 409, 'no-totp-secret');
  const { secret, uri } = (await owner.send('POST', 'totp')).json();
  assert.match(uri, /^otpauth:\/\/totp\/Tombolo:/);
  const codeAt = (timestamp: number) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
  const wrong = codeAt(clock.nowMs + 3_600_000);
  const refused = await owner.send('PUT', 'totp', { code: wrong });
  assertError(refused, 400, 'invalid-input');
  assert.match(refused.json()['message'], /the appliance's clock says 2026-01-02T03:04:05/);
  assert.equal((await owner.send('PUT', 'totp', { code: codeAt(clock.nowMs) })).json()['hasTotp'], true);
  assertError(await owner.send('POST', 'totp'), 409, 'totp-on');

  const browser = newBrowser(app, LOCAL);
  assert.equal((await browser.get('session')).json()['hasTotp'], true);
  const missing = await signIn(browser);
  assertError(missing, 400, 'invalid-input');
  assert.equal(missing.json()['problems'][0].path, '/code');
  const used = codeAt(clock.nowMs);
  assertError(await signIn(browser, PASSWORD, { code: used }), 401, 'wrong-credentials');
  clock.nowMs += 30_000;
  const code = codeAt(clock.nowMs);
  assertError(await signIn(browser, 'wrong password', { code }), 401, 'wrong-credentials');
  assert.equal((await signIn(browser, PASSWORD, { code })).status, 200);
  assertError(await signIn(newBrowser(app, LOCAL), PASSWORD, { code }), 401, 'wrong-credentials');
  clock.nowMs += 90_000;
  assert.equal(
    (await signIn(browser, PASSWORD, { code: codeAt(clock.nowMs - 30_000) })).status,
    200,
    'slow clock',
  );

  assertError(await browser.send('DELETE', 'totp', { password: 'wrong password' }), 400, 'invalid-input');
  assertError(await browser.send('DELETE', 'totp', {}), 400, 'invalid-input');
  assert.equal((await browser.send('DELETE', 'totp', { password: PASSWORD })).json()['hasTotp'], false);
  assert.equal((await signIn(newBrowser(app, LOCAL))).status, 200);
});

test('recovery: the bootstrap token sets a password and switches TOTP off without the old ones', async (t) => {
  const { app, owner, request, clock } = await claimed(t);
  const { secret } = (await owner.send('POST', 'totp')).json();
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.nowMs });
  await owner.send('PUT', 'totp', { code });
  const json = { 'content-type': 'application/json' };
  assert.equal((await request('DELETE', '/api/totp', json, '{}')).status, 200);
  const next = 'found it again at last';
  assert.equal((await request('PUT', '/api/password', json, JSON.stringify({ next }))).status, 200);
  assertError(await owner.get('status'), 401, 'unauthorized');
  assert.equal((await signIn(newBrowser(app, LOCAL), next)).status, 200);
});

test('recovery: the bootstrap token claims, whether the window is open or not', async (t) => {
  const { app, request, clock } = await testAdmin(t);
  clock.monotonicMs += CLAIM_WINDOW_MS;
  const body = JSON.stringify({ next: PASSWORD });
  assert.equal(
    (await request('PUT', '/api/password', { 'content-type': 'application/json' }, body)).status,
    200,
  );
  assert.equal((await signIn(newBrowser(app, LOCAL))).status, 200);
});

test('API tokens: the secret once, a scope, an end, revoked', async (t) => {
  const { app, owner, clock, request, openTestAuth } = await claimed(t);
  const make = (name: string, expiresInDays: number | null = 1) =>
    owner.send('POST', 'tokens', { name, scope: 'read', expiresInDays });
  const made = await make('monitoring');
  assert.equal(made.status, 201);
  const { id, secret, ...rest } = made.json();
  assert.match(secret, /^tombolo_[\w-]{43}$/);
  assert.deepEqual(rest, {
    name: 'monitoring',
    scope: 'read',
    createdAt: '2026-01-02T03:04:05.000Z',
    expiresAt: '2026-01-03T03:04:05.000Z',
    lastUsedAt: null,
  });
  assertError(await make('monitoring'), 409, 'name-taken');
  const { secret: forever, id: foreverId } = (await make('forever', null)).json();

  assert.equal((await request('GET', '/api/status', bearer(secret))).status, 200);
  assert.equal((await request('GET', '/api/session', bearer(secret))).json()['scope'], 'read');
  assertError(await request('GET', '/api/tokens', bearer(secret)), 403, 'scope-too-small');
  const { tokens } = (await owner.get('tokens')).json();
  assert.equal(tokens[0].lastUsedAt, '2026-01-02T03:04:05.000Z');
  assert.equal((await openTestAuth()).data.tokens.length, 2, 'tokens outlive the process');

  assert.equal((await owner.send('DELETE', `tokens/${foreverId}`)).json()['tokens'].length, 1);
  assertError(await request('GET', '/api/status', bearer(forever)), 401, 'unauthorized');
  assertError(await owner.send('DELETE', `tokens/${foreverId}`), 404, 'not-found');
  clock.nowMs += 86_400_000;
  assertError(await request('GET', '/api/status', bearer(secret)), 401, 'unauthorized');
  assert.equal((await newBrowser(app, LOCAL).get('session', bearer(secret))).json()['state'], 'signed-out');
  assert.equal(id, tokens[0].id);
});

test('an API token of the widest scope cannot change how the owner signs in', async (t) => {
  const { owner, request } = await claimed(t);
  const { secret } = (
    await owner.send('POST', 'tokens', { name: 'all', scope: 'system', expiresInDays: null })
  ).json();
  const json = { ...bearer(secret), 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'more', scope: 'system', expiresInDays: null });
  assertError(await request('POST', '/api/tokens', json, body), 403, 'owner-only');
  assert.equal((await request('GET', '/api/tokens', bearer(secret))).status, 200);
});

test('a file that cannot be read does not give the appliance to the next visitor', async (t) => {
  const { stateDirectory, openTestAuth } = await claimed(t);
  for (const text of ['', '{"version":1', '{"version":2}', '{"version":1,"password":"x"}']) {
    await writeFile(join(stateDirectory, 'auth.json'), text);
    const auth = await openTestAuth();
    assert.equal(auth.isClaimed(), true);
    assert.match(english(auth.problem ?? ''), /auth\.json cannot be used .*bootstrap token/);
    const candidate = { password: PASSWORD, code: undefined, source: '192.0.2.1', device: undefined };
    assert.equal(await auth.isOwner(candidate), false);
    await auth.setPassword('a new beginning', '/next');
    assert.equal(auth.problem, undefined);
  }
});

test('the audit log: who, when, from where, what; page by page; no reads, no mistakes', async (t) => {
  const { app, owner, request, auth } = await claimed(t);
  await owner.get('status');
  const { id } = (await owner.send('POST', 'tokens', { name: 'a', scope: 'read', expiresInDays: 7 })).json();
  await owner.send('POST', 'tokens', { name: '', scope: 'read', expiresInDays: 7 });
  await request('DELETE', `/api/tokens/${id}`);
  await signIn(newBrowser(app, LOCAL), 'wrong password');
  await request('GET', '/api/status', bearer('wrong'));
  await auth.audit.settled();
  const { entries, nextCursor } = (await owner.get('audit')).json();
  const told = (entries as Record<string, unknown>[]).map(({ who, action, target, outcome }) => [
    who,
    action,
    target,
    outcome,
  ]);
  assert.deepEqual(told, [
    ['nobody', 'GET /api/status', null, 'refused'],
    ['nobody', 'POST /api/session', null, 'refused'],
    ['bootstrap token', 'DELETE /api/tokens/:id', 'a', 'done'],
    ['owner', 'POST /api/tokens', 'a (read)', 'done'],
    ['owner', 'POST /api/first-run', null, 'done'],
  ]);
  assert.equal(nextCursor, null);
  assert.deepEqual(entries[3], {
    id: 2,
    at: '2026-01-02T03:04:05.000Z',
    who: 'owner',
    source: '127.0.0.1',
    action: 'POST /api/tokens',
    summary: 'Makes an API token',
    target: 'a (read)',
    outcome: 'done',
    detail: null,
  });
  const first = (await owner.get('audit?limit=3')).json();
  assert.equal(first['entries'].length, 3);
  const rest = (await owner.get(`audit?limit=3&cursor=${first['nextCursor']}`)).json();
  assert.deepEqual([...first['entries'], ...rest['entries']], entries);
  assert.equal(rest['nextCursor'], null);
  assert.ok(!JSON.stringify(entries).includes(TOKEN));
});
