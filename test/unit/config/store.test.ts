import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, openConfigStore } from '../../../src/config/store.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { type Text, english } from '../../../src/texts/text.ts';
import { loaded } from './loaded.ts';

/** The path of a configuration file in its own directory, with `text` in it if given. */
async function configFile(t: TestContext, text?: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tombolo-config-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'config.json');
  if (text !== undefined) await writeFile(path, text);
  return path;
}

const withHost = (name: string) => JSON.stringify({ hosts: [{ name, address: '2001:db8:1::10' }] });

test('a missing file means defaults; the first change writes the file in the form that the user sent', async (t) => {
  const path = await configFile(t);
  const store = openConfigStore(path, silentLog);
  assert.equal(store.current.admin.port, 8064);
  await assert.rejects(readFile(path));
  const result = await store.replace(loaded('{"admin":{"port":8065}}'), store.revision);
  assert.deepEqual(result, { outcome: 'changed', revision: store.revision });
  assert.equal(await readFile(path, 'utf8'), '{\n  "admin": {\n    "port": 8065\n  }\n}\n');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(store.current.admin.port, 8065);
  assert.equal(openConfigStore(path, silentLog).revision, store.revision);
});

test('a bad file is refused with its problems', async (t) => {
  const path = await configFile(t, '{"hosts": 1, "admin": {"port": 0}}');
  assert.throws(
    () => openConfigStore(path, silentLog),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 2);
      assert.match(error.message, /config\.json:1:11: \/hosts: 1 is not a list of servers/);
      return true;
    },
  );
});

test('a refused, stale or failed change leaves file and configuration as they were', async (t) => {
  const text = withHost('a');
  const path = await configFile(t, text);
  const store = openConfigStore(path, silentLog);
  const before = store.current;
  const failure = new Error('port 443 is in use');
  store.onChange(() => Promise.reject(failure));
  assert.equal((await store.restore('{"x":1}')).outcome, 'invalid');
  assert.deepEqual(await store.replace(loaded(withHost('b')), 'other'), {
    outcome: 'stale',
    revision: store.revision,
  });
  assert.deepEqual(await store.replace(loaded(withHost('b'))), { outcome: 'failed', error: failure });
  assert.equal(store.current, before);
  assert.equal(await readFile(path, 'utf8'), text);
});

test('a change that cannot be written is undone', async (t) => {
  const path = join(await configFile(t), 'missing-directory', 'config.json');
  const store = openConfigStore(path, silentLog);
  const applied: number[] = [];
  store.onChange(async (next) => void applied.push(next.admin.port));
  const result = await store.replace(loaded('{"admin":{"port":8065}}'));
  assert.equal(result.outcome, 'failed');
  assert.deepEqual(applied, [8065, 8064]);
  assert.equal(store.current.admin.port, 8064);
});

test('changes are made one at a time, in order, each against the revision before it', async (t) => {
  const store = openConfigStore(await configFile(t), silentLog);
  let running = 0;
  const applied: string[] = [];
  store.onChange(async (next) => {
    assert.equal(++running, 1);
    await new Promise((resolve) => setImmediate(resolve));
    applied.push(next.hosts[0].name);
    running--;
  });
  const { revision } = store;
  const results = await Promise.all([
    store.replace(loaded(withHost('a')), revision),
    store.replace(loaded(withHost('b')), revision),
    store.replace(loaded(withHost('c'))),
  ]);
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['changed', 'stale', 'changed'],
  );
  assert.deepEqual(applied, ['a', 'c']);
});

test('the same document changes nothing', async (t) => {
  const store = openConfigStore(await configFile(t, withHost('a')), silentLog);
  store.onChange(() => assert.fail('must not be called'));
  assert.equal((await store.replace(loaded(withHost('a')), store.revision)).outcome, 'unchanged');
});

test('a file edited by hand is not overwritten; reload uses it', async (t) => {
  const path = await configFile(t, withHost('a'));
  const store = openConfigStore(path, silentLog);
  await writeFile(path, withHost('by-hand'));
  assert.deepEqual(await store.replace(loaded(withHost('b'))), { outcome: 'file-changed' });
  assert.equal(await readFile(path, 'utf8'), withHost('by-hand'));
  assert.equal((await store.reload()).outcome, 'changed');
  assert.equal(store.current.hosts[0].name, 'by-hand');
  assert.equal((await store.replace(loaded(withHost('b')))).outcome, 'changed');
});

for (const [title, make] of [
  ['comes back unchanged, as its disk does', (path, before) => writeFile(path, before)],
  ['is written anew with the same content', (path, before) => writeFile(path, `\n${before}\n`)],
] as const satisfies [string, (path: string, before: string) => Promise<void>][]) {
  test(`a missing file that ${title} does not block changes, and the problem ends`, async (t) => {
    const path = await configFile(t, withHost('a'));
    const store = openConfigStore(path, silentLog);
    await rename(path, `${path}.away`);
    const { problem } = (await store.replace(loaded(withHost('b')))) as { problem: Text };
    assert.equal(problem, store.fileProblem);
    assert.match(english(problem), /is missing/);
    await make(path, withHost('a'));
    assert.equal((await store.replace(loaded(withHost('a')))).outcome, 'unchanged');
    assert.equal(store.fileProblem, undefined);
    assert.equal((await store.replace(loaded(withHost('b')))).outcome, 'changed');
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), JSON.parse(withHost('b')));
    assert.deepEqual(
      (await readdir(dirname(path))).filter((name) => name.includes('damaged')),
      [],
    );
  });
}

test('reload refuses a bad file, logs the problems, and keeps the running configuration', async (t) => {
  const path = await configFile(t, withHost('a'));
  const logged: unknown[] = [];
  const log = { ...silentLog, error: (fields: object) => void logged.push(fields) };
  const store = openConfigStore(path, log);
  await writeFile(path, '{"hosts": 1}');
  assert.equal((await store.reload()).outcome, 'invalid');
  assert.deepEqual(logged, [{ problems: [`${path}:1:11: /hosts: 1 is not a list of servers`] }]);
  assert.equal(store.current.hosts[0].name, 'a');
  for (const emptied of [() => writeFile(path, ''), () => rm(path)]) {
    await emptied();
    assert.equal(
      (await store.reload()).outcome,
      'invalid',
      'an empty or missing file is not a requested change',
    );
    assert.equal(store.current.hosts[0].name, 'a');
  }
  await writeFile(path, '{}');
  assert.equal((await store.reload()).outcome, 'changed');
  assert.deepEqual(store.current.hosts, []);
});

test('the file keeps its permissions, a symbolic link stays a link, and no temporary file is left', async (t) => {
  const path = await configFile(t, '{}');
  const link = `${path}.link`;
  await symlink(path, link);
  const { mode } = await stat(path);
  const store = openConfigStore(link, silentLog);
  assert.equal((await store.replace(loaded(withHost('a')))).outcome, 'changed');
  assert.equal((await stat(path)).mode, mode);
  assert.match(await readFile(path, 'utf8'), /"name": "a"/);
  assert.deepEqual((await readdir(join(path, '..'))).sort(), ['config.json', 'config.json.link']);
});
