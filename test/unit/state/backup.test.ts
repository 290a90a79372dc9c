import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCipheriv, randomBytes, scryptSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { parseAuthData } from '../../../src/admin/auth/state-file.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { type Backup, BackupError } from '../../../src/state/backup-error.ts';
import { openBackup, sealBackup } from '../../../src/state/backup-seal.ts';
import { english } from '../../../src/texts/text.ts';
import { collectEntries, finishRestore, planRestore, stageRestore } from '../../../src/state/backup.ts';

const PASSPHRASE = 'a long walk on the beach';
const BACKUP: Backup = {
  createdAt: '2026-01-02T03:04:05.000Z',
  version: '1.2.3',
  hostname: 'tombolo',
  entries: [
    { name: 'config.json', content: Buffer.from('{"hosts":[]}') },
    { name: 'state/auth.json', content: randomBytes(1000) },
  ],
};

const reasonOf = async (file: Uint8Array, passphrase = PASSPHRASE): Promise<string> => {
  try {
    await openBackup(file, passphrase);
    return 'opened';
  } catch (error) {
    assert.ok(error instanceof BackupError, String(error));
    return error.reason;
  }
};

/** A file in the format before age, with any content, sealed with the correct passphrase. */
function sealAnything(plain: Uint8Array, { log2N = 10, version = 1 } = {}): Buffer {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const header = Buffer.concat([Buffer.from('TOMBOLO-BACKUP\0'), Buffer.of(version, log2N), salt, nonce]);
  const key = scryptSync(PASSPHRASE, salt, 32, { N: 2 ** Math.min(log2N, 15), r: 8, p: 3, maxmem: 1 << 28 });
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header);
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
const sealJson = (content: unknown) => sealAnything(gzipSync(JSON.stringify(content)));

/** An age file with any content, as the owner could make it. Its key derivation is cheap. */
async function sealAge(plain: string, log2N = 5): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(log2N);
  return encrypter.encrypt(plain);
}

/** Runs age(1), which asks for the passphrase at a terminal, and answers. */
async function age(...args: string[]): Promise<void> {
  const child = spawn('script', ['-qec', ['age', ...args].join(' '), '/dev/null']);
  let shown = '';
  let asked = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk;
    const questions = shown.split(/passphrase[^:]*:/i).length - 1;
    for (; asked < questions; asked++) child.stdin.write(`${PASSPHRASE}\n`);
  });
  const [code] = await once(child, 'exit');
  child.stdin.end();
  assert.equal(code, 0, shown);
}

test('a sealed backup opens with its passphrase, and reveals nothing without it', async () => {
  const sealed = await sealBackup(BACKUP, PASSPHRASE);
  const opened = await openBackup(sealed, PASSPHRASE);
  assert.deepEqual(opened, { ...BACKUP, entries: BACKUP.entries.map((each) => ({ ...each })) });
  assert.ok(!sealed.includes('tombolo') && !sealed.includes('hosts') && !sealed.includes('config.json'));
  assert.notDeepEqual(await sealBackup(BACKUP, PASSPHRASE), sealed, 'salt and nonce are new each time');
  assert.equal(await reasonOf(sealed, 'a long walk on the beech'), 'wrong-passphrase');
  // Typed with a combining accent or without one: the same passphrase.
  const accented = await sealBackup(BACKUP, 'caf\u00e9 passphrase');
  assert.equal(await reasonOf(accented, 'cafe\u0301 passphrase'), 'opened');
});

test('"age -d" opens a backup, and "age -p" makes a backup from its content', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-age-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);
  writeFileSync(at('backup.age'), await sealBackup(BACKUP, PASSPHRASE));
  await age('-d', '-o', at('backup.json'), at('backup.age'));
  const { entries, ...about } = JSON.parse(readFileSync(at('backup.json'), 'utf8'));
  assert.deepEqual(about, { createdAt: BACKUP.createdAt, version: '1.2.3', hostname: 'tombolo' });
  assert.deepEqual(entries[0], { name: 'config.json', text: '{"hosts":[]}' });

  writeFileSync(at('changed.json'), JSON.stringify({ ...about, entries: entries.slice(0, 1) }));
  await age('-p', '-o', at('changed.age'), at('changed.json'));
  const again = await openBackup(readFileSync(at('changed.age')), PASSPHRASE);
  assert.deepEqual(again.entries, BACKUP.entries.slice(0, 1));
});

test('a backup of the format before age is still read', async () => {
  const { entries, ...about } = BACKUP;
  const old = entries.map(({ name, content }) => ({
    name,
    content: Buffer.from(content).toString('base64'),
  }));
  const sealed = sealJson({ ...about, entries: old });
  assert.deepEqual(await openBackup(sealed, PASSPHRASE), BACKUP);
  const changed = (at: number) => {
    const copy = Buffer.from(sealed);
    copy[at] ^= 1;
    return copy;
  };
  const rows: [string, Uint8Array, string][] = [
    ['cut in the header', sealed.subarray(0, 30), 'damaged'],
    ['cut in the middle', sealed.subarray(0, sealed.length - 100), 'wrong-passphrase'],
    ['a byte of the content changed', changed(sealed.length - 50), 'wrong-passphrase'],
    ['a byte of the tag changed', changed(sealed.length - 1), 'wrong-passphrase'],
    ['a byte of the nonce changed', changed(40), 'wrong-passphrase'],
    ['a later format', changed(15).fill(2, 15, 16), 'newer'],
    ['a key that is too costly', Buffer.from(sealed).fill(30, 16, 17), 'damaged'],
    ['a bomb', sealAnything(gzipSync(Buffer.alloc(64 << 20))), 'damaged'],
    ['content that is not gzip', sealAnything(Buffer.from('plain')), 'damaged'],
    ['content that is not JSON', sealAnything(gzipSync('{')), 'damaged'],
  ];
  for (const [title, file, reason] of rows) assert.equal(await reasonOf(file), reason, title);
});

test('files that are not backups, or are damaged or too large', async () => {
  const sealed = Buffer.from(await sealAge(JSON.stringify({ ...BACKUP, entries: [] })));
  assert.equal(await reasonOf(sealed), 'opened');
  const nonceAt = sealed.indexOf('\n---') + 50;
  const changed = (at: number) => {
    const copy = Buffer.from(sealed);
    copy[at] ^= 1;
    return copy;
  };
  const about = { createdAt: 'a', version: 'b', hostname: 'c' };
  const toKey = new Encrypter();
  toKey.addRecipient(await identityToRecipient(await generateIdentity()));
  const rows: [string, Uint8Array, string][] = [
    ['nothing', Buffer.alloc(0), 'not-a-backup'],
    ['a gzip file', gzipSync('x'.repeat(1000)), 'not-a-backup'],
    ['a zip file', Buffer.from('PK\u0003\u0004rest of it'), 'not-a-backup'],
    ['only the beginning', sealed.subarray(0, 22), 'damaged'],
    ['cut in the header', sealed.subarray(0, 60), 'damaged'],
    ['for the holder of a key', await toKey.encrypt('x'), 'damaged'],
    [
      'a key that is too costly',
      Buffer.from(sealed.toString('latin1').replace(' 5\n', ' 19\n'), 'latin1'),
      'damaged',
    ],
    ['cut in the middle', sealed.subarray(0, sealed.length - 20), 'wrong-passphrase'],
    ['a byte of the content changed', changed(sealed.length - 20), 'wrong-passphrase'],
    ['a byte of the tag changed', changed(sealed.length - 1), 'wrong-passphrase'],
    ['a byte of the nonce changed', changed(nonceAt), 'wrong-passphrase'],
    ['8 MiB and a byte', Buffer.concat([sealed, Buffer.alloc((8 << 20) + 1 - sealed.length)]), 'too-large'],
    ['content that is not JSON', await sealAge('{'), 'damaged'],
    ['null', await sealAge('null'), 'damaged'],
    ['no list of entries', await sealAge(JSON.stringify({ ...about, entries: {} })), 'damaged'],
    ['an entry of a number', await sealAge(JSON.stringify({ ...about, entries: [5] })), 'damaged'],
    [
      'too many entries',
      await sealAge(JSON.stringify({ ...about, entries: Array(101).fill({ name: 'a', text: '' }) })),
      'damaged',
    ],
  ];
  for (const [title, file, reason] of rows) assert.equal(await reasonOf(file), reason, title);
});

test('any bytes after a correct beginning are refused with a BackupError', async () => {
  for (const beginning of [
    Buffer.concat([Buffer.from('TOMBOLO-BACKUP\0'), Buffer.of(1, 10)]),
    Buffer.from('age-encryption.org/v1\n-> scrypt '),
  ]) {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (rest) => {
        assert.notEqual(await reasonOf(Buffer.concat([beginning, rest])), 'opened');
      }),
      { numRuns: 50 },
    );
  }
});

function placesIn(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-backup-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const places = { configPath: join(directory, 'config.json'), stateDirectory: directory };
  const put = (name: string, content: string) => writeFileSync(join(directory, name), content);
  const get = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { directory, places, put, get };
}

test('a round trip: collected, staged, put in place at the next start', async (t) => {
  const from = placesIn(t);
  from.put('config.json', '{"hosts":[]}');
  from.put('ssh-ports.json', '{"version":1}');
  from.put(
    'auth.json',
    JSON.stringify({ version: 1, password: 'hash', sessions: [{ id: 'a' }], tokens: [] }),
  );
  from.put('admin-token', 'bootstrap');
  from.put('history.sqlite', 'figures');
  const entries = await collectEntries(from.places, true, from.get('config.json'));
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['config.json', 'state/ssh-ports.json', 'state/auth.json'],
  );
  assert.ok(!Buffer.concat(entries.map(({ content }) => content)).includes('"id"'), 'no session');

  const to = placesIn(t);
  to.put('config.json', '{"hosts":[{}]}');
  to.put('ssh-ports.json', '{"version":1}');
  to.put('pending-change.json', '{}');
  const planned = await planRestore(entries, to.places);
  assert.deepEqual(
    planned.map(({ name, change }) => `${name} ${change}`),
    ['config.json replaces', 'state/ssh-ports.json same', 'state/auth.json new'],
  );
  await stageRestore(planned, to.places);
  assert.equal(to.get('config.json'), '{"hosts":[{}]}', 'nothing has changed yet');
  await finishRestore(to.places, openStorage(to.directory), silentLog);
  assert.equal(to.get('config.json'), '{"hosts":[]}');
  assert.deepEqual(JSON.parse(to.get('auth.json')).sessions, []);
  assert.deepEqual(readdirSync(to.directory).sort(), ['auth.json', 'config.json', 'ssh-ports.json']);
  await finishRestore(to.places, openStorage(to.directory), silentLog); // no restore is pending: nothing happens
});

test('an interrupted restore is finished at the next start; an incomplete staging is not used', async (t) => {
  const { places, get, directory } = placesIn(t);
  const entry = (name: string, text: string) => ({ name, content: Buffer.from(text) });
  await stageRestore([entry('config.json', 'A'), entry('state/ssh-ports.json', 'B')], places);
  // As after a power failure when one file was in place and the staging directory still existed.
  writeFileSync(join(directory, 'config.json'), 'A');
  await finishRestore(places, openStorage(directory), silentLog);
  assert.equal(get('config.json') + get('ssh-ports.json'), 'AB');
  // A staging that was begun and never finished:
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(directory, 'restore.new'));
  writeFileSync(join(directory, 'restore.new', 'config.json'), 'half');
  await finishRestore(places, openStorage(directory), silentLog);
  assert.equal(get('config.json'), 'A');
  await stageRestore([entry('config.json', 'C')], places);
  await finishRestore(places, openStorage(directory), silentLog);
  assert.equal(get('config.json'), 'C');
});

test('a restore that cannot be put in place as a whole changes nothing, is reported, and is not repeated later', async (t) => {
  const { places, get, put, directory } = placesIn(t);
  put('config.json', 'what runs');
  // Nothing can be written there.
  symlinkSync('/proc/version', join(directory, 'auth.json'));
  const entries = ['config.json', 'state/ssh-ports.json', 'state/auth.json'].map((name) => ({
    name,
    content: Buffer.from('restored'),
  }));
  await stageRestore(entries, places);
  const conditions = createConditions();
  await finishRestore(places, openStorage(directory, { conditions }), silentLog);
  assert.equal(get('config.json'), 'what runs');
  assert.deepEqual(readdirSync(directory).sort(), ['auth.json', 'config.json']);
  const problem = conditions.reports().find(({ name }) => name === 'storage')?.status.problem;
  assert.match(
    english(problem!),
    /The backup was not restored; the configuration from before is still active.* restore the backup again: .*E[A-Z]+/,
  );
});

test('a staging that finds no room leaves nothing behind, and reports why', async (t) => {
  const { directory } = placesIn(t);
  const places = { configPath: join(directory, 'config.json'), stateDirectory: join(directory, 'nowhere') };
  await assert.rejects(
    stageRestore([{ name: 'config.json', content: Buffer.from('A') }], places),
    (error: BackupError) =>
      error.reason === 'unwritable' &&
      /was not restored, and nothing was changed: ENOENT/.test(error.message),
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('the backup of an appliance without an owner contains no sign-in data', async (t) => {
  const { places, put } = placesIn(t);
  put('auth.json', JSON.stringify({ version: 1, password: null, sessions: [], deviceKey: 'x' }));
  assert.deepEqual(await collectEntries(places, true, undefined), []);
});

test('active data that could not be written yet is in the backup', async (t) => {
  const { places, put } = placesIn(t);
  put('auth.json', JSON.stringify({ password: 'old', sessions: [1] }));
  const unwritten = JSON.stringify({ password: 'new', sessions: [1] });
  const [entry] = await collectEntries(places, true, undefined, (name) =>
    name === 'auth.json' ? unwritten : undefined,
  );
  assert.deepEqual(JSON.parse(Buffer.from(entry.content).toString()), { password: 'new', sessions: [] });
});

test('data that this version cannot use is refused before any file is moved', async (t) => {
  const { places } = placesIn(t);
  const entries = [{ name: 'state/auth.json', content: Buffer.from('{"version":2}') }];
  await assert.rejects(
    planRestore(entries, places, { 'state/auth.json': parseAuthData }),
    (error: BackupError) =>
      error.reason === 'newer' && /"Password, two-factor .*"version"/.test(error.message),
  );
});

for (const name of [
  '../../etc/passwd',
  '/etc/passwd',
  'state/../../x',
  'state/admin-token',
  'config.json/../x',
  'state/auth.json\0',
  'CONFIG.JSON',
  '',
  '__proto__',
]) {
  test(`an entry called ${JSON.stringify(name)} is refused`, async (t) => {
    const { places, directory } = placesIn(t);
    await assert.rejects(planRestore([{ name, content: Buffer.from('x') }], places), BackupError);
    assert.deepEqual(readdirSync(directory), []);
  });
}

test('a duplicate name is refused', async (t) => {
  const twice = ['config.json', 'config.json'].map((name) => ({ name, content: Buffer.from('{}') }));
  await assert.rejects(planRestore(twice, placesIn(t).places), /twice/);
});

test('only the last complete lines of a long configuration history are included', async (t) => {
  const { places, put } = placesIn(t);
  const line = `${'r'.repeat(999)}\n`;
  put('revisions', line.repeat(3000));
  const [{ content }] = await collectEntries(places, true, undefined);
  assert.ok(content.length <= 2 << 20 && content.length > (2 << 20) - 2000 && content.length % 1000 === 0);
});
