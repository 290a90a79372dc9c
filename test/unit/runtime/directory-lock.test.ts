import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { lockDirectory } from '../../../src/runtime/directory-lock.ts';
import { english } from '../../../src/texts/text.ts';
import { keepingLog } from '../admin/fixture.ts';

const problemOf = (conditions: ReturnType<typeof createConditions>) =>
  english(conditions.reports().find(({ name }) => name === 'storage')?.status.problem ?? '');

test('the second process on a directory reports it until it is alone; it writes nothing, and neither process stops', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [first, second, log] = [createConditions(), createConditions(), keepingLog()];
  const held = lockDirectory(directory, first, log);
  assert.equal(problemOf(first), '');
  using other = lockDirectory(directory, second, log);
  assert.match(
    problemOf(second),
    /Another process uses .*tombolo-lock-.*this one writes nothing there .*--state/,
  );
  assert.deepEqual([held.isOurs, other.isOurs], [true, false]);
  t.mock.timers.tick(60_000);
  assert.match(problemOf(second), /Another process/);
  assert.equal(log.lines.length, 1, 'reported once in the log');
  assert.equal(problemOf(first), '');
  held[Symbol.dispose]();
  t.mock.timers.tick(5000);
  assert.equal(problemOf(second), '');
  assert.ok(other.isOurs);
  assert.deepEqual(readdirSync(directory), []);
});

test('a directory that cannot be made, or is read-only, does not make it throw', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o500);
  for (const path of [directory, '/proc/nowhere']) {
    const conditions = createConditions();
    using _lock = lockDirectory(path, conditions, keepingLog());
    assert.equal(problemOf(conditions), '');
  }
});
