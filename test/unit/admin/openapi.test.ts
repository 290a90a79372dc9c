/** The description of the API is valid OpenAPI, complete, and says what is expected for every input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type SchemaNode, isObject } from '../../../src/config/json-schema.ts';
import { testAdmin } from './fixture.ts';

test('GET /api/openapi.json is a valid OpenAPI 3.1 document with every route', async (t) => {
  const { app, request } = await testAdmin(t);
  const response = await request('GET', '/api/openapi.json');
  assert.equal(response.status, 200);
  const document = response.json();
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(document['openapi'], '3.1.0');

  const described = Object.entries(document['paths'] as Record<string, object>).flatMap(
    ([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = app.routeTable
    .filter(({ url }) => url.startsWith('/api/'))
    .map(({ method, url }) => `${method} ${url.replace(/:([A-Za-z]+)/g, '{$1}')}`);
  assert.deepEqual(described.toSorted(), routes.toSorted());

  const operations = Object.values(
    document['paths'] as Record<string, Record<string, { operationId: string }>>,
  );
  const ids = operations.flatMap((each) => Object.values(each).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length, 'every operation has a unique name');
});

/** Every node of a schema where a value is checked. */
function nodes(schema: SchemaNode, path: string): [string, SchemaNode][] {
  const within = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) => nodes(each, `${path}/${name}`)),
    ...(schema.items === undefined ? [] : nodes(schema.items, `${path}/-`)),
    ...(schema.anyOf ?? [])
      .filter(({ properties }) => properties !== undefined)
      .flatMap((each) => nodes(each, path)),
  ];
  return [[path, schema], ...within];
}

test('every input describes the expected value, and no object accepts unknown fields', async (t) => {
  const { app } = await testAdmin(t);
  for (const { method, url, schema } of app.routeTable) {
    for (const part of ['body', 'querystring', 'params'] as const) {
      const root = schema[part];
      if (root === undefined) continue;
      for (const [path, node] of nodes(root, '')) {
        const where = `${method} ${url} ${part}${path}`;
        // A query is always an object.
        if (path !== '' || part === 'body')
          assert.ok((node.expected ?? '') !== '', `${where}: "expected" is missing`);
        if (node.properties !== undefined)
          assert.equal(node.additionalProperties, false, `${where} accepts anything`);
      }
    }
  }
});

test('every route of the API has a schema for its answer', async (t) => {
  const { app } = await testAdmin(t);
  const without = app.routeTable
    .filter(({ url, schema }) => url.startsWith('/api/') && !isObject(schema.response))
    .map(({ method, url }) => `${method} ${url}`);
  // Documents that have their own format.
  const free = /^GET \/api\/(openapi\.json|schema|config\/schema|metrics|live|support-bundle|logs)$|backup$/;
  for (const name of without) assert.match(name, free);
});
