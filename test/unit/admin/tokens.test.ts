/** API tokens, through the API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, newBrowser } from './browser.ts';
import { LOCAL, bearer, claimed } from './claimed.ts';
import { assertError } from './fixture.ts';

test('API tokens: the secret is shown once, a scope, an expiry, revocation', async (t) => {
  const { app, owner, clock, request, openTestAuth } = await claimed(t);
  const make = (name: string, expiresInDays: number | null = 1) =>
    owner.send('POST', 'tokens', { name, scope: 'read', expiresInDays, password: PASSWORD });
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
  assert.equal((await openTestAuth()).data.tokens.length, 2, 'tokens survive the process');

  assert.equal((await owner.send('DELETE', `tokens/${foreverId}`)).json()['tokens'].length, 1);
  assertError(await request('GET', '/api/status', bearer(forever)), 401, 'unauthorized');
  assertError(await owner.send('DELETE', `tokens/${foreverId}`), 404, 'not-found');
  clock.pass(86_400_000);
  assertError(await request('GET', '/api/status', bearer(secret)), 401, 'unauthorized');
  assert.equal((await newBrowser(app, LOCAL).get('session', bearer(secret))).json()['state'], 'signed-out');
  assert.equal(id, tokens[0].id);
});

test('an API token of the widest scope cannot change how the owner signs in', async (t) => {
  const { owner, request } = await claimed(t);
  const { secret } = (
    await owner.send('POST', 'tokens', {
      name: 'all',
      scope: 'system',
      expiresInDays: null,
      password: PASSWORD,
    })
  ).json();
  const json = { ...bearer(secret), 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'more', scope: 'system', expiresInDays: null });
  assertError(await request('POST', '/api/tokens', json, body), 403, 'owner-only');
  assert.equal((await request('GET', '/api/tokens', bearer(secret))).status, 200);
});
