import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineAndColumn, parseJson } from '../../../src/config/json.ts';
import { english } from '../../../src/texts/text.ts';

/** The parser's value, wrapped to distinguish "undefined" from a problem. */
function parse(text: string): { value: unknown } | undefined {
  const parsed = parseJson(text);
  return 'problem' in parsed ? undefined : { value: parsed.value };
}

/** The result of JSON.parse, wrapped in the same way. */
function reference(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

const FRAGMENTS = [
  ...String.raw`{ } [ ] : , " "a" "b": 1 -0 01 1.5e3 1. true nul null \u00e9 \ // "\u12"`.split(' '),
  ...' \n\t\u0000\u2028\u00a0\ud800',
];

/** Text that is almost JSON. */
const nearlyJson = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }).map((parts) => parts.join(''));

const hasDuplicateName = (text: string) => {
  const parsed = parseJson(text);
  return 'problem' in parsed && english(parsed.problem.expected).includes('occurs once');
};

test('accepts what JSON.parse accepts, with the same value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json({ maxDepth: 6 }), nearlyJson, fc.string({ unit: 'binary' })), (text) => {
      if (!hasDuplicateName(text)) assert.deepEqual(parse(text), reference(text));
    }),
    { numRuns: 20_000 },
  );
});

test('positions point at the text of each value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(4), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const parsed = parseJson(text);
      assert.ok('positions' in parsed);
      for (const [path, offset] of parsed.positions) {
        const found = path
          .split('/')
          .slice(1)
          .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
          .reduce((parent: unknown, key) => (parent as Record<string, unknown>)[key], value as unknown);
        const expected = JSON.stringify(found)?.[0];
        assert.equal(text[offset], expected, `${path} in ${text}`);
      }
    }),
  );
});

test('"__proto__" is a name like any other', () => {
  const parsed = parse('{"__proto__": {"polluted": 1}}') as { value: object };
  assert.equal(Object.getPrototypeOf(parsed.value), Object.prototype);
  assert.deepEqual(Object.keys(parsed.value), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

for (const [title, text, line, column, message] of [
  ['comma at the end', '{"a": 1,\n}', 1, 8, 'found ",", expected no "," before "}"'],
  ['comment', '{\n  // hosts\n}', 2, 3, 'found "/", expected a name in double quotes (JSON has no comments)'],
  ['cut off', '{"a": [1', 1, 9, 'found the end of the text, expected "," or "]"'],
  ['word', '{"a": yes}', 1, 7, 'found "yes", expected a value'],
  ['name twice', '{"a": 1,\n "a": 2}', 2, 2, 'found "\\"", expected a name that occurs once in its object'],
  ['missing colon', '{"a" 1}', 1, 6, 'found "1", expected ":" after the name "a"'],
  ['line break in a string', '"a\nb"', 1, 3, 'found "\\n", expected a closing double quote'],
  ['two documents', '{}{}', 1, 3, 'found "{", expected nothing after the document'],
] as const) {
  test(`syntax: ${title}`, () => {
    const parsed = parseJson(text);
    assert.ok('problem' in parsed);
    assert.equal(english(parsed.problem.message), `JSON syntax: ${message}`);
    assert.deepEqual([parsed.problem.line, parsed.problem.column], [line, column]);
  });
}

test('deep nesting and long texts are refused', () => {
  for (const text of ['['.repeat(200_000), '{"a":'.repeat(100_000), `"${'x'.repeat(2 ** 20)}"`]) {
    const parsed = parseJson(text);
    assert.ok('problem' in parsed);
    assert.match(english(parsed.problem.expected), /^at most 32 levels|^a text of at most/);
  }
});

test('line and column agree with splitting the text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\n', '\r', 'ä')), fc.nat(40), (parts, at) => {
      const text = parts.join('');
      const offset = Math.min(at, text.length);
      const lines = text.slice(0, offset).split('\n');
      const expected = { line: lines.length, column: lines.at(-1)!.length + 1 };
      assert.deepEqual(lineAndColumn(text, offset), expected);
    }),
  );
});
