import assert from 'node:assert/strict';
import { asIs } from '../../../src/texts/text.ts';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ApplyRequest, openConfigChanges } from '../../../src/config/changes.ts';
import type { ConfigEvent } from '../../../src/config/recorder.ts';
import { recoverPending } from '../../../src/config/pending.ts';
import { openRevisions } from '../../../src/config/revisions.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import type { AssertionResult } from '../../../src/runtime/explain.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';

const OLD = '{ "admin": {\n "port": 8001 } }';
const atPort = (port: number) => ({ admin: { port } });

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tombolo-changes-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

/** What a process does at its start, with the files of the directory. */
async function start(t: TestContext, directory: string) {
  const path = join(directory, 'config.json');
  const storage = openStorage(directory);
  const recovery = await recoverPending(path, storage, silentLog);
  const store = openConfigStore(path, silentLog);
  const changes = await openConfigChanges({ store, storage, log: silentLog, recovery });
  t.after(() => changes[Symbol.dispose]());
  const events: ConfigEvent[] = [];
  const { promise: rolledBack, resolve } = Promise.withResolvers<void>();
  changes.onEvent((event) => {
    events.push(event);
    if (event.action === 'rollback') resolve();
  });
  const apply = (document: unknown, more: Partial<ApplyRequest> = {}) =>
    changes.apply({ document, confirmSeconds: 60, ignoreAssertions: false, by: 'ada', ...more });
  const history = () => changes.revisions(Infinity, 100).map(({ why, by }) => `${why} ${by}`);
  return {
    path,
    store,
    changes,
    apply,
    events,
    history,
    /** The rollback has happened: the countdown ended, or a user requested it. */
    rolledBack,
    isMarked: () => existsSync(join(directory, 'pending-change.json')),
    text: () => readFile(path, 'utf8'),
    port: () => store.current.admin.port,
  };
}

/** A process with a file that says port 8001. */
async function startWith(t: TestContext, text = OLD) {
  const directory = await directoryOf(t);
  await writeFile(join(directory, 'config.json'), text);
  return { directory, ...(await start(t, directory)) };
}

test('a change that is confirmed in time stays, also after a restart', async (t) => {
  const { directory, apply, changes, isMarked } = await startWith(t);
  const result = await apply(atPort(8002));
  assert.equal(result.outcome, 'changed');
  assert.ok(isMarked());
  assert.equal(await changes.confirm('bob'), true);
  assert.equal(await changes.confirm('bob'), false);
  assert.equal(isMarked(), false);
  const again = await start(t, directory);
  assert.equal(again.port(), 8002);
  assert.deepEqual(again.history(), ['apply ada', 'first appliance']);
});

test('a change that is not confirmed is rolled back, and the file is restored byte by byte', async (t) => {
  const { apply, changes, rolledBack, text, port, isMarked, history, events } = await startWith(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await apply(atPort(8002));
  assert.equal(port(), 8002);
  t.mock.timers.tick(59_999);
  assert.notEqual(changes.pending, undefined);
  t.mock.timers.tick(1);
  await rolledBack;
  assert.equal(await changes.confirm('bob'), false); // so the whole rollback is finished
  assert.equal(port(), 8001);
  assert.equal(await text(), OLD);
  assert.equal(isMarked(), false);
  assert.deepEqual(history(), ['rollback appliance', 'apply ada', 'first appliance']);
  assert.equal(changes.lastRollback?.rolledBack?.reason, 'not-confirmed');
  assert.deepEqual(
    events.map(({ action }) => action),
    ['first', 'apply', 'rollback'],
  );
  assert.equal((await apply(atPort(8003))).outcome, 'changed');
  assert.equal(changes.lastRollback, undefined);
});

test('if there was no file before, there is none after the rollback', async (t) => {
  const directory = await directoryOf(t);
  const { apply, changes, path } = await start(t, directory);
  await apply(atPort(8002));
  assert.ok(existsSync(path));
  assert.equal((await changes.rollback('bob'))?.outcome, 'changed');
  assert.equal(existsSync(path), false);
});

test('the process ends in the countdown: the next one rolls back, and reports it once', async (t) => {
  const { directory, apply } = await startWith(t);
  await apply(atPort(8002));
  const again = await start(t, directory);
  assert.equal(again.port(), 8001);
  assert.equal(await again.text(), OLD);
  assert.equal(again.isMarked(), false);
  assert.equal(again.changes.pending, undefined);
  assert.equal(again.changes.lastRollback?.rolledBack?.reason, 'restarted');
  assert.deepEqual(
    again.events.map(({ action, by }) => `${action} ${by}`),
    ['rollback appliance'],
  );
  const third = await start(t, directory);
  assert.deepEqual(third.history(), ['rollback appliance', 'apply ada', 'first appliance']);
  assert.deepEqual(third.events, []);
  assert.equal(third.changes.lastRollback?.rolledBack?.reason, 'restarted');
});

test('wherever the process ends, the next one has the old configuration and reports what was lost', async (t) => {
  const { directory, apply, changes } = await startWith(t);
  const kept = (name: string) => readFile(join(directory, name));
  const before = { config: await kept('config.json'), revisions: await kept('revisions') };
  await apply(atPort(8002));
  const mark = await kept('pending-change.json');
  const after = { config: await kept('config.json'), revisions: await kept('revisions') };
  await changes.rollback('ada');
  const back = { config: await kept('config.json'), revisions: await kept('revisions') };
  const moments = [
    ['before the file was written', before.config, before.revisions],
    ['before the history was written', after.config, before.revisions],
    ['in the countdown', after.config, after.revisions],
    ['during the rollback', back.config, after.revisions],
    ['before the pending file was removed', back.config, back.revisions],
  ] as const;
  for (const [moment, config, revisions] of moments) {
    const copy = await directoryOf(t);
    await writeFile(join(copy, 'config.json'), config);
    await writeFile(join(copy, 'revisions'), revisions);
    await writeFile(join(copy, 'pending-change.json'), mark);
    const { port, text, history, isMarked } = await start(t, copy);
    assert.equal(port(), 8001, moment);
    assert.equal(await text(), OLD, moment);
    assert.equal(isMarked(), false, moment);
    assert.deepEqual(
      history().map((line) => line.split(' ')[0]),
      ['rollback', 'apply', 'first'],
      moment,
    );
  }
});

test('a file that was edited after the process ended is used', async (t) => {
  const { directory, apply, path } = await startWith(t);
  await apply(atPort(8002));
  await writeFile(path, '{"admin":{"port":8009}}');
  const again = await start(t, directory);
  assert.equal(again.port(), 8009);
  assert.equal(again.isMarked(), false);
  assert.deepEqual(again.history(), ['file file', 'apply ada', 'first appliance']);
});

test('a pending file that cannot be read is moved aside', async (t) => {
  const { directory } = await startWith(t);
  for (const [index, text] of ['', '{"version":2}', 'null', '['].entries()) {
    await writeFile(join(directory, 'pending-change.json'), text);
    const { port, isMarked } = await start(t, directory);
    assert.equal(port(), 8001);
    assert.equal(isMarked(), false);
    assert.equal(await readFile(join(directory, `pending-change.json.damaged-${index + 1}`), 'utf8'), text);
  }
});

test('an edit and SIGHUP in the countdown end it, and the edit stays', async (t) => {
  const { apply, changes, path, port, isMarked, history } = await startWith(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await apply(atPort(8002));
  assert.equal((await changes.reload()).outcome, 'unchanged');
  await writeFile(path, '{"admin":{"port":"x"}}');
  assert.equal((await changes.reload()).outcome, 'invalid');
  assert.notEqual(changes.pending, undefined);
  await writeFile(path, '{"admin":{"port":8009}}');
  assert.equal((await changes.reload()).outcome, 'changed');
  assert.equal(changes.pending, undefined);
  assert.equal(isMarked(), false);
  t.mock.timers.tick(60_000);
  assert.equal(await changes.confirm('bob'), false);
  assert.equal(port(), 8009);
  assert.deepEqual(history(), ['file file', 'apply ada', 'first appliance']);
});

test('an edit without SIGHUP is left in the file; the running configuration is rolled back nevertheless', async (t) => {
  const { apply, changes, path, port, text } = await startWith(t);
  await apply(atPort(8002));
  await writeFile(path, '{"admin":{"port":8009}}');
  await changes.rollback('bob');
  assert.equal(port(), 8001);
  assert.equal(await text(), '{"admin":{"port":8009}}');
  assert.equal((await apply(atPort(8003))).outcome, 'file-changed');
  assert.equal((await changes.reload()).outcome, 'changed');
  assert.equal(port(), 8009);
});

test('a rollback that is refused is retried until it succeeds', async (t) => {
  const { apply, store, changes, rolledBack, isMarked, port } = await startWith(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let refusals = 2;
  const { promise: refused, resolve } = Promise.withResolvers<void>();
  await apply(atPort(8002));
  store.onChange(async ({ admin }) => {
    if (admin.port !== 8001 || refusals-- <= 0) return;
    resolve();
    throw new Error('EADDRINUSE');
  });
  t.mock.timers.tick(60_000);
  await refused;
  // Queued behind the attempt.
  const asked = await changes.rollback('bob');
  assert.equal(asked?.outcome, 'failed');
  assert.ok(isMarked());
  t.mock.timers.tick(10_000);
  await rolledBack;
  await changes.reload();
  assert.equal(port(), 8001);
  assert.equal(isMarked(), false);
});

test('a change that is not applied leaves no pending file and no history', async (t) => {
  const { apply, store, isMarked, history, port } = await startWith(t);
  assert.equal((await apply({ admin: { port: 0 } })).outcome, 'invalid');
  assert.equal((await apply(atPort(8002), { revision: 'other' })).outcome, 'stale');
  assert.equal((await apply(JSON.parse(OLD))).outcome, 'unchanged');
  store.onChange(() => Promise.reject(new Error('EADDRINUSE')));
  assert.equal((await apply(atPort(8002))).outcome, 'failed');
  assert.equal(isMarked(), false);
  assert.deepEqual(history(), ['first appliance']);
  assert.equal(port(), 8001);
});

test('if the pending file cannot be written, nothing is changed; a change without countdown is made even without the history', async (t) => {
  const directory = await directoryOf(t);
  const stateDirectory = join(directory, 'state');
  await mkdir(stateDirectory);
  const store = openConfigStore(join(directory, 'config.json'), silentLog);
  const changes = await openConfigChanges({ store, storage: openStorage(stateDirectory), log: silentLog });
  await rm(stateDirectory, { recursive: true });
  await writeFile(stateDirectory, 'in the way');
  const request = { document: atPort(8002), ignoreAssertions: false, by: 'ada' };
  assert.equal((await changes.apply({ ...request, confirmSeconds: 60 })).outcome, 'failed');
  assert.equal(store.current.admin.port, 8064);
  assert.equal((await changes.apply({ ...request, confirmSeconds: 0 })).outcome, 'changed');
  assert.equal(store.current.admin.port, 8002);
});

test('simultaneous changes: one is made, and the others are rejected', async (t) => {
  const { apply, changes } = await startWith(t);
  const revision = changes.revisions(Infinity, 1)[0].revision;
  const results = await Promise.all([8002, 8003, 8004].map((port) => apply(atPort(port), { revision })));
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['changed', 'change-pending', 'change-pending'],
  );
  const ends = await Promise.all([changes.confirm('a'), changes.rollback('b'), changes.confirm('c')]);
  assert.deepEqual(ends, [true, undefined, false]);
});

test('assertions that fail refuse the change, unless they are to be ignored; an unknown result does not', async (t) => {
  const { apply, changes, port } = await startWith(t);
  const result = (state: AssertionResult['state']): AssertionResult => ({
    name: 'shop',
    path: '/assertions/0',
    state,
    expect: 'web1',
    way: { steps: [], outcome: { kind: 'refused', server: null, address: null, port: null, text: asIs('') } },
    message: asIs('shop: expected web1.'),
  });
  changes.onAssess(async ({ admin }) => [
    result('passed'),
    result('unknown'),
    ...(admin.port === 8002 ? [result('failed')] : []),
  ]);
  assert.deepEqual(await apply(atPort(8002)), { outcome: 'assertions-failed', failed: [result('failed')] });
  assert.equal(port(), 8001);
  const { assertions } = await changes.check(atPort(8002));
  assert.deepEqual(
    assertions.map(({ state }) => state),
    ['unknown', 'failed'],
  );
  assert.equal((await apply(atPort(8003), { confirmSeconds: 0 })).outcome, 'changed');
  assert.equal((await apply(atPort(8002), { ignoreAssertions: true })).outcome, 'changed');
});

test('an edit while the appliance was off is in the history', async (t) => {
  const { directory, path } = await startWith(t);
  await writeFile(path, '{"admin":{"port":8009}}');
  assert.deepEqual((await start(t, directory)).history(), ['file file', 'first appliance']);
  assert.deepEqual((await start(t, directory)).history(), ['file file', 'first appliance']);
});

test('a revert applies an old configuration', async (t) => {
  const { apply, changes, port } = await startWith(t);
  await apply(atPort(8002), { confirmSeconds: 0 });
  const request = { confirmSeconds: 60, ignoreAssertions: false, by: 'bob' };
  assert.equal(await changes.revert(7, request), undefined);
  assert.equal((await changes.revert(1, request))?.outcome, 'changed');
  assert.equal(port(), 8001);
  const detail = await changes.revision(3);
  assert.deepEqual(detail?.diff, [
    { kind: 'changed', path: '/admin/port', label: 'admin.port', from: 8002, to: 8001 },
  ]);
  assert.deepEqual(detail?.diffFromCurrent, []);
  assert.equal(detail?.revision.changes, 1);
});

const entry = (port: number) => ({
  revision: `r${port}`,
  at: '2026-01-02T03:04:05.000Z',
  by: 'ada',
  why: 'apply' as const,
  reason: 'tab\tand line\nend, \u00e9',
  changes: 1,
  document: { admin: { port }, note: 'tab\t\n' },
});

test('the history keeps the last 200 revisions, also after restarts, and its file does not grow without limit', async (t) => {
  const directory = await directoryOf(t);
  let history = await openRevisions(openStorage(directory), silentLog);
  for (let port = 1; port <= 401; port++) await history.append(entry(port));
  const lines = (await readFile(join(directory, 'revisions'), 'utf8')).split('\n').length - 1;
  assert.equal(lines, 200);
  history = await openRevisions(openStorage(directory), silentLog);
  assert.equal(history.newest?.id, 401);
  assert.equal(await history.append(entry(402)), true);
  const all = history.list(Infinity, 1000);
  assert.equal(all.length, 200);
  assert.deepEqual([all[0].id, all.at(-1)?.id], [402, 203]);
  assert.deepEqual(
    history.list(300, 2).map(({ id }) => id),
    [299, 298],
  );
  assert.deepEqual(await history.documentOf(402), entry(402).document);
  assert.deepEqual(await history.documentOf(203), entry(203).document);
  assert.equal(await history.documentOf(202), undefined);
  assert.deepEqual(await readdir(directory), ['revisions']);
});

test('large documents: fewer revisions', async (t) => {
  const directory = await directoryOf(t);
  const history = await openRevisions(openStorage(directory), silentLog);
  const large = { text: 'x'.repeat(3 << 20) };
  for (let i = 0; i < 7; i++) await history.append({ ...entry(i), document: large });
  assert.equal(history.list(Infinity, 100).length, 2);
  assert.ok((await readFile(join(directory, 'revisions'))).length < 16 << 20);
});

test('a history that cannot be read does not prevent the start', async (t) => {
  const directory = await directoryOf(t);
  await mkdir(join(directory, 'revisions'));
  const { apply, history } = await start(t, directory);
  assert.equal((await apply(atPort(8002))).outcome, 'changed');
  assert.deepEqual(history(), ['apply ada', 'first appliance']);
  assert.ok((await stat(join(directory, 'revisions.damaged-1'))).isDirectory());
});

test('half a line at the end and invalid lines do not affect the others', async (t) => {
  const directory = await directoryOf(t);
  const file = join(directory, 'revisions');
  let history = await openRevisions(openStorage(directory), silentLog);
  await history.append(entry(1));
  await appendFile(file, '{"id":2,"rev');
  history = await openRevisions(openStorage(directory), silentLog);
  assert.equal(await history.append(entry(2)), true);
  await appendFile(file, 'nonsense\n{}\t{}\n\n');
  history = await openRevisions(openStorage(directory), silentLog);
  await history.append(entry(3));
  history = await openRevisions(openStorage(directory), silentLog);
  assert.deepEqual(
    history.list(Infinity, 9).map(({ id }) => id),
    [3, 2, 1],
  );
  assert.deepEqual(await history.documentOf(2), entry(2).document);
});
