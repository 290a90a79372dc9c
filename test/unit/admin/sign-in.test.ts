/** Sessions, passwords and password guessing, through the API. */
import assert from 'node:assert/strict';
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuth } from '../../../src/admin/auth/auth.ts';
import { ABSOLUTE_LIMIT_MS, IDLE_LIMIT_MS, findSession } from '../../../src/admin/auth/sessions.ts';
import { SESSION_COOKIE } from '../../../src/admin/contract/auth.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { PASSWORD, newBrowser } from './browser.ts';
import { LOCAL, claimed, signIn } from './claimed.ts';
import { assertError, temporaryDirectory } from './fixture.ts';
import { english } from '../../../src/texts/text.ts';

test('only hashes are stored, readable only by their owner', async (t) => {
  const { stateDirectory, owner, auth, log } = await claimed(t);
  const made = await owner.send('POST', 'tokens', {
    name: 'backup',
    scope: 'read',
    expiresInDays: 1,
    password: PASSWORD,
  });
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

test('signing in begins a session with a new cookie, and ends the old session', async (t) => {
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
  assert.equal((await openTestAuth()).data.sessions.length, 1, 'sessions survive the process');
});

test('a session ends after a time without use, and after a longer time with use', async (t) => {
  const { owner, clock } = await claimed(t);
  clock.pass(IDLE_LIMIT_MS - 60_000);
  assert.equal((await owner.get('status')).status, 200);
  clock.pass(IDLE_LIMIT_MS + 60_000);
  assertError(await owner.get('status'), 401, 'unauthorized');
  await signIn(owner);
  for (let agedMs = 0; agedMs < ABSOLUTE_LIMIT_MS; agedMs += IDLE_LIMIT_MS / 2) {
    assert.equal((await owner.get('status')).status, 200);
    clock.pass(IDLE_LIMIT_MS / 2);
  }
  assertError(await owner.get('status'), 401, 'unauthorized');
});

/** No password has this hash: nothing is computed for it. */
const NO_HASH = 'none';
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

test('after a restart, a session from a clock that ran far ahead has ended; a clock that is set back a little ends none', async (t) => {
  for (const [aheadMs, isLive] of [
    [HOUR_MS, true],
    [23 * HOUR_MS, true],
    [25 * HOUR_MS, false],
    [74 * YEAR_MS, false],
  ] as const) {
    const { owner, clock, openTestAuth } = await claimed(t);
    const rightMs = clock.nowMs;
    clock.nowMs += aheadMs;
    await signIn(owner);
    clock.nowMs = rightMs;
    const { data } = await openTestAuth();
    const found = findSession(data, owner.cookies.get(SESSION_COOKIE)!, rightMs);
    assert.equal(found !== undefined, isLive, `${aheadMs / HOUR_MS} hours`);
  }
});

test('the clock is set while the process runs, as on a machine without a clock battery: users stay signed in, and no longer than usual', async (t) => {
  const { app, owner, auth, clock, openTestAuth } = await claimed(t);
  // At first it is 1970; then a time server answers, is wrong by fifty years, and is correct again.
  clock.nowMs = 100_000;
  await signIn(owner);
  const made = await owner.send('POST', 'tokens', {
    name: 'script',
    scope: 'read',
    expiresInDays: 1,
    password: PASSWORD,
  });
  const { secret } = made.json();
  const withToken = newBrowser(app, LOCAL);
  for (const nowMs of [
    Date.parse('2026-11-30T12:00:00Z'),
    Date.parse('2076-11-30T12:00:00Z'),
    Date.parse('2026-11-30T12:05:00Z'),
  ]) {
    clock.nowMs = nowMs;
    clock.monotonicMs += 60_000;
    assert.equal((await owner.get('status')).status, 200, new Date(nowMs).toISOString());
    assert.equal((await withToken.get('status', { authorization: `Bearer ${secret}` })).status, 200);
    const { sessions } = (await owner.get('sessions')).json();
    assert.equal(sessions[0].createdAt.slice(0, 10), new Date(nowMs).toISOString().slice(0, 10));
  }
  // The stored data has the correct time, too.
  await auth.save();
  assert.ok(findSession((await openTestAuth()).data, owner.cookies.get(SESSION_COOKIE)!, clock.nowMs));
  clock.pass(IDLE_LIMIT_MS);
  assertError(await owner.get('status'), 401, 'unauthorized');
  clock.pass(24 * HOUR_MS);
  assertError(await withToken.get('status', { authorization: `Bearer ${secret}` }), 401, 'unauthorized');
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

test('a new password ends every session but this one, which continues with a new cookie', async (t) => {
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

/** Replaces the directory with a file, so that nothing can be written. Returns a function that restores it. */
async function loseDisk(directory: string): Promise<() => Promise<void>> {
  await rename(directory, `${directory}.away`);
  await writeFile(directory, '');
  return async () => {
    await rm(directory);
    await rename(`${directory}.away`, directory);
  };
}

test('a new password that cannot be stored takes effect nevertheless, and ends every other session', async (t) => {
  const { app, owner, stateDirectory } = await claimed(t);
  const thief = newBrowser(app, LOCAL);
  await signIn(thief);
  const giveBack = await loseDisk(stateDirectory);
  const next = 'another horse battery';
  const before = owner.cookies.get(SESSION_COOKIE);
  const changed = await owner.send('PUT', 'password', { current: PASSWORD, next });
  assertError(changed, 503, 'not-kept');
  assertError(await thief.get('status'), 401, 'unauthorized');
  assert.notEqual(owner.cookies.get(SESSION_COOKIE), before);
  assert.equal((await owner.get('status')).status, 200, 'the owner continues with a new cookie');
  assertError(await signIn(thief), 401, 'wrong-credentials');
  assert.equal((await signIn(thief, next)).status, 200);
  await giveBack();
});

test('signing out when it cannot be stored: the browser forgets the session nevertheless, and gets an error', async (t) => {
  const { owner, stateDirectory } = await claimed(t);
  const cookie = owner.cookies.get(SESSION_COOKIE)!;
  const giveBack = await loseDisk(stateDirectory);
  assertError(await owner.send('DELETE', 'session'), 503, 'not-kept');
  assert.equal(owner.cookies.has(SESSION_COOKIE), false);
  owner.cookies.set(SESSION_COOKIE, cookie);
  assertError(await owner.get('status'), 401, 'unauthorized');
  await giveBack();
});

test('an API token that cannot be stored is not made: nobody would know its secret', async (t) => {
  const { owner, stateDirectory, auth } = await claimed(t);
  const giveBack = await loseDisk(stateDirectory);
  const body = { name: 'script', scope: 'read', expiresInDays: null, password: PASSWORD };
  const refused = await owner.send('POST', 'tokens', body);
  assertError(refused, 503, 'not-kept');
  assert.match(refused.json()['message'], /^Not created, because it could not be saved: /);
  assert.deepEqual(auth.data.tokens, []);
  await giveBack();
  assert.equal((await owner.send('POST', 'tokens', body)).status, 201, 'the name is free');
});

test('wrong passwords are slowed down by source; a known browser is not affected', async (t) => {
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

test('guesses from many addresses are slowed down together, but not a known browser', async (t) => {
  const stateDirectory = await temporaryDirectory(t);
  const auth = await openAuth({
    storage: openStorage(stateDirectory),
    log: silentLog,
    now: () => 0,
    monotonicNow: () => 0,
  });
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

test('one network that guesses for hours does not lock out a new browser of the owner; many networks together get two guesses a minute', async (t) => {
  let nowMs = 0;
  const auth = await openAuth({
    storage: openStorage(await temporaryDirectory(t)),
    log: silentLog,
    now: () => nowMs,
    monotonicNow: () => nowMs,
  });
  auth.data.password = NO_HASH;
  let guesses = 0;
  const guess = async (source: string) => {
    try {
      await auth.isOwner({ password: 'x', code: undefined, source, device: undefined });
      guesses++;
      return 'checked';
    } catch {
      return 'delayed';
    }
  };
  for (; nowMs < 2 * HOUR_MS; nowMs += 2000) {
    await guess(`2001:db8:1::${nowMs % 7}`);
    // Rare enough to have no delay of its own.
    if (nowMs % (30 * 60_000) === 29 * 60_000)
      assert.equal(await guess('2001:db8:2::1'), 'checked', `after ${nowMs / 60_000} minutes`);
  }
  guesses = 0;
  const began = nowMs;
  for (let network = 0; nowMs < began + HOUR_MS; nowMs += 1000)
    for (let i = 0; i < 5; i++) await guess(`2001:db8:${(network++ % 4096).toString(16)}::1`);
  assert.ok(guesses < 120 + 200, `${guesses} guesses in an hour`);
});

test('many sign-ins at once: the delay includes those in progress, excess ones are refused', async (t) => {
  const { app } = await claimed(t);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => signIn(newBrowser(app, LOCAL), 'a guess of mine')),
  );
  const count = (status: number) => answers.filter((each) => each.status === status).length;
  assert.equal(count(401), 5);
  assert.equal(count(429), 15);
});

test('a device cookie that we did not issue has no effect', async (t) => {
  const { app } = await claimed(t);
  const guesser = newBrowser(app, LOCAL);
  for (let i = 0; i < 5; i++) {
    guesser.cookies.set('tombolo_device', `device${i}.${'x'.repeat(43)}`);
    assertError(await signIn(guesser, 'a guess of mine'), 401, 'wrong-credentials');
  }
  assertError(await signIn(guesser, 'a guess of mine'), 429, 'too-many-requests');
});

test('a file that cannot be read does not give the appliance to the next visitor', async (t) => {
  const { stateDirectory, openTestAuth } = await claimed(t);
  for (const text of [
    '',
    '{"version":1',
    '{"version":2}',
    '{"version":1,"password":"x"}',
    // The file of a new appliance, as a backup of one would contain it.
    '{"version":1,"password":null,"totp":null,"sessions":[],"tokens":[],"deviceKey":"x"}',
  ]) {
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
