/** SECURITY.md names a test for each of its sentences; this test checks that they exist. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const TEST = join(import.meta.dirname, '..');
const text = readFileSync(join(TEST, '../SECURITY.md'), 'utf8');

/** Rows of the tables: the sentence, and "`file`: name; `file`: name". */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| |') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, sentence, shownBy]) => ({ sentence, shownBy }));

test('there are sentences about every attacker', () => {
  assert.ok(rows.length > 25, `${rows.length} sentences`);
  for (const place of ['Internet', 'local network', 'NAT64', 'API token', 'stolen session', 'appliance'])
    assert.match(text, new RegExp(`\n### .*${place}`));
});

for (const { sentence, shownBy } of rows) {
  test(`SECURITY.md: ${sentence.slice(0, 80)}`, () => {
    const shown = [...shownBy.matchAll(/`([^`]+\.test\.ts)`: (.+?)(?=; `|$)/g)];
    assert.ok(shown.length > 0, 'names no test');
    for (const [, file, name] of shown) {
      const path = join(TEST, file);
      assert.ok(existsSync(path), `there is no test/${file}`);
      assert.ok(readFileSync(path, 'utf8').includes(name), `test/${file} has no test "${name}"`);
    }
  });
}
