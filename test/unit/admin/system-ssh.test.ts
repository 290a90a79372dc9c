/** SSH to the appliance, through the API, including the files that its units read. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { applianceActions } from '../../../src/os/appliance-actions.ts';
import { MOST_SSH_KEYS } from '../../../src/os/appliance-ssh.ts';
import { PASSWORD } from './browser.ts';
import { bearer, claimed } from './claimed.ts';
import { assertError, temporaryDirectory, testAdmin, testDeps } from './fixture.ts';

/** A different key for each number. */
const keyLine = (number: number, comment = `key-${number}`) => {
  const blob = Buffer.alloc(51, number);
  blob.set([0, 0, 0, 11, ...Buffer.from('ssh-ed25519'), 0, 0, 0, 32]);
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}`;
};

async function appliance(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const hostKey = join(directory, 'host-key.pub');
  const deps = await testDeps(t);
  const actions = applianceActions({ TOMBOLO_ACTIONS: directory, TOMBOLO_SSH_HOST_KEY: hostKey }, directory);
  const admin = await claimed(t, { live: { ...deps.live, actions } });
  const request = join(directory, 'ssh-keys');
  return {
    ...admin,
    list: join(directory, 'authorized_keys'),
    hostKey,
    /** Whether root was requested since the last call. */
    wasAsked() {
      const was = existsSync(request);
      rmSync(request, { force: true });
      return was;
    },
    add: (key: string, password: string | undefined = PASSWORD) =>
      admin.owner.send('POST', 'system/ssh/keys', { key, ...(password && { password }) }),
  };
}

test('a key is added and removed, in the list that root reads', async (t) => {
  const { owner, add, list, hostKey, wasAsked } = await appliance(t);
  assert.deepEqual((await owner.get('system/ssh')).json(), { isRunning: false, keys: [], hostKey: null });
  assert.equal((await owner.get('system')).json()['capabilities'].ssh, true);
  assert.ok(!wasAsked());

  assert.equal((await add(`  ${keyLine(1)}\n`)).status, 200);
  const { status, json } = await add(keyLine(2, ''));
  assert.equal(status, 200);
  assert.ok(wasAsked());
  assert.equal(readFileSync(list, 'utf8'), `${keyLine(1)}\n${keyLine(2, '').trim()}\n`);
  assert.equal(statSync(list).mode & 0o777, 0o600);
  const [first, second] = json()['keys'];
  assert.deepEqual([first.type, first.comment, second.comment], ['ssh-ed25519', 'key-1', '']);

  writeFileSync(hostKey, `${keyLine(9)}\n`);
  assert.match((await owner.get('system/ssh')).json()['hostKey'].fingerprint, /^SHA256:/);

  const path = (fingerprint: string) => `system/ssh/keys/${encodeURIComponent(fingerprint)}`;
  assert.equal((await owner.send('DELETE', path(first.fingerprint))).status, 200);
  assert.ok(wasAsked());
  assert.equal(readFileSync(list, 'utf8'), `${keyLine(2, '').trim()}\n`);
  assertError(await owner.send('DELETE', path(first.fingerprint)), 404, 'not-found');
  assert.equal((await owner.send('DELETE', path(second.fingerprint))).json()['keys'].length, 0);
  assert.equal(readFileSync(list, 'utf8'), '');
});

test('simultaneous changes are all kept', async (t) => {
  const { add, owner } = await appliance(t);
  const answers = await Promise.all([1, 2, 3, 4, 5].map((number) => add(keyLine(number))));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal((await owner.get('system/ssh')).json()['keys'].length, 5);
});

test('it needs the password and a valid key', async (t) => {
  const { add, list, wasAsked, auth } = await appliance(t);
  const secret = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n';
  const REFUSED: readonly [Parameters<typeof add>, number, string, RegExp][] = [
    [[keyLine(1), 'a wrong password'], 400, 'invalid-input', /\/password: is not the present password/],
    [[keyLine(1), ''], 400, 'invalid-input', /\/password/],
    [[secret], 400, 'invalid-input', /private half of a key/],
    [[`command="reboot" ${keyLine(1)}`], 400, 'invalid-input', /options/],
    [[keyLine(1).slice(0, 60)], 400, 'invalid-input', /damaged/],
    [[`${keyLine(1)}\n${keyLine(2)}`], 400, 'invalid-input', /more than one line/],
    [['hello'], 400, 'invalid-input', /ssh-ed25519/],
  ];
  for (const [args, status, word, message] of REFUSED) {
    const answer = await add(...args);
    assertError(answer, status, word);
    assert.match(answer.json()['message'], message);
    assert.doesNotMatch(answer.body, /b3Blbn/, 'a secret is not repeated in the answer');
  }
  assert.ok(!existsSync(list) && !wasAsked());
  assert.equal((await add(keyLine(1))).status, 200);
  assertError(await add(keyLine(1, 'another comment')), 409, 'key-known');
  await auth.audit.settled();
  const { entries } = await auth.audit.page(undefined, 10);
  const added = entries.find(({ target, outcome }) => target !== null && outcome === 'done');
  assert.match(String(added?.target), /^SHA256:/);
});

test(`at most ${MOST_SSH_KEYS} keys`, async (t) => {
  const { add, list } = await appliance(t);
  writeFileSync(list, Array.from({ length: MOST_SSH_KEYS }, (_, index) => `${keyLine(index)}\n`).join(''));
  assertError(await add(keyLine(200)), 409, 'too-many');
});

test('not for API tokens, and only on an appliance', async (t) => {
  const { owner, request } = await appliance(t);
  const token = { name: 'all', scope: 'system', expiresInDays: null, password: PASSWORD };
  const { secret } = (await owner.send('POST', 'tokens', token)).json();
  const json = { ...bearer(secret), 'content-type': 'application/json' };
  const body = JSON.stringify({ key: keyLine(1), password: PASSWORD });
  assert.equal((await request('POST', '/api/system/ssh/keys', json, body)).status, 403);
  assert.equal((await request('GET', '/api/system/ssh', bearer(secret))).status, 200);

  const elsewhere = await testAdmin(t);
  assertError(await elsewhere.request('GET', '/api/system/ssh'), 409, 'not-possible-here');
  assertError(await elsewhere.post('/api/system/ssh/keys', { key: keyLine(1) }), 409, 'not-possible-here');
});
