import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { keepRouteTable } from '../../../src/admin/route-table.ts';
import { testAdmin } from './fixture.ts';

test('a route without a scope is refused when it is registered', () => {
  for (const config of [undefined, {}, { scope: 'everybody' }, { scope: 'toString' }]) {
    const app = Fastify();
    keepRouteTable(app);
    assert.throws(
      () => app.get('/x', { ...(config && { config: config as { scope: 'open' } }) }, async () => ''),
      /could not register .*\/x: config\.scope is .*; expected "open", "read", "configure" or "system"/,
    );
  }
});

test('a route that requires the password must have a field for it that no error repeats; otherwise its registration is refused', () => {
  const field = (more: object) => ({ type: 'object', properties: { password: { type: 'string', ...more } } });
  for (const body of [undefined, field({}), { type: 'object', properties: {} }]) {
    const app = Fastify();
    keepRouteTable(app);
    const config = { scope: 'system', presence: '/password' } as const;
    assert.throws(
      () => app.post('/x', { config, schema: { ...(body && { body }) } }, async () => ''),
      /config\.presence is "\/password"; expected a "writeOnly" field of the body/,
    );
  }
});

test('the table has every route of the API once, with a summary', async (t) => {
  const { app } = await testAdmin(t);
  const api = app.routeTable.filter(({ url }) => url.startsWith('/api/'));
  const names = api.map(({ method, url }) => `${method} ${url}`);
  assert.ok(names.includes('POST /api/config/apply'));
  assert.equal(new Set(names).size, names.length);
  for (const { schema, url } of api) assert.match(schema.summary ?? '', /^[A-Z].{5,90}[^.]$/, url);
});
