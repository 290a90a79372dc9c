/** The file of the audit log: limited in size, append-only, intact after a power failure. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../../src/admin/auth/audit-log.ts';
import type { AuditEntry } from '../../../src/admin/contract/auth.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { keepingLog, temporaryDirectory } from './fixture.ts';
import { english } from '../../../src/texts/text.ts';

const entry = (changes: Partial<AuditEntry> = {}): Omit<AuditEntry, 'id' | 'at'> => ({
  who: 'owner',
  source: '192.0.2.1',
  action: 'PUT /api/config',
  summary: 'Replaces the configuration',
  target: null,
  outcome: 'done',
  detail: null,
  ...changes,
});

const open = (directory: string, now = () => 0) => openAuditLog(openStorage(directory), now);
const idsOf = (entries: readonly Pick<AuditEntry, 'id'>[]) => entries.map(({ id }) => id);

test('at most five files of 256 KiB, and paging covers all of them', async (t) => {
  const directory = await temporaryDirectory(t);
  const log = await open(directory);
  const detail = 'x'.repeat(200);
  for (let i = 0; i < 4000; i++) log.add(entry({ detail, target: `${i}` }));
  await log.settled();
  const files = await readdir(directory);
  assert.deepEqual(files.sort(), [
    'audit.1.jsonl',
    'audit.2.jsonl',
    'audit.3.jsonl',
    'audit.4.jsonl',
    'audit.jsonl',
  ]);
  for (const file of files) {
    const { size, mode } = await stat(join(directory, file));
    assert.ok(size <= 256 * 1024);
    assert.equal(mode & 0o777, 0o600);
  }
  const ids: number[] = [];
  for (let cursor: number | null | undefined; cursor !== null; ) {
    const page = await log.page(cursor, 500);
    ids.push(...idsOf(page.entries));
    cursor = page.nextCursor;
  }
  assert.equal(ids[0], 4000);
  assert.ok(
    ids.every((id, i) => id === 4000 - i),
    'without gaps, newest first',
  );
  assert.ok(ids.length > 2000 && ids.length < 4000);
});

test('continues the numbering after a restart, also when the last line was cut off', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await open(directory);
  first.add(entry());
  first.add(entry());
  await first.settled();
  await appendFile(join(directory, 'audit.jsonl'), '{"id":3,"at":"2026');
  const second = await open(directory);
  second.add(entry({ who: 'token a' }));
  const { entries } = await second.page(undefined, 10);
  assert.deepEqual(idsOf(entries), [3, 2, 1]);
  assert.equal(entries[0].who, 'token a');
});

test('refused clients cannot fill it: 30 refusals, then one a minute, the rest is counted', async (t) => {
  let nowMs = 0;
  const log = await open(await temporaryDirectory(t), () => nowMs);
  const refused = entry({ outcome: 'refused', detail: 'The password is wrong.' });
  for (let i = 0; i < 100; i++) log.add(refused);
  assert.equal((await log.page(undefined, 500)).entries.length, 30);
  log.add(entry());
  const [done] = (await log.page(undefined, 1)).entries;
  assert.equal(english(done.detail ?? ''), '70 more refusals were not written before this');
  nowMs += 60_000;
  log.add(refused);
  log.add(refused);
  assert.equal((await log.page(undefined, 500)).entries.length, 32);
  nowMs -= 3_600_000; // the clock was set back
  log.add(refused);
  nowMs += 60_000;
  log.add(refused);
  assert.equal((await log.page(undefined, 500)).entries.length, 33);
});

test('texts from outside are shortened and kept on one line', async (t) => {
  const log = await open(await temporaryDirectory(t));
  log.add(entry({ target: `a\n"b\ud800${'x'.repeat(1000)}` }));
  log.add(entry());
  const { entries } = await log.page(undefined, 10);
  assert.deepEqual(idsOf(entries), [2, 1]);
  assert.equal(english(entries[1].target ?? '').length, 203);
});

test('entries that cannot be written are reported once, shown nevertheless, and written as soon as possible', async (t) => {
  const directory = await temporaryDirectory(t);
  // There is a file in the place of the directory: even root cannot write there.
  const state = join(directory, 'state');
  await writeFile(state, '');
  const kept = keepingLog();
  const conditions = createConditions();
  const log = await openAuditLog(openStorage(state, { log: kept, conditions }), () => 0);
  log.add(entry());
  log.add(entry({ who: 'token a' }));
  await log.settled();
  assert.equal(kept.lines.filter((line) => line.includes('audit.jsonl')).length, 1);
  assert.match(english(conditions.reports()[1].status.problem ?? ''), /Cannot write in .*audit\.jsonl/);
  assert.deepEqual(idsOf((await log.page(undefined, 10)).entries), [2, 1]);
  await rm(state);
  await mkdir(state);
  log.add(entry());
  await log.settled();
  assert.equal((await readFile(join(state, 'audit.jsonl'), 'utf8')).split('\n').length, 4);
  assert.deepEqual(idsOf((await log.page(undefined, 10)).entries), [3, 2, 1]);
  assert.equal(conditions.reports()[1].status.state, 'running');
});
