/** Backup, restore and support bundle over the API. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { finishRestore } from '../../../src/state/backup.ts';
import { openBackup, sealBackup } from '../../../src/state/backup-seal.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import { TOKEN, assertError, testAdmin, testDeps } from './fixture.ts';
import { waitUntil } from '../../../lab/wait.ts';

const passphrase = 'a long walk on the beach';
/** A low key derivation cost: these tests do not test it. */
const CHEAP = 5;
const HOST = { name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'] };

/** The file of POST backup. The fixture reads bodies as text, so this reads the bytes. */
async function backupOf({ app, request }: Awaited<ReturnType<typeof testAdmin>>, token = TOKEN) {
  const refused = await request('POST', '/api/backup', { 'content-type': 'application/json' }, '{}');
  assertError(refused, 400, 'invalid-input');
  const response = await app.inject({
    method: 'POST',
    url: '/api/backup',
    headers: { host: 'localhost', authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ passphrase }),
  });
  assert.equal(response.statusCode, 200, response.body);
  assert.match(
    String(response.headers['content-disposition']),
    /^attachment; filename="tombolo-backup-[\w-]+\.age"$/,
  );
  return response.rawPayload;
}

/** A tar archive of one empty file. */
function tarOf(name: string): Buffer {
  const block = Buffer.alloc(1024);
  block.write(name, 0);
  block.write('ustar\0', 257);
  return block;
}

async function withRestart(t: TestContext) {
  const deps = await testDeps(t);
  let restarts = 0;
  const admin = await testAdmin(t, { ...deps, live: { ...deps.live, restart: () => void restarts++ } });
  return { ...admin, restarts: () => restarts };
}

test('a backup of one appliance is described (dry run), then restored on another', async (t) => {
  const first = await testAdmin(t);
  await first.apply({ hosts: [HOST] });
  const file = (await backupOf(first)).toString('base64');

  const second = await withRestart(t);
  await second.apply({ hosts: [{ ...HOST, name: 'old' }] });
  const dry = await second.post('/api/restore?dryRun=true', { file, passphrase });
  assert.equal(dry.status, 200, dry.body);
  const plan = dry.json();
  assert.equal(plan['isDryRun'], true);
  assert.ok(plan['diff'].some(({ label }: { label: string }) => label.includes('web1')));
  assert.ok(
    plan['entries'].some(
      ({ title, change }: Record<string, string>) => title === 'Configuration' && change === 'replaces',
    ),
  );
  assert.ok(
    !existsSync(join(second.deps.live.places.stateDirectory, 'restore')),
    'a dry run leaves nothing behind',
  );
  assert.equal(second.restarts(), 0);

  const done = await second.post('/api/restore', { file, passphrase });
  assert.equal(done.json()['isDryRun'], false);
  await waitUntil('the restart', () => second.restarts() === 1);
  const { places } = second.deps.live;
  await finishRestore(places, openStorage(places.stateDirectory), silentLog);
  assert.deepEqual(openConfigStore(places.configPath, silentLog).document, first.deps.store.document);
});

test('refused: a wrong passphrase, garbage, an invalid configuration; nothing is left behind', async (t) => {
  const { post, deps, request } = await withRestart(t);
  const sealed = async (name: string, content: string) =>
    (
      await sealBackup(
        {
          createdAt: '2026-01-02T03:04:05Z',
          version: '9',
          hostname: 'x',
          entries: [{ name, content: Buffer.from(content) }],
        },
        passphrase,
        CHEAP,
      )
    ).toString('base64');
  const before = readdirSync(deps.live.places.stateDirectory).sort();
  const good = await sealed('config.json', '{}');
  const rows: [object, number, string][] = [
    [{ file: good, passphrase: 'another passphrase' }, 403, 'wrong-passphrase'],
    [{ file: good.slice(0, 200), passphrase }, 403, 'wrong-passphrase'],
    [{ file: 'AAAA', passphrase }, 400, 'not-a-backup'],
    [{ file: '../../etc/passwd', passphrase }, 400, 'invalid-input'],
    [{ file: good }, 400, 'invalid-input'],
    [{ file: good, passphrase: 'short' }, 400, 'invalid-input'],
    // Foreign archives are not unpacked at all; our own contain at most 8 MiB.
    [{ file: Buffer.from('PK\u0003\u0004').toString('base64'), passphrase }, 400, 'not-a-backup'],
    [{ file: gzipSync(Buffer.alloc(32 << 20)).toString('base64'), passphrase }, 400, 'not-a-backup'],
    [{ file: tarOf('../../etc/passwd').toString('base64'), passphrase }, 400, 'not-a-backup'],
    [{ file: await sealed('config.json', ' '.repeat(17 << 19)), passphrase }, 413, 'too-large'],
    [{ file: await sealed('config.json', '{"hosts":5}'), passphrase }, 422, 'invalid-config'],
    [{ file: await sealed('config.json', 'no JSON'), passphrase }, 422, 'invalid-config'],
  ];
  for (const [body, status, error] of rows) assertError(await post('/api/restore', body), status, error);
  for (const name of ['../evil', '/etc/passwd', 'state/auth.json/../../evil']) {
    const file = await sealed(name, '{}');
    assertError(await post('/api/restore', { file, passphrase }), 400, 'backup-damaged');
  }
  const huge = JSON.stringify({ file: 'A'.repeat(13 << 20), passphrase });
  assertError(
    await request('POST', '/api/restore', { 'content-type': 'application/json' }, huge),
    413,
    'too-large',
  );
  assert.deepEqual(readdirSync(deps.live.places.stateDirectory).sort(), before);
});

test('one at a time', async (t) => {
  const { post } = await testAdmin(t);
  const answers = await Promise.all([
    post('/api/backup', { passphrase }),
    post('/api/backup', { passphrase }),
  ]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 429]);
});

test('a backup contains the active configuration, under any passphrase', async (t) => {
  const admin = await testAdmin(t);
  await admin.apply({ hosts: [HOST] });
  const { entries } = await openBackup(await backupOf(admin), passphrase);
  const config = entries.find(({ name }) => name === 'config.json');
  assert.deepEqual(JSON.parse(Buffer.from(config?.content ?? []).toString()), admin.deps.store.document);
});

test('a backup made with an API token contains no credentials of the owner', async (t) => {
  const admin = await testAdmin(t);
  await admin.apply({ hosts: [HOST] });
  const { stateDirectory } = admin.deps.live.places;
  writeFileSync(join(stateDirectory, 'auth.json'), '{"password":"x"}');
  writeFileSync(join(stateDirectory, 'admin-certificate.pem'), 'x');
  const made = await admin.post('/api/tokens', { name: 'nightly', scope: 'system', expiresInDays: 1 });
  const namesOf = async (token?: string) => {
    const { entries } = await openBackup(await backupOf(admin, token), passphrase);
    return entries.map(({ name }) => name);
  };
  const all = await namesOf();
  const access = ['state/auth.json', 'state/admin-certificate.pem'];
  for (const name of access) assert.ok(all.includes(name));
  const fromToken = await namesOf(made.json()['secret']);
  assert.deepEqual(
    fromToken,
    all.filter((name) => !access.includes(name)),
  );
});

test('the support bundle contains diagnostics, and none of the secrets of the state directory', async (t) => {
  const { request, deps } = await testAdmin(t);
  const { stateDirectory } = deps.live.places;
  const secrets = {
    token: 'bootstrapTokenOfThisAppliance-0123456789abcd',
    password: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
    session: 'sessionHash0123456789',
    api: 'apiTokenHash0123456789',
    totp: 'JBSWY3DPEHPK3PXP',
    device: 'deviceKey0123456789',
    key: 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0123456789',
  };
  writeFileSync(join(stateDirectory, 'admin-token'), `${secrets.token}\n`);
  writeFileSync(
    join(stateDirectory, 'auth.json'),
    JSON.stringify({
      version: 1,
      password: secrets.password,
      totp: { secret: secrets.totp, lastStep: 1 },
      sessions: [{ id: 's1', hash: secrets.session }],
      tokens: [{ id: 't1', name: 'grafana', hash: secrets.api, scope: 'configure' }],
      deviceKey: secrets.device,
    }),
  );
  writeFileSync(
    join(stateDirectory, 'admin-certificate.pem'),
    `-----BEGIN PRIVATE KEY-----\n${secrets.key}\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nMIIpublic\n-----END CERTIFICATE-----\n`,
  );
  // As a defect would log it: each secret in the log, in a message, in a field, inside JSON, as a credential.
  for (const secret of Object.values(secrets)) {
    deps.live.logs.add(JSON.stringify({ level: 50, time: 1, msg: `oops ${secret}`, field: secret }));
    deps.live.logs.add(
      JSON.stringify({ level: 50, time: 1, msg: 'nested', text: JSON.stringify({ a: secret }) }),
    );
  }
  deps.live.logs.add(
    JSON.stringify({ level: 50, time: 1, msg: 'x', header: 'Authorization: Bearer unknownSecret1' }),
  );
  deps.live.logs.add(JSON.stringify({ level: 50, time: 1, msg: 'x', passphrase: 'unknownSecret2' }));
  deps.live.logs.add(
    JSON.stringify({
      level: 50,
      time: 1,
      msg: '-----BEGIN EC PRIVATE KEY-----\nunknownSecret3\n-----END EC PRIVATE KEY-----',
    }),
  );
  deps.live.logs.add(JSON.stringify({ level: 30, time: 1, msg: 'scope configure' }));
  const { status, body, headers } = await request('GET', '/api/support-bundle');
  assert.equal(status, 200);
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!body.includes(secret), name);
  assert.doesNotMatch(body, /unknownSecret/);
  assert.match(String(headers['content-disposition']), /filename="tombolo-support-/);
  const bundle = JSON.parse(body) as Record<string, unknown>;
  assert.ok(
    ['status', 'counters', 'configuration', 'hardware', 'events', 'log'].every((name) => name in bundle),
  );
  assert.match(body, /scope configure/, 'words that are not secret stay');
});
