import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigSchema } from '../../../src/config/schema.ts';
import type { SchemaNode } from '../../../src/config/json-schema.ts';

/** Every node that a user may meet in an error or in the reference, by its path; without the branches of unions. */
function* nodes(schema: SchemaNode, path = ''): Generator<[string, SchemaNode]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* nodes(property, `${path}/${name}`);
  if (schema.items !== undefined) yield* nodes(schema.items, `${path}/*`);
  for (const branch of schema.anyOf ?? []) {
    for (const [name, property] of Object.entries(branch.properties ?? {}))
      yield* nodes(property, `${path}/${name}`);
  }
}

for (const [path, schema] of nodes(ConfigSchema)) {
  test(`${path || 'the document'} has a title and says what is expected`, () => {
    assert.ok(schema.title, 'title');
    assert.ok(schema.expected, 'expected');
  });
}

test('every top-level property has a default: an empty object is a valid configuration', () => {
  for (const [name, property] of Object.entries(ConfigSchema.properties as Record<string, SchemaNode>)) {
    assert.notEqual(property.default, undefined, name);
  }
});
