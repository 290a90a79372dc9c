/** TOTP, through the API, and how to get back in after losing it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { PASSWORD, newBrowser } from './browser.ts';
import { LOCAL, claimed, signIn } from './claimed.ts';
import { assertError } from './fixture.ts';

test('TOTP: switched on with a code, required at sign-in, each code once, switched off with the password', async (t) => {
  const { app, owner, clock } = await claimed(t);
  assertError(await owner.send('PUT', 'totp', { code: '123456', password: PASSWORD }), 409, 'no-totp-secret');
  const { secret, uri } = (await owner.send('POST', 'totp')).json();
  assert.match(uri, /^otpauth:\/\/totp\/Tombolo:/);
  const codeAt = (timestamp: number) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
  const wrong = codeAt(clock.nowMs + 3_600_000);
  const refused = await owner.send('PUT', 'totp', { code: wrong, password: PASSWORD });
  assertError(refused, 400, 'invalid-input');
  assert.match(refused.json()['message'], /the appliance's clock says 2026-01-02 03:04:05 UTC/);
  const right = codeAt(clock.nowMs);
  assertError(await owner.send('PUT', 'totp', { code: right }), 400, 'invalid-input');
  assertError(
    await owner.send('PUT', 'totp', { code: right, password: 'wrong password' }),
    400,
    'invalid-input',
  );
  assert.equal((await owner.get('session')).json()['hasTotp'], false);
  assert.equal(
    (await owner.send('PUT', 'totp', { code: codeAt(clock.nowMs), password: PASSWORD })).json()['hasTotp'],
    true,
  );
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

test('a code used while the clock ran ahead locks nobody out when the clock is correct again, and no code is accepted twice', async (t) => {
  const { app, owner, clock } = await claimed(t);
  const { secret } = (await owner.send('POST', 'totp')).json();
  const code = () => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.nowMs });
  const rightMs = clock.nowMs;
  clock.nowMs += 50 * 365 * 86_400_000;
  assert.equal((await owner.send('PUT', 'totp', { code: code(), password: PASSWORD })).status, 200);
  for (const backMs of [rightMs, rightMs - 3_600_000]) {
    clock.nowMs = backMs;
    const used = code();
    assert.equal((await signIn(newBrowser(app, LOCAL), PASSWORD, { code: used })).status, 200);
    const again = await signIn(newBrowser(app, LOCAL), PASSWORD, { code: used });
    assertError(again, 401, 'wrong-credentials');
    assert.match(again.json()['message'], /The clock of the appliance says 2026-01-02 0[23]:04:05 UTC/);
  }
});

test('recovery: the bootstrap token sets a password and switches TOTP off without the old ones', async (t) => {
  const { app, owner, request, clock } = await claimed(t);
  const { secret } = (await owner.send('POST', 'totp')).json();
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.nowMs });
  await owner.send('PUT', 'totp', { code, password: PASSWORD });
  const json = { 'content-type': 'application/json' };
  assert.equal((await request('DELETE', '/api/totp', json, '{}')).status, 200);
  const next = 'found it again at last';
  assert.equal((await request('PUT', '/api/password', json, JSON.stringify({ next }))).status, 200);
  assertError(await owner.get('status'), 401, 'unauthorized');
  assert.equal((await signIn(newBrowser(app, LOCAL), next)).status, 200);
});
