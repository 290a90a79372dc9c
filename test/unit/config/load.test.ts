import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Format } from 'typebox/format';
import { Value } from 'typebox/value';
import { FORMATS } from '../../../src/config/formats.ts';
import { fillDefaults, loadConfig } from '../../../src/config/load.ts';
import { withDefaults } from '../../../src/config/json-schema.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { MAX_PROBLEMS, nearestName, validate } from '../../../src/config/validate.ts';
import { english } from '../../../src/texts/text.ts';

// The library whose schema format we use is the reference for our checks.
for (const [name, check] of Object.entries(FORMATS)) Format.Set(name, check);

const load = (document: unknown) => loadConfig(JSON.stringify(document));

/** The lines a terminal shows, without position. */
function problemsOf(document: unknown): string[] {
  const loaded = load(document);
  if (!('problems' in loaded)) return [];
  return loaded.problems.map(({ path, message }) => `${path}: ${english(message)}`);
}

const host = (fields: object = {}) => ({ name: 'web1', address: '2001:db8:1::10', ...fields });

/** Valid documents in which the tests can set every field. */
const validDocument = fc.record(
  {
    version: fc.constant(1),
    hosts: fc
      .uniqueArray(
        fc.record(
          {
            name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
            address: fc.integer({ min: 1, max: 0xffff }).map((n) => `2001:db8:1::${n.toString(16)}`),
            services: fc.subarray(['http', 'https', 'imaps']),
            clientAddress: fc.constantFrom('none', 'proxy-v1', 'proxy-v2'),
            ssh: fc.oneof(
              fc.constant(false),
              fc.record({ targetPort: fc.integer({ min: 1, max: 65535 }) }, { requiredKeys: [] }),
            ),
          },
          { requiredKeys: ['name', 'address'] },
        ),
        { selector: ({ name }) => name, maxLength: 5 },
      )
      .map((hosts) => hosts.map((each) => ({ ...each, hostnames: [`${each.name}.example.com`] }))),
    proxy: fc.record({ idleTimeoutMs: fc.integer({ min: 1000, max: 86_400_000 }) }, { requiredKeys: [] }),
    dns64: fc.record({ enabled: fc.boolean(), cacheEntries: fc.constant(5000) }, { requiredKeys: [] }),
    nat64: fc.record({ enabled: fc.boolean(), offload: fc.boolean() }, { requiredKeys: [] }),
    admin: fc.record({ allow: fc.subarray(['lan', '2001:db8::/32', '192.0.2.0/24']) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

/** Puts `value` at a random place in a document. */
function mutate(document: unknown, choices: readonly number[], value: unknown): unknown {
  const copy: unknown = structuredClone(document);
  let parent = copy as Record<string, unknown>;
  for (const choice of choices) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return value;
    const key = keys[choice % keys.length];
    const child = parent[key];
    if (typeof child !== 'object' || child === null || choice % 7 === 0) {
      parent[choice % 3 === 0 ? `${key}x` : key] = value;
      return copy;
    }
    parent = child as Record<string, unknown>;
  }
  return copy;
}

const mutated = fc
  .tuple(validDocument, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), fc.jsonValue())
  .map(([document, choices, value]) => mutate(document, choices, value));

test('an empty text, an empty object and a byte order mark are the default configuration', () => {
  const defaults = fillDefaults({});
  for (const text of ['', ' \n', '{}', '\uFEFF{}']) {
    const loaded = loadConfig(text);
    assert.ok('config' in loaded, text);
    assert.deepEqual(loaded.config, defaults);
  }
  assert.equal(defaults.nat64.prefix, '64:ff9b::/96');
});

test('a valid document loads and stays as written, and its completed form loads unchanged', () => {
  fc.assert(
    fc.property(validDocument, (document) => {
      const loaded = load(document);
      assert.ok('config' in loaded, JSON.stringify(loaded));
      assert.deepEqual(loaded.document, JSON.parse(JSON.stringify(document)));
      const again = load(loaded.config);
      assert.ok('config' in again);
      assert.deepEqual(again.config, loaded.config);
    }),
  );
});

test('problems are found exactly where typebox refuses the completed document, and loading never throws', () => {
  fc.assert(
    fc.property(fc.oneof(mutated, fc.jsonValue()), (document) => {
      const problems = validate(ConfigSchema, document);
      const complete = withDefaults(ConfigSchema, document);
      assert.equal(problems.length === 0, Value.Check(ConfigSchema, complete), JSON.stringify(document));
      load(document);
      for (const { message, path, expected } of problems) {
        assert.ok(english(expected).length > 0 && english(message).length > 0, path);
      }
    }),
    { numRuns: 3000 },
  );
});

test('random text never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void loadConfig(text)));
});

for (const [title, document, ...expected] of [
  [
    'an IPv4 address for a server',
    { hosts: [host({ address: '192.0.2.1' })] },
    '/hosts/0/address: "192.0.2.1" is not an IPv6 address such as 2001:db8:1::10',
  ],
  [
    'an unknown field close to a known one',
    { hosts: [host({ hostname: ['example.com'] })] },
    '/hosts/0/hostname: unknown field "hostname"; did you mean "hostnames"?',
  ],
  [
    'an unknown field unlike any known one',
    { dns64: {}, 'a/b~c': 1 },
    '/a~1b~0c: unknown field "a/b~c"; known here: version, hosts, proxy, forward, dns64, nat64, admin, shutdownSeconds, assertions',
  ],
  ['"constructor" is an unknown field', { constructor: 1 }, /^\/constructor: unknown field/],
  [
    'a bad prefix',
    { nat64: { prefix: '2001:db8::/33' } },
    '/nat64/prefix: "2001:db8::/33" is not a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 64:ff9b::/96',
  ],
  ['a missing field', { hosts: [{}] }, /^\/hosts\/0\/name: is missing; expected a label/],
  [
    'a union with an object branch is checked against that branch',
    { hosts: [host({ ssh: { port: 0 } })] },
    '/hosts/0/ssh/port: 0 is not a port number from 1 to 65535',
  ],
  [
    'a union of strings is reported once',
    { hosts: [host({ clientAddress: 'proxy-v3' })] },
    '/hosts/0/clientAddress: "proxy-v3" is not "none", "proxy-v1", "proxy-v2" or "mapped"',
  ],
  [
    'a union whose value has another shape',
    { hosts: [host({ ssh: 22 })] },
    '/hosts/0/ssh: 22 is not false, or an object with the optional properties "port" and "targetPort"',
  ],
  ['an object instead of a list', { hosts: {} }, '/hosts: an object is not a list of servers'],
  ['not an object', [1, 2], ': a list of 2 is not a JSON object'],
  [
    'an empty list that needs an entry',
    { dns64: { upstreams: [] } },
    /^\/dns64\/upstreams: an empty list is not/,
  ],
  [
    'a number that is not an integer',
    { admin: { port: 80.5 } },
    '/admin/port: 80.5 is not a port number from 1 to 65535',
  ],
  ['another version', { version: 2 }, '/version: 2 is not 1'],
  [
    'several problems at once',
    { version: 0, hosts: [host({ name: 'A B' })], admin: { port: 0 } },
    '/version: 0 is not 1',
    /^\/hosts\/0\/name: "A B" is not a label/,
    '/admin/port: 0 is not a port number from 1 to 65535',
  ],
] as const) {
  test(`refused: ${title}`, () => {
    const problems = problemsOf(document);
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [i, each] of expected.entries()) {
      if (typeof each === 'string') assert.equal(problems[i], each);
      else assert.match(problems[i], each);
    }
  });
}

test('a long value is shortened, a control character escaped, the position is given', () => {
  const text = `{\n  "hosts": [{ "name": "a", "address": "${'x'.repeat(500)}\\u001b[31m" }]\n}`;
  const loaded = loadConfig(text);
  assert.ok('problems' in loaded);
  const line = formatProblem(loaded.problems[0], 'config.json');
  assert.match(line, /^config\.json:2:39: \/hosts\/0\/address: "x{60}\.\.\." is not an IPv6 address/);
  const name = loadConfig('{"\\u001b[31m": 1}');
  assert.ok('problems' in name);
  assert.match(
    formatProblem(name.problems[0], 'config.json'),
    /^config\.json:1:\d+: \/\\u001b\[31m: unknown/,
  );
});

test('a document of nonsense has a limited number of problems', () => {
  const loaded = load({ hosts: Array.from({ length: 100_000 }, () => 0) });
  assert.ok('problems' in loaded);
  assert.equal(loaded.problems.length, MAX_PROBLEMS);
});

test('the nearest name needs few edits', () => {
  assert.equal(nearestName('adress', ['address', 'name']), 'address');
  assert.equal(nearestName('HOSTS', ['hosts']), 'hosts');
  assert.equal(nearestName('qqqq', ['hosts', 'name']), undefined);
  assert.equal(nearestName('x'.repeat(10_000), ['hosts']), undefined);
});
