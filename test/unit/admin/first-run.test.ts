/** First run: who may set the first password, and which passwords are accepted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLAIM_WINDOW_MS } from '../../../src/admin/auth/claim.ts';
import { PASSWORD, newBrowser } from './browser.ts';
import { LOCAL, signIn } from './claimed.ts';
import { assertError, testAdmin } from './fixture.ts';

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
  clock.nowMs += 10 * CLAIM_WINDOW_MS; // setting the clock has no effect
  clock.monotonicMs += CLAIM_WINDOW_MS - 1;
  assert.equal((await browser.get('session')).json()['claim'].isOpen, true);
  clock.monotonicMs += 1;
  assertError(await browser.send('POST', 'first-run', { password: PASSWORD }), 403, 'claim-closed');
  assert.equal((await browser.get('session')).json()['state'], 'unclaimed');
  assert.equal(counters()['refused-claim'], 2);
  assert.equal((await openTestAuth()).claim.isOpen(), true);
});

test('first run: of two simultaneous requests one wins', async (t) => {
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
  ['Tombolo12345', /not a common word/],
  ['0123456789', /not a plain sequence/],
  ['qwertyuiop', /not a row of keys/],
  [12345678901, /a password of 10 to 256 characters/],
] as const) {
  test(`a new password ${String(password).slice(0, 20)} is refused, and not repeated in the answer`, async (t) => {
    const { app } = await testAdmin(t);
    const response = await newBrowser(app, LOCAL).send('POST', 'first-run', { password });
    assertError(response, 400, 'invalid-input');
    const [problem] = response.json()['problems'];
    assert.equal(problem.path, '/password');
    assert.match(problem.expected, expected);
    assert.ok(!response.body.includes(String(password)));
  });
}

test('recovery: the bootstrap token claims, with the window open or closed', async (t) => {
  const { app, request, clock } = await testAdmin(t);
  clock.monotonicMs += CLAIM_WINDOW_MS;
  const body = JSON.stringify({ next: PASSWORD });
  assert.equal(
    (await request('PUT', '/api/password', { 'content-type': 'application/json' }, body)).status,
    200,
  );
  assert.equal((await signIn(newBrowser(app, LOCAL))).status, 200);
});
