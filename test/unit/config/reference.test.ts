import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { ASSERTIONS, EXAMPLE, configReference } from '../../../src/config/reference.ts';

test('docs/configuration.md is up to date (npm run docs:config)', async () => {
  const path = new URL('../../../docs/configuration.md', import.meta.url);
  assert.equal(await readFile(path, 'utf8'), configReference());
});

test('the examples of the reference are a valid configuration', () => {
  assert.ok('config' in loadConfig(JSON.stringify({ ...EXAMPLE, assertions: ASSERTIONS })));
});
