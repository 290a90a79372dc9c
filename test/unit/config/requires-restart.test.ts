import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SchemaNode } from '../../../src/config/json-schema.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { needsRestart } from '../../../src/services/nat64/control/translation.ts';

/** Another value of the same type. */
function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return typeof value === 'string' ? `${value}x` : [value];
}

test('the schema says which fields restart NAT64, and no field restarts another service', () => {
  const { nat64 } = fillDefaults({});
  const { nat64: node, ...others } = ConfigSchema.properties as unknown as Record<string, SchemaNode>;
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    if (name === 'enabled') continue;
    const next = { ...nat64, [name]: changed(nat64[name as keyof typeof nat64]) } as typeof nat64;
    assert.equal(needsRestart(nat64, next), property.requiresRestart === true, name);
  }
  assert.doesNotMatch(JSON.stringify(others), /requiresRestart/);
});
