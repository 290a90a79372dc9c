/** Every text of the server in every language. `tools/languages.ts` lists the sentences that a language lacks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GERMAN } from '../../../src/texts/de/all.ts';
import { valueNamesIn } from '../../../src/texts/sentence.ts';
import {
  type Text,
  TextError,
  asIs,
  either,
  english,
  listOf,
  reasonOf,
  say,
  sentences,
  translate,
  unique,
} from '../../../src/texts/text.ts';

/** Identical in both languages. */
const SAME = new Set([
  'Server',
  'Server {name}',
  'Resolver {resolver}',
  'IPv4: {ipv4}. IPv6: {ipv6}.',
  '{list}.',
  '{address} port {port}',
]);

test('every sentence has its German translation, with the same values', () => {
  for (const [sentence, german] of Object.entries(GERMAN)) {
    const names = valueNamesIn(sentence);
    assert.deepEqual(valueNamesIn(german), names, sentence);
    const values = Object.fromEntries(names.map((name) => [name, `<${name}>`]));
    const text: Text = { say: sentence, values };
    const [inEnglish, inGerman] = [english(text), translate(text, GERMAN)];
    for (const each of [inEnglish, inGerman]) {
      for (const name of names) assert.ok(each.includes(`<${name}>`), each);
      assert.ok(!/[{}]\w/.test(each), each);
    }
    if (!SAME.has(sentence)) assert.notEqual(inGerman, inEnglish);
    // A translation ends with the same punctuation as its key.
    assert.equal(/[.?:]$/.exec(inGerman)?.[0], /[.?:]$/.exec(inEnglish)?.[0], sentence);
  }
  for (const sentence of SAME) assert.ok(sentence in GERMAN, sentence);
});

test('the German texts have German quotation marks and the polite form of address, as the page has', () => {
  for (const german of Object.values(GERMAN)) {
    assert.doesNotMatch(german, /["']/);
    assert.doesNotMatch(german, /\b(?:du|dir|dich|dein(?:e[mnrs]?)?)\b/i, german);
  }
});

test('a sentence that a language lacks appears in English, with its values', () => {
  const text: Text = {
    say: 'Nobody has translated {what} {count} times.',
    values: { what: 'this', count: 1.5 },
  };
  assert.equal(translate(text, {}), 'Nobody has translated this 1,5 times.');
  assert.equal(english(text), 'Nobody has translated this 1.5 times.');
});

test('say takes a literal, and exactly the values that it names', () => {
  const values = { name: 'x' };
  const sentences: Text[] = [
    say('An untranslated sentence.'),
    say('{name} is untranslated.', values),
    // @ts-expect-error: the value has no name in the sentence
    say('An untranslated sentence.', values),
    // @ts-expect-error: the value is missing
    say('{name} is untranslated.'),
    // @ts-expect-error: another name
    say('{name} is untranslated.', { nam: 'x' }),
    // @ts-expect-error: no literal
    say(values.name),
  ];
  assert.equal(sentences.length, 6);
});

const gateway = say('The gateway {address} ({link})', { address: '192.0.2.254', link: 'eth0' });
const TRANSLATED: readonly [title: string, text: Text, inEnglish: string, inGerman: string][] = [
  [
    'a text in a text',
    say('{where} answers in {milliseconds} ms.', { where: gateway, milliseconds: 0.5 }),
    'The gateway 192.0.2.254 (eth0) answers in 0.5 ms.',
    'Das Gateway 192.0.2.254 (eth0) antwortet in 0,5 ms.',
  ],
  ['words of another program', asIs('EPERM {0} {toString}'), 'EPERM {0} {toString}', 'EPERM {0} {toString}'],
  ['a name of every object', asIs('constructor'), 'constructor', 'constructor'],
  [
    'values are not interpreted',
    say('No host has {address}.', { address: '{address}' }),
    'No host has {address}.',
    'Kein Rechner hat {address}.',
  ],
  ['a list', listOf([asIs('nothing'), 'a', 1.5], '; '), 'nothing; a; 1.5', 'nichts; a; 1,5'],
  [
    'sentences',
    sentences(undefined, asIs('Runs.'), asIs('Has arrived.')),
    'Runs. Has arrived.',
    'Läuft. Ist angekommen.',
  ],
  ['alternatives', listOf([either(['a', 'b', 'c'])]), 'a or b or c', 'a oder b oder c'],
];
for (const [title, text, inEnglish, inGerman] of TRANSLATED) {
  test(`translated: ${title}`, () => {
    assert.equal(english(text), inEnglish);
    assert.equal(translate(text, GERMAN), inGerman);
    // The stored form can be read back.
    assert.equal(translate(JSON.parse(JSON.stringify(text)) as Text, GERMAN), inGerman);
  });
}

test('an answer is translated in all its texts, and is otherwise unchanged', () => {
  const answer = { n: 1, no: null, list: [{ what: asIs('Runs.'), name: 'Runs.' }] };
  assert.deepEqual(translate(answer), { n: 1, no: null, list: [{ what: 'Runs.', name: 'Runs.' }] });
  assert.deepEqual(translate(answer, GERMAN), { n: 1, no: null, list: [{ what: 'Läuft.', name: 'Runs.' }] });
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(translate(value, GERMAN), value)));
});

test('our own errors can be translated, other errors are quoted', () => {
  const error = new TextError(say('No host has {address}.', { address: '192.0.2.1' }));
  assert.equal(error.message, 'No host has 192.0.2.1.');
  assert.equal(translate(reasonOf(error), GERMAN), 'Kein Rechner hat 192.0.2.1.');
  assert.equal(translate(reasonOf(new Error('EPERM')), GERMAN), 'EPERM');
  const wrapped = new Error('sysctl net/ipv4/ip_forward: cannot set "1"', {
    cause: new Error('EROFS: read-only'),
  });
  assert.equal(translate(reasonOf(wrapped)), 'sysctl net/ipv4/ip_forward: cannot set "1": EROFS: read-only');
  assert.equal(
    translate(reasonOf(new Error('not applied', { cause: error })), GERMAN),
    'not applied: Kein Rechner hat 192.0.2.1.',
  );
  const quoting = new Error('could not read /a: ENOENT', { cause: new Error('ENOENT') });
  assert.equal(translate(reasonOf(quoting)), 'could not read /a: ENOENT');
  assert.equal(unique([asIs('a'), asIs('b'), asIs('a')]).length, 2);
});
