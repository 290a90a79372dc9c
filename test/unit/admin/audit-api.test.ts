/** The audit log, through the API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, newBrowser } from './browser.ts';
import { LOCAL, bearer, claimed, signIn } from './claimed.ts';
import { TOKEN } from './fixture.ts';

test('the audit log: who, when, from where, what; page by page; without reads and invalid requests', async (t) => {
  const { app, owner, request, auth } = await claimed(t);
  await owner.get('status');
  const { id } = (
    await owner.send('POST', 'tokens', { name: 'a', scope: 'read', expiresInDays: 7, password: PASSWORD })
  ).json();
  await owner.send('POST', 'tokens', { name: '', scope: 'read', expiresInDays: 7, password: PASSWORD });
  await request('DELETE', `/api/tokens/${id}`);
  await signIn(newBrowser(app, LOCAL), 'wrong password');
  await request('GET', '/api/status', bearer('wrong'));
  await auth.audit.settled();
  const { entries, nextCursor } = (await owner.get('audit')).json();
  const rows = (entries as Record<string, unknown>[]).map(({ who, action, target, outcome }) => [
    who,
    action,
    target,
    outcome,
  ]);
  assert.deepEqual(rows, [
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

test('access to the log or to a support bundle is recorded, once an hour each', async (t) => {
  const { owner, request, auth, clock } = await claimed(t);
  const noted = async () => {
    await auth.audit.settled();
    const { entries } = (await owner.get('audit')).json();
    return (entries as Record<string, unknown>[])
      .filter(({ action }) => String(action).startsWith('GET '))
      .map(({ who, action, outcome }) => [who, action, outcome]);
  };
  for (let i = 0; i < 3; i++) {
    assert.equal((await owner.get(`logs?limit=${i + 1}`)).status, 200);
    assert.equal((await owner.get('support-bundle')).status, 200);
    assert.equal((await request('GET', '/api/logs')).status, 200);
  }
  await owner.get('logs?limit=x');
  const once = [
    ['bootstrap token', 'GET /api/logs', 'done'],
    ['owner', 'GET /api/support-bundle', 'done'],
    ['owner', 'GET /api/logs', 'done'],
  ];
  assert.deepEqual(await noted(), once);
  clock.monotonicMs += 3_600_000;
  await owner.get('logs');
  assert.deepEqual(await noted(), [['owner', 'GET /api/logs', 'done'], ...once]);
});
