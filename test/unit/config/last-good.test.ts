/** A refused configuration file: which configuration is active instead, what is written, and when. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type Stats, existsSync, lstatSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConfigChanges, openConfigChanges } from '../../../src/config/changes.ts';
import { readConfigFile } from '../../../src/config/config-file.ts';
import { findLastGood, isFileExpected } from '../../../src/config/last-good.ts';
import { recoverPending } from '../../../src/config/pending.ts';
import { openRevisions } from '../../../src/config/revisions.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { english } from '../../../src/texts/text.ts';

const atPort = (port: number) => ({ admin: { port } });

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tombolo-last-good-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

/** What `run.ts` does at a start. */
async function start(t: TestContext, directory: string) {
  const path = join(directory, 'config.json');
  const storage = openStorage(directory);
  const recovery = await recoverPending(path, storage, silentLog);
  const history = await openRevisions(storage, silentLog);
  const file = readConfigFile(path, isFileExpected(history));
  const lastGood = file.state === 'refused' ? await findLastGood(history, recovery, {}) : undefined;
  const store = openConfigStore(path, silentLog, { file, lastGood });
  const changes = await openConfigChanges({ store, storage, history, log: silentLog, recovery });
  t.after(() => changes[Symbol.dispose]());
  const apply = (document: unknown, confirmSeconds = 0): ReturnType<ConfigChanges['apply']> =>
    changes.apply({ document, confirmSeconds, ignoreAssertions: false, by: 'ada' });
  const problem = () => english(store.fileProblem ?? '');
  const why = () => changes.revisions(Infinity, 100).map((each) => each.why);
  return { path, store, changes, apply, problem, why, port: () => store.current.admin.port };
}

/** An appliance that had two configurations, the second at port 8002. */
async function used(t: TestContext): Promise<{ directory: string; path: string }> {
  const directory = await directoryOf(t);
  const path = join(directory, 'config.json');
  await writeFile(path, JSON.stringify(atPort(8001)));
  const { apply } = await start(t, directory);
  assert.equal((await apply(atPort(8002))).outcome, 'changed');
  return { directory, path };
}

const bytesOf = (path: string) => readFile(path, 'utf8').catch(() => undefined);

// The content of the file, and the problem text.
const REFUSED: readonly [title: string, make: (path: string) => Promise<unknown>, said: RegExp][] = [
  ['is missing', (path) => rm(path), /config\.json: is missing/],
  ['is empty', (path) => writeFile(path, ' \n'), /config\.json: is empty/],
  ['is half', (path) => writeFile(path, '{"admin":'), /config\.json:1:10: .*JSON syntax/],
  ['holds null', (path) => writeFile(path, 'null'), /config\.json:1:1: null is not/],
  ['holds a list', (path) => writeFile(path, '[]'), /an empty list is not/],
  [
    'has a misspelt field',
    (path) => writeFile(path, '{"admim":{}}'),
    /\/admim: unknown field "admim"; did you mean "admin"\?/,
  ],
  [
    'has two',
    (path) => writeFile(path, '{"admin":{"port":0,"tls":1}}'),
    /\/admin\/port: 0 is not .* \(and 1 more\)/,
  ],
];

for (const [title, make, said] of REFUSED) {
  test(`a file that ${title}: the newest revision runs, nothing is written, a change keeps the old file`, async (t) => {
    const { directory, path } = await used(t);
    await make(path);
    const before = await bytesOf(path);
    for (let i = 0; i < 2; i++) {
      const { port, problem, why } = await start(t, directory);
      assert.equal(port(), 8002);
      assert.match(problem(), said);
      assert.match(problem(), /Revision 2 of .*, the last good one, is running/);
      assert.equal(await bytesOf(path), before);
      assert.deepEqual(why(), ['apply', 'first'], 'nothing is added to the history');
    }
    const { apply, problem, why } = await start(t, directory);
    assert.equal((await apply(atPort(8002))).outcome, 'changed', 'the running configuration, permanently');
    assert.equal(problem(), '');
    assert.deepEqual(JSON.parse((await bytesOf(path)) ?? ''), atPort(8002));
    const isWorthKeeping = before !== undefined && before.trim() !== '';
    assert.equal(await bytesOf(`${path}.damaged-1`), isWorthKeeping ? before : undefined);
    assert.deepEqual(why(), ['apply', 'apply', 'first']);
  });
}

for (const [what, make, reason, isKept] of [
  [
    'a directory',
    (path) => mkdir(join(path, 'inside'), { recursive: true }),
    /cannot be read: it is not a file/,
    (stats) => stats.isDirectory(),
  ],
  [
    'a pipe',
    async (path) => execFileSync('mkfifo', [path]),
    /cannot be read: it is not a file/,
    (stats) => stats.isFIFO(),
  ],
  [
    'an endless device',
    (path) => symlink('/dev/zero', path),
    /cannot be read: it is not a file/,
    (stats) => stats.isSymbolicLink(),
  ],
  [
    'a link to a missing disk',
    (path) => symlink('/nowhere/config.json', path),
    /cannot be read: it is a symbolic link/,
    (stats) => stats.isSymbolicLink(),
  ],
  [
    'a file of 5 GB',
    (path) => writeFile(path, '').then(() => truncate(path, 5e9)),
    /cannot be read: it has 5000000000 bytes/,
    (stats) => stats.size === 5e9,
  ],
] as const satisfies [string, (path: string) => Promise<unknown>, RegExp, (stats: Stats) => boolean][]) {
  test(`${what} in its place blocks nothing, and is moved aside by a change`, async (t) => {
    const { directory, path } = await used(t);
    await rm(path);
    await make(path);
    const { apply, port, problem } = await start(t, directory);
    assert.equal(port(), 8002);
    assert.match(problem(), reason);
    assert.equal((await apply(atPort(8003))).outcome, 'changed');
    assert.ok(isKept(lstatSync(`${path}.damaged-1`)));
    assert.equal(problem(), '');
  });
}

test('a missing or empty file means the defaults if no other configuration was ever active', async (t) => {
  const directory = await directoryOf(t);
  for (const make of [async () => {}, () => writeFile(join(directory, 'config.json'), '')]) {
    await make();
    for (let i = 0; i < 2; i++) {
      const { port, problem } = await start(t, directory);
      assert.equal(port(), 8064);
      assert.equal(problem(), '');
    }
  }
});

test('revisions that this version refuses are skipped; with none left, the defaults run and are not recorded', async (t) => {
  const { directory, path } = await used(t);
  const file = join(directory, 'revisions');
  await writeFile(path, 'null');
  await writeFile(file, ((await bytesOf(file)) ?? '').replace('{"admin":{"port":8002}}', '{"fleet":{}}'));
  assert.equal((await start(t, directory)).port(), 8001);
  await writeFile(file, ((await bytesOf(file)) ?? '').replace('{"admin":{"port":8001}}', '{"fleet":{}}'));
  const { port, problem, why } = await start(t, directory);
  assert.equal(port(), 8064);
  assert.match(problem(), /defaults are running/);
  assert.equal(why().length, 2);
});

test('damaged while a change was unconfirmed: the old configuration runs, and is the newest revision', async (t) => {
  const { directory, path } = await used(t);
  const first = await start(t, directory);
  assert.equal((await first.apply(atPort(8003), 60)).outcome, 'changed');
  await writeFile(path, '');
  for (let i = 0; i < 2; i++) {
    const { port, why } = await start(t, directory);
    assert.equal(port(), 8002);
    assert.deepEqual(why(), ['rollback', 'apply', 'apply', 'first']);
    assert.equal(await bytesOf(path), '');
    assert.ok(!existsSync(join(directory, 'pending-change.json')));
  }
});

test('a change with a countdown over a refused file is rolled back to the running configuration', async (t) => {
  const { directory, path } = await used(t);
  await writeFile(path, 'null');
  const { apply, changes, port } = await start(t, directory);
  assert.equal((await apply(atPort(8003), 60)).outcome, 'changed');
  assert.equal((await changes.rollback('ada'))?.outcome, 'changed');
  assert.equal(port(), 8002);
  assert.deepEqual(JSON.parse((await bytesOf(path)) ?? ''), atPort(8002));
  assert.equal(await bytesOf(`${path}.damaged-1`), 'null');
});

test('a refused reload in a countdown: the countdown continues, the old configuration comes back, the refused file stays', async (t) => {
  const { directory, path } = await used(t);
  const { apply, changes, port, problem } = await start(t, directory);
  await apply(atPort(8003), 60);
  await writeFile(path, '[');
  assert.equal((await changes.reload()).outcome, 'invalid');
  assert.match(problem(), /The previous configuration keeps running/);
  assert.equal((await changes.rollback('ada'))?.outcome, 'changed');
  assert.equal(port(), 8002);
  assert.equal(await bytesOf(path), '[');
  assert.equal((await start(t, directory)).port(), 8002);
});

test('damaged while the process runs: the first change is refused and reports it, the next one moves the file aside', async (t) => {
  const { directory, path } = await used(t);
  const { apply, problem } = await start(t, directory);
  await writeFile(path, 'nul');
  assert.equal((await apply(atPort(8003))).outcome, 'file-changed');
  assert.match(problem(), /JSON syntax/);
  assert.equal((await apply(atPort(8003))).outcome, 'changed');
  assert.equal(problem(), '');
  assert.deepEqual((await readdir(directory)).sort(), ['config.json', 'config.json.damaged-1', 'revisions']);
});
