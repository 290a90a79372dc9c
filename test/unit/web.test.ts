/** The rules for the control panel's sources: types of the contract, sentences in every language. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { valueNamesIn } from '../../src/texts/sentence.ts';
import { keyOf } from '../../web/src/texts/key.ts';
import { LANGUAGES } from '../../web/src/texts/languages.ts';

const WEB = join(import.meta.dirname, '../../web/src');
const sources = globSync('**/*.{ts,tsx}', { cwd: WEB }).map(
  (file) => [file, readFileSync(join(WEB, file), 'utf8')] as const,
);

test('the page imports only types from the server, in one file; the types of a service in its own page; and the translation of sentences', () => {
  const wrong = sources.flatMap(([file, source]) =>
    [...source.matchAll(/^(import|export) ([^;]*?) from '((?:\.\.\/)+src\/[^']+)'/gms)]
      .filter(([, , names, from]) => {
        if (/\/texts\/(?:sentence|text)\.ts$/.test(from)) return !/^core\/locale\.ts$|^texts\//.test(file);
        const service = /\/services\/([^/]+)\/contract\.ts$/.exec(from)?.[1];
        const isPlace =
          service === undefined ? file === 'core/contract.ts' : file.startsWith(`pages/${service}/`);
        return !isPlace || !names.startsWith('type ');
      })
      .map(([statement]) => `${file}: ${statement}`),
  );
  assert.deepEqual(wrong, []);
});

test('no style attribute, no inline script, no foreign address: the content security policy forbids them', () => {
  const forbidden = /\sstyle=|dangerouslySetInnerHTML|\beval\(|new Function|['"`]https?:\/\/(?!\$)/;
  const wrong = sources.filter(([, source]) => forbidden.test(source)).map(([file]) => file);
  assert.deepEqual(wrong, []);
});

test('every page is registered, and has its own folder', () => {
  const registered = [
    ...(sources.find(([file]) => file === 'pages/all.ts')?.[1] ?? '').matchAll(/'\.\/(\w+)\/page\.ts'/g),
  ].map(([, name]) => name);
  const folders = globSync('pages/*/page.ts', { cwd: WEB }).map((file) => file.split('/')[1]);
  assert.deepEqual(registered.sort(), folders.sort());
});

for (const [language, load] of Object.entries(LANGUAGES)) {
  test(`${language}: each sentence names the same values as the English one, and has a unique key`, async () => {
    const sentences = Object.entries(await load());
    assert.ok(sentences.length > 0);
    for (const [sentence, translation] of sentences)
      assert.deepEqual(valueNamesIn(translation), valueNamesIn(sentence), sentence);
    assert.equal(new Set(sentences.map(([sentence]) => keyOf(sentence))).size, sentences.length);
  });
}
