import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffDocuments } from '../../../src/config/diff.ts';

const a = { name: 'a', address: '1' };
const b = { name: 'b', address: '2' };
const c = { name: 'c', address: '3' };

const rows: [title: string, from: unknown, to: unknown, expected: unknown[]][] = [
  ['nothing', { x: [1, { y: null }] }, { x: [1, { y: null }] }, []],
  [
    'a value',
    { x: { y: 1 } },
    { x: { y: 2 } },
    [{ kind: 'changed', path: '/x/y', label: 'x.y', from: 1, to: 2 }],
  ],
  ['a type', { x: 1 }, { x: [1] }, [{ kind: 'changed', path: '/x', label: 'x', from: 1, to: [1] }]],
  [
    'a property is added and one removed, with a name that must be escaped',
    { 'a/b': 1 },
    { 'c~d': 2 },
    [
      { kind: 'added', path: '/c~0d', label: 'c~d', to: 2 },
      { kind: 'removed', path: '/a~1b', label: 'a/b', from: 1 },
    ],
  ],
  [
    'an entry inserted in front does not change the others',
    { hosts: [b, c] },
    { hosts: [a, b, { ...c, address: '4' }] },
    [
      { kind: 'added', path: '/hosts/0', label: 'hosts[a]', to: a },
      { kind: 'changed', path: '/hosts/2/address', label: 'hosts[c].address', from: '3', to: '4' },
    ],
  ],
  [
    'an entry is removed',
    { hosts: [a, b] },
    { hosts: [b] },
    [{ kind: 'removed', path: '/hosts/0', label: 'hosts[a]', from: a }],
  ],
  [
    'a renamed entry is another entry',
    { hosts: [a] },
    { hosts: [{ ...a, name: 'z' }] },
    [
      { kind: 'added', path: '/hosts/0', label: 'hosts[z]', to: { ...a, name: 'z' } },
      { kind: 'removed', path: '/hosts/0', label: 'hosts[a]', from: a },
    ],
  ],
  [
    'the moved entry is reported, not those that it passed; its changes too',
    { hosts: [a, b, c] },
    { hosts: [{ ...c, address: '9' }, a, b] },
    [
      { kind: 'moved', path: '/hosts/0', label: 'hosts[c]', from: 2, to: 0 },
      { kind: 'changed', path: '/hosts/0/address', label: 'hosts[c].address', from: '3', to: '9' },
    ],
  ],
  [
    'entries without names are compared by position',
    {
      pool4: [
        { address: 'auto', ports: '1-2' },
        { address: 'auto', ports: '5-6' },
      ],
    },
    {
      pool4: [
        { address: 'auto', ports: '1-4' },
        { address: 'auto', ports: '5-6' },
      ],
    },
    [{ kind: 'changed', path: '/pool4/0/ports', label: 'pool4[0].ports', from: '1-2', to: '1-4' }],
  ],
  [
    'values: one is removed',
    ['a', 'b', 'c'],
    ['b', 'c'],
    [{ kind: 'removed', path: '/0', label: '[0]', from: 'a' }],
  ],
  [
    'values: one is replaced',
    ['a', 'b'],
    ['x', 'b'],
    [{ kind: 'changed', path: '/0', label: '[0]', from: 'a', to: 'x' }],
  ],
  [
    'values: no difference',
    ['a', 'a'],
    ['a', 'a', 'a'],
    [{ kind: 'added', path: '/2', label: '[2]', to: 'a' }],
  ],
];

for (const [title, from, to, expected] of rows) {
  test(title, () => assert.deepEqual(diffDocuments(from, to), expected));
}

/** The value that a JSON pointer refers to (RFC 6901). */
const at = (document: unknown, path: string): unknown =>
  path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((value, step) => (value as Record<string, unknown>)[step], document);

const named = fc.uniqueArray(
  fc.record({ name: fc.constantFrom(...'abcdefgh'), value: fc.nat(3), list: fc.array(fc.nat(3)) }),
  { selector: ({ name }) => name },
);
const document = fc.record({
  hosts: named,
  list: fc.array(fc.nat(4)),
  unnamed: fc.array(fc.record({ x: fc.nat(2), y: fc.nat(2) })),
  any: fc.jsonValue({ maxDepth: 3 }),
});

test('no difference exactly if they are equal; values are those at the paths; all entries are covered', () => {
  fc.assert(
    fc.property(document, document, (from, to) => {
      const differences = diffDocuments(from, to);
      const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
      // -0 is 0 in JSON.
      assert.equal(differences.length === 0, isDeepStrictEqual(plain(from), plain(to)));
      for (const { kind, path, from: before, to: after } of differences) {
        if (kind === 'added' || kind === 'changed') assert.deepEqual(at(to, path), after);
        if (kind === 'removed') assert.deepEqual(at(from, path), before);
      }
      const names = (list: { name: string }[]) => new Set(list.map(({ name }) => name));
      const [old, now] = [names(from.hosts), names(to.hosts)];
      const count = (kind: string) =>
        differences.filter((each) => each.kind === kind && /^\/hosts\/\d+$/.test(each.path)).length;
      assert.equal(count('added'), now.difference(old).size);
      assert.equal(count('removed'), old.difference(now).size);
      // The moved entries alone explain the new order: all others keep their order.
      const moved = new Set(
        differences
          .filter(({ kind, path }) => kind === 'moved' && path.startsWith('/hosts/'))
          .map(({ label }) => label),
      );
      const stayed = (list: { name: string }[], other: Set<string>) =>
        list.filter(({ name }) => other.has(name) && !moved.has(`hosts[${name}]`)).map(({ name }) => name);
      assert.deepEqual(stayed(from.hosts, now), stayed(to.hosts, old));
    }),
    { numRuns: 5000 },
  );
});

test('twenty thousand entries in the opposite order: not in quadratic time', () => {
  const entries = Array.from({ length: 20_000 }, (_, i) => ({ name: `n${i}` }));
  assert.equal(diffDocuments(entries, entries.toReversed()).length, 19_999);
});
