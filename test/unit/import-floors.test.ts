/** Which floor of a room may import which: the rules, the reports of violations, and the agreement with docs/architecture.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Floors, GROUND, ROOMS, brokenRules } from '../../tools/import-floors.ts';

const ROOT = join(import.meta.dirname, '../..');
const rooms: Record<string, Floors> = { 'src/room': { low: [], high: ['low'], [GROUND]: ['high'] } };

const rows = [
  ['its own floor', 'low/a.ts', 'low/b.ts', true],
  ['a floor below', 'high/a.ts', 'low/a.ts', true],
  ['a floor above', 'low/a.ts', 'high/a.ts', false],
  ["the room's own folder", 'low/a.ts', 'a.ts', true],
  ['from the room itself, a floor of the table', 'a.ts', 'high/a.ts', true],
  ['from the room itself, another floor', 'a.ts', 'low/a.ts', false],
  ['a folder of a floor', 'high/deep/a.ts', 'low/deep/a.ts', true],
  ['a folder that is not a floor', 'other/a.ts', 'low/a.ts', false],
  ['a file outside the room', 'low/a.ts', '../elsewhere.ts', true],
] as const;

for (const [title, from, to, isAllowed] of rows) {
  test(`an import of ${title}: ${isAllowed ? 'allowed' : 'refused'}`, () => {
    const imports = new Map([[join('src/room', from), [join('src/room', to)]]]);
    const broken = brokenRules(imports, rooms);
    assert.equal(broken.length, isAllowed ? 0 : 1);
    for (const line of broken) assert.ok(line.includes(join('src/room', from)), line);
  });
}

test('docs/architecture.md has the same table', () => {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  for (const [room, { [GROUND]: _ground, ...floors }] of Object.entries(ROOMS)) {
    const section = text.slice(text.indexOf(`(\`${room.replace('src/', '')}/\`)`));
    const table = section.slice(
      section.indexOf('| floor'),
      section.indexOf('\n\n', section.indexOf('| floor')),
    );
    const documented = table
      .split('\n')
      .slice(2)
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, floor, , imports]) => [floor, imports === 'nothing' ? [] : imports.split(', ')]);
    assert.deepEqual(Object.fromEntries(documented), floors);
  }
});
