/**
 * Requests for every route of the admin API, generated from its schemas: valid, almost valid, and random. The answer is never a
 * 5xx, and an error says what is expected.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import type { SchemaNode } from '../../src/config/json-schema.ts';
import type { Route } from '../../src/admin/route-table.ts';
import { TOKEN, testAdmin } from '../unit/admin/fixture.ts';

/** Answers without an end. */
const STREAMS = new Set(['/api/live']);

/** Texts that are valid in some format, and some that are traps. */
const TEXTS = fc.constantFrom(
  '',
  '0',
  '1',
  '80',
  '65536',
  '1-2',
  '192.0.2.1',
  '192.0.2.0/24',
  '::',
  '2001:db8:1::10',
  '2001:db8:1::/64',
  '64:ff9b::/96',
  'fe80::1%eth0',
  'example.com',
  '*.example.com',
  'web1',
  'tcp',
  'read',
  'lan',
  'auto',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '\u0000',
  '\ud800',
  'é'.repeat(300),
  '2026-01-02T03:04:05Z',
  '{"hosts":[]}',
);
const NUMBERS = fc.constantFrom(0, -0, 1, -1, 60, 443, 65_536, 1e9, 2 ** 53, -1e308, 1e308, 0.1);

const anything = fc.oneof(
  TEXTS,
  NUMBERS,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Mostly values that fit the schema; from time to time, at any depth, something else. */
function fitting(schema: SchemaNode): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: right(schema) }, { weight: 1, arbitrary: anything });
}

function right(schema: SchemaNode): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting));
  switch (schema.type) {
    case 'object':
      return object(schema);
    case 'array':
      return fc.array(fitting(schema.items ?? {}), { maxLength: 4 });
    case 'string':
      return text(schema);
    case 'integer':
      return fc.oneof(NUMBERS, fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1e6 }));
    case 'number':
      return fc.oneof(NUMBERS, fc.double({ noNaN: true, noDefaultInfinity: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return anything;
  }
}

function object({ properties = {}, required = [] }: SchemaNode): fc.Arbitrary<object> {
  const model = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, fitting(each)]));
  const whole = fc.record(model, { requiredKeys: required as string[] });
  const odd = fc.tuple(fc.record(model, { requiredKeys: [] }), TEXTS, anything).map(([base, name, value]) => {
    // Defined, not assigned: "__proto__" is a name like any other.
    return Object.defineProperty(base, name, { value, enumerable: true, configurable: true, writable: true });
  });
  return fc.oneof({ weight: 4, arbitrary: whole }, { weight: 1, arbitrary: odd });
}

function text({ pattern }: SchemaNode): fc.Arbitrary<string> {
  const some = fc.oneof(TEXTS, fc.string({ unit: 'binary', maxLength: 80 }));
  if (pattern === undefined) return some;
  try {
    return fc.oneof({ weight: 3, arbitrary: fc.stringMatching(new RegExp(pattern, 'u')) }, some);
  } catch {
    return some; // a pattern that the library cannot invert
  }
}

/** Values of a query or of the path, as texts. */
const texts = (schema: SchemaNode | undefined) =>
  (schema === undefined ? fc.constant({}) : fitting(schema)).map((value) =>
    Object.entries(Object(value) as Record<string, unknown>).map(
      ([name, each]) => [name, typeof each === 'string' ? each : JSON.stringify(each)] as const,
    ),
  );

const percentEncoded = (value: string) => encodeURIComponent(value.toWellFormed());

function requests({ schema, method, url }: Route) {
  const body =
    schema.body === undefined ? (method === 'GET' ? fc.constant(undefined) : anything) : fitting(schema.body);
  return fc.record({
    body: fc.oneof(
      { weight: 19, arbitrary: body.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    ),
    path: texts(schema.params).map((values) => {
      const byName = new Map(values);
      return url.replace(/:([A-Za-z]+)/g, (_, name) => percentEncoded(byName.get(name) ?? 'x') || 'x');
    }),
    query: texts(schema.querystring).map((values) =>
      values.map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value ?? '')}`).join('&'),
    ),
  });
}

/** Sends `count` requests; throws with the request, and how to repeat it, if an answer is not as required. */
export async function fuzzApi({ count, seed }: { count: number; seed: number }): Promise<void> {
  const undo: (() => unknown)[] = [];
  // testAdmin needs a test only for the clean-up.
  const context = { after: (clean: () => unknown) => void undo.push(clean) } as unknown as TestContext;
  try {
    const { app } = await testAdmin(context);
    const routes = app.routeTable.filter(({ url, schema, method }) => {
      const hasInput = schema.body ?? schema.querystring ?? schema.params;
      return url.startsWith('/api/') && !STREAMS.has(url) && (method !== 'GET' || hasInput !== undefined);
    });
    const numRuns = Math.ceil(count / routes.length);
    for (const route of routes) {
      const property = fc.asyncProperty(requests(route), async ({ body, path, query }) => {
        const response = await app.inject({
          method: route.method as 'GET',
          url: query === '' ? path : `${path}?${query}`,
          headers: {
            host: 'localhost',
            authorization: `Bearer ${TOKEN}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { payload: body }),
        });
        check(response.statusCode, response.body);
      });
      await fc.assert(property, { numRuns, seed, endOnFailure: true }).catch((cause: unknown) => {
        throw new Error(`${route.method} ${route.url}: ${(cause as Error).message}`, { cause });
      });
    }
  } finally {
    for (const clean of undo.reverse()) await clean();
  }
}

function check(status: number, body: string): void {
  assert.ok(status < 500, `${status}: ${body}`);
  if (status < 400) return;
  const { error, message, problems } = JSON.parse(body);
  assert.ok(error !== '' && message !== '', body);
  if (error !== 'invalid-input') return;
  assert.ok(problems.length > 0, body);
  for (const problem of problems) {
    assert.ok(typeof problem.path === 'string' && problem.expected !== '' && problem.message !== '', body);
  }
}
