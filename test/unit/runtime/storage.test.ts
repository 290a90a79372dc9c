/** Everything that can be in a state directory, how it is handled, and what is reported. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { removeTemporaries, removeTemporariesOf } from '../../../src/os/atomic-write.ts';
import { MOST_ASIDES, copyAside, setAside } from '../../../src/os/set-aside.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { english, reasonOf } from '../../../src/texts/text.ts';
import { keepingLog } from '../admin/fixture.ts';

async function open(t: TestContext) {
  const parent = await mkdtemp(join(tmpdir(), 'tombolo-storage-'));
  t.after(() => rm(parent, { recursive: true }));
  const directory = join(parent, 'state');
  const log = keepingLog();
  const conditions = createConditions();
  const storage = openStorage(directory, { log, conditions });
  t.after(() => storage[Symbol.dispose]());
  const notices: string[] = [];
  storage.onNotice(({ text }) => notices.push(english(text)));
  return {
    directory,
    storage,
    log,
    notices,
    problem: () => english(conditions.reports().find(({ name }) => name === 'storage')?.status.problem ?? ''),
  };
}

const parse = (content: Buffer): { n: number } => {
  const value = JSON.parse(content.toString('utf8')) as { n: number };
  if (typeof value?.n !== 'number') throw new Error('no number');
  return value;
};

/** The socket that a killed server leaves behind. */
async function makeSocket(path: string): Promise<void> {
  const script = `net.createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script, path]);
  assert.ok((await lstat(path)).isSocket());
}

// What is at the path, the verdict, and whether it is moved aside when a new file is written.
const FOUND: readonly [
  title: string,
  make: (path: string) => Promise<unknown>,
  verdict: string,
  isAside: boolean,
][] = [
  ['nothing', async () => {}, 'missing', false],
  ['a good file', (path) => writeFile(path, '{"n":1}'), 'good', false],
  ['an empty file', (path) => writeFile(path, ''), 'damaged', true],
  ['half a file', (path) => writeFile(path, '{"n":'), 'damaged', true],
  ['garbage', (path) => writeFile(path, Buffer.of(0, 255, 10, 128)), 'damaged', true],
  ['another shape', (path) => writeFile(path, 'null'), 'damaged', true],
  ['a directory', (path) => mkdir(join(path, 'inside'), { recursive: true }), 'damaged', true],
  ['a pipe', async (path) => execFileSync('mkfifo', [path]), 'damaged', true],
  ['a socket', makeSocket, 'damaged', true],
  ['a file of 5 GB', (path) => writeFile(path, '').then(() => truncate(path, 5e9)), 'damaged', true],
  ['a link to a device', (path) => symlink('/dev/zero', path), 'damaged', true],
];

test('a dangling link, as to a missing disk: unreadable, reported, and not overwritten', async (t) => {
  const { storage, directory, problem } = await open(t);
  const path = join(directory, 'file.json');
  await symlink(join(directory, 'disk', 'file.json'), path);
  const file = storage.file('file.json');
  assert.equal((await file.read(parse)).verdict, 'unreadable');
  assert.match(english(reasonOf(await file.write('{}'))), /is not overwritten/);
  assert.match(problem(), /file\.json \(it is a symbolic link to something that is not there\)/);
  assert.deepEqual(await readdir(directory), ['file.json']);
});

for (const [title, make, verdict, isAside] of FOUND) {
  test(`${title}: ${verdict}${isAside ? ', moved aside by the first write and reported once' : ''}`, async (t) => {
    const { storage, directory, notices, problem } = await open(t);
    const path = join(directory, 'file.json');
    await make(path);
    const before = (await readdir(directory)).sort();
    const file = storage.file('file.json');
    assert.equal((await file.read(parse)).verdict, verdict);
    assert.deepEqual((await readdir(directory)).sort(), before, 'reading changes nothing');
    assert.equal(await file.write('{"n":2}'), undefined);
    assert.equal(await file.write('{"n":3}'), undefined);
    assert.equal(await readFile(path, 'utf8'), '{"n":3}');
    assert.equal(existsSync(`${path}.damaged-1`), isAside);
    assert.equal(notices.length, isAside ? 1 : 0);
    assert.equal(problem(), '');
  });
}

test('messages of a parser, which contain parts of the content, appear nowhere', async (t) => {
  const { storage, directory, log, notices } = await open(t);
  await writeFile(join(directory, 'auth.json'), 'secret');
  const file = storage.file('auth.json');
  await file.read(parse);
  await file.write('{}');
  assert.match(notices.join(), /auth\.json was damaged \(it is not JSON\)/);
  assert.doesNotMatch(notices.join() + log.lines.join(), /secret/);
});

test('files that cannot be written: one condition for one reason, one line in the log, written as soon as possible', async (t) => {
  const { storage, directory, log, problem } = await open(t);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'in the way');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const files = ['a.json', 'b.json'].map((name) => storage.file(name));
  for (const file of files) assert.notEqual(await file.write('1'), undefined);
  await files[0].write('2');
  assert.match(problem(), /Cannot write in .*: a\.json, b\.json \(E[A-Z]+: [^,]*\)\. .*Create the directory/);
  assert.equal(log.lines.length, 2);
  await rm(directory);
  t.mock.timers.tick(10_000);
  while (problem() !== '') await new Promise(setImmediate);
  assert.equal(await readFile(join(directory, 'a.json'), 'utf8'), '2', 'the newest');
  assert.equal(await readFile(join(directory, 'b.json'), 'utf8'), '1');
});

test('a full disk is one fault, whether a file or the database finds it', async (t) => {
  const { storage, problem } = await open(t);
  const full = Object.assign(new Error("ENOSPC: no space left on device, write '/x'"), {
    code: 'ENOSPC',
    syscall: 'write',
  });
  storage.note('auth.json', 'write', full);
  const sqlite = { code: 'ERR_SQLITE_ERROR', errcode: 13 };
  storage.note('history.sqlite', 'write', Object.assign(new Error('database or disk is full'), sqlite));
  assert.match(
    problem(),
    /^Cannot write in \S+: auth\.json, history\.sqlite \(ENOSPC: no space left on device\)\./,
  );
  assert.equal(problem().match(/Cannot write/g)?.length, 1);
  const readOnly = { code: 'ERR_SQLITE_ERROR', errcode: 8 | (1 << 8) };
  storage.note('history.sqlite', 'write', Object.assign(new Error('readonly'), readOnly));
  assert.match(problem(), /history\.sqlite \(EROFS: read-only file system\)/);
});

test('requested attempts do not delay the next retry, and when one file can be written, the others are written at once', async (t) => {
  const { storage, directory, problem } = await open(t);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'in the way');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [a, b] = ['a.json', 'b.json'].map((name) => storage.file(name));
  for (let i = 0; i < 20; i++) for (const file of [a, b]) await file.write(`${i}`);
  // b has already waited for long.
  const settled = async () => {
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  };
  await rm(directory);
  assert.equal(await a.write('last'), undefined);
  while (problem() !== '') await settled();
  assert.equal(await readFile(join(directory, 'b.json'), 'utf8'), '19');
  await rm(directory, { recursive: true });
  await writeFile(directory, 'in the way');
  for (let i = 0; i < 20; i++) await a.write(`${i}`);
  await rm(directory);
  t.mock.timers.tick(5000);
  while (problem() !== '') await settled();
  assert.equal(await readFile(join(directory, 'a.json'), 'utf8'), '19');
});

test('a file that appears after the start, as with a disk that was missing, is not overwritten', async (t) => {
  const { storage, directory, problem } = await open(t);
  const file = storage.file('auth.json');
  assert.equal((await file.read(parse)).verdict, 'missing');
  await writeFile(join(directory, 'auth.json'), 'of before');
  assert.notEqual(await file.write('new'), undefined);
  await assert.rejects(file.commit('new'), /it was not there at the start/);
  assert.equal(await readFile(join(directory, 'auth.json'), 'utf8'), 'of before');
  assert.match(problem(), /auth\.json \(it was not there at the start/);
});

test('a file that another program has written meanwhile is moved aside and reported; the same content is not reported', async (t) => {
  const { storage, directory, notices } = await open(t);
  const path = join(directory, 'auth.json');
  await writeFile(path, '{"n":1}');
  const file = storage.file('auth.json');
  assert.equal((await file.read(parse)).verdict, 'good');
  await writeFile(path, '{"n":1}');
  assert.equal(await file.write('{"n":2}'), undefined);
  assert.deepEqual(notices, []);
  await writeFile(path, 'an older one, put back by hand');
  assert.equal(await file.write('{"n":3}'), undefined);
  assert.equal(await readFile(path, 'utf8'), '{"n":3}');
  assert.equal(await readFile(`${path}.damaged-1`, 'utf8'), 'an older one, put back by hand');
  assert.equal(notices.length, 1);
  assert.match(notices[0], /Another program wrote auth\.json .* kept as .*auth\.json\.damaged-1/);
  await rm(path);
  assert.equal(await file.write('{"n":4}'), undefined);
  assert.equal(notices.length, 1);
});

test('while another process uses the directory nothing is written, moved or removed; the current data is remembered', async (t) => {
  const { directory } = await open(t);
  const lock = { isOurs: false };
  const conditions = createConditions();
  using storage = openStorage(directory, { conditions, lock });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const name of ['good', 'damaged'])
    await writeFile(join(directory, name), name === 'good' ? '{"n":1}' : '?');
  const [good, damaged, log] = [storage.file('good'), storage.file('damaged'), storage.file('new')];
  for (const file of [good, damaged, log]) await file.read(parse);
  assert.notEqual(await good.write('{"n":2}'), undefined);
  assert.notEqual(await damaged.write('{"n":2}'), undefined);
  await assert.rejects(log.commit('{"n":2}'), /another process uses the directory/);
  await assert.rejects(damaged.setAside(), /another process/);
  assert.notEqual(await storage.file('good').remove(), undefined);
  const problem = () =>
    english(conditions.reports().find(({ name }) => name === 'storage')?.status.problem ?? '');
  assert.match(problem(), /damaged, good \(another process uses the directory\).*End one of the two/);
  assert.deepEqual((await readdir(directory)).sort(), ['damaged', 'good']);
  assert.equal(await readFile(join(directory, 'good'), 'utf8'), '{"n":1}');
  assert.notEqual(await good.write('{"n":3}'), undefined);
  assert.equal(good.unwritten, '{"n":3}');
  // In the meantime the other process has written; then it ends.
  await writeFile(join(directory, 'good'), '{"n":9}');
  lock.isOurs = true;
  t.mock.timers.tick(300_000);
  while (good.unwritten !== undefined) await new Promise(setImmediate);
  assert.equal(await readFile(join(directory, 'good'), 'utf8'), '{"n":3}');
  assert.equal(await readFile(join(directory, 'good.damaged-1'), 'utf8'), '{"n":9}', 'nothing is lost');
});

test('temporary files of a killed process are removed, and nothing else', async (t) => {
  const { directory } = await open(t);
  const stay = [
    'auth.json',
    'auth.json.tmp',
    '.0123456789ab.tmp',
    'x.0123456789ag.tmp',
    'x.0123456789ab.tmp.damaged-1',
  ];
  const go = ['auth.json.0123456789ab.tmp', 'a.b.ffffffffffff.tmp'];
  for (const name of [...stay, ...go]) await writeFile(join(directory, name), '');
  await removeTemporaries(directory, () => true);
  assert.deepEqual((await readdir(directory)).sort(), stay.sort());
  for (const name of go) await writeFile(join(directory, name), '');
  await removeTemporariesOf(join(directory, 'auth.json'));
  assert.deepEqual((await readdir(directory)).sort(), [...stay, go[1]].sort());
});

test('commit rejects and is not retried; remove deletes a good file and moves a damaged one aside', async (t) => {
  const { storage, directory } = await open(t);
  const file = storage.file('mark.json');
  await file.commit('{"n":1}');
  assert.equal(await file.remove(), undefined);
  assert.deepEqual(await readdir(directory), []);
  await writeFile(file.path, '?');
  assert.equal((await file.read(parse)).verdict, 'damaged');
  assert.equal(await file.remove(), undefined);
  assert.deepEqual(await readdir(directory), ['mark.json.damaged-1']);
});

test('files moved aside: none is overwritten, the newest five are kept, with the files that belong to them', async (t) => {
  const { directory } = await open(t);
  const path = join(directory, 'db');
  for (let i = 1; i <= MOST_ASIDES + 2; i++) {
    await writeFile(path, `${i}`);
    await writeFile(`${path}-wal`, `log ${i}`);
    assert.equal(await setAside(path, ['-wal', '-shm']), `${path}.damaged-${i}`);
    assert.equal(await readFile(`${path}.damaged-${i}`, 'utf8'), `${i}`);
    assert.equal(await readFile(`${path}.damaged-${i}-wal`, 'utf8'), `log ${i}`);
  }
  await writeFile(path, 'copied');
  assert.equal(await copyAside(path), `${path}.damaged-8`);
  assert.equal(await readFile(path, 'utf8'), 'copied');
  const left = (await readdir(directory)).filter((name) => /damaged-\d$/.test(name)).sort();
  assert.deepEqual(
    left,
    [4, 5, 6, 7, 8].map((number) => `db.damaged-${number}`),
  );
});
