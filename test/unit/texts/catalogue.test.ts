/** How the sentences are found in the sources, and compared with a language (`tools/languages.ts`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, addSource, compare, doubled } from '../../../tools/catalogue.ts';

const SERVER = "import { asIs, say } from '../texts/text.ts';\n";

const SOURCES: readonly [title: string, file: string, source: string, said: string[], unreadable: number][] =
  [
    ['a sentence', 'src/net/a.ts', `${SERVER}say('One.')`, ['One.'], 0],
    ['every kind of quotation', 'src/net/a.ts', `${SERVER}[say("It's"), say(\`Two.\`)]`, ["It's", 'Two.'], 0],
    [
      'a choice of sentences',
      'src/net/a.ts',
      `${SERVER}say(a ? 'One.' : b ? 'Two.' : 'Three.')`,
      ['One.', 'Two.', 'Three.'],
      0,
    ],
    ['inside another', 'src/net/a.ts', `${SERVER}say('{a}!', { a: say('One.') })`, ['{a}!', 'One.'], 0],
    ['not in a comment', 'src/net/a.ts', `${SERVER}// say('One.')\n/* say('Two.') */`, [], 0],
    [
      'not a composed text',
      'src/net/a.ts',
      `${SERVER}say('One' + rest); say(\`\${a} b\`); say(known);`,
      [],
      3,
    ],
    ['not another function named say', 'src/net/a.ts', "const say = console.log;\nsay('One.');", [], 0],
    [
      'types',
      'src/net/a.ts',
      `${SERVER}const a = say('One.') satisfies Text as unknown as string;`,
      ['One.'],
      0,
    ],
    [
      'the page',
      'web/src/a.tsx',
      "import { text } from './core/locale.ts';\nexport const A = () => <p title={text('One.')}>{text(TABLE[a])}</p>;",
      ['One.'],
      0,
    ],
  ];
for (const [title, file, source, said, unreadable] of SOURCES) {
  test(`found: ${title}`, async () => {
    const catalogue: Catalogue = { said: new Map(), strings: new Set(), unreadable: [] };
    await addSource(catalogue, file, source);
    assert.deepEqual([...catalogue.said.keys()].sort(), said.toSorted());
    assert.equal(catalogue.unreadable.length, unreadable);
    for (const sentence of said) assert.ok(catalogue.strings.has(sentence));
  });
}

test('a language is compared with the sentences', () => {
  const dictionary = {
    'One.': 'Eins.',
    'Old.': 'Alt.',
    'A table.': 'Eine Tabelle.',
    '{a} of {b}': '{b}, davon {a}',
    '{a} in {b}': '{a} in {c}',
    '{a} twice': '{a}, {a}',
  };
  const wanted = ['One.', 'Two.', 'Two.', '{a} of {b}', '{a} in {b}', '{a} twice'];
  const used = new Set(['A table.', ...wanted]);
  assert.deepEqual(compare(wanted, used, dictionary), {
    missing: ['Two.'],
    unused: ['Old.'],
    wrong: ['{a} in {b}'],
  });
  assert.deepEqual(doubled([{ 'One.': '1', 'Two.': '2' }, { 'Three.': '3' }, { 'Two.': '2' }]), ['Two.']);
});
