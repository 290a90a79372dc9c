/** JSON Schema: checks whether a value matches, and fills in the defaults. The builders are in runtime/shape.ts. */
import type { SchemaNode } from '../runtime/shape.ts';
import { FORMATS } from './formats.ts';

export { type SchemaNode, type Static, type TSchema, Type } from '../runtime/shape.ts';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const IS_TYPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

/**
 * Whether a value matches a schema, without looking into its items and properties: `validate` visits those itself, so that it
 * can name each. A union matches when one branch does.
 */
export function fits(schema: SchemaNode, value: unknown): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((branch) => fits(branch, value));
  if (schema.type !== undefined && !IS_TYPE[schema.type](value)) return false;
  if (schema.const !== undefined && value !== schema.const) return false;
  if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) return false;
    return schema.format === undefined || FORMATS[schema.format](value);
  }
  if (typeof value === 'number') {
    return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  }
  if (Array.isArray(value)) {
    return value.length >= (schema.minItems ?? 0) && value.length <= (schema.maxItems ?? Infinity);
  }
  return true;
}

/** A copy of a value with all missing properties that have a default, at every depth. */
export function withDefaults(schema: SchemaNode, value: unknown): unknown {
  const given = value === undefined ? structuredClone(schema.default) : value;
  if (Array.isArray(given) && schema.items !== undefined) {
    const { items } = schema;
    return given.map((item) => withDefaults(items, item));
  }
  const { properties } = schema.anyOf?.find((branch) => branch.properties !== undefined) ?? schema;
  if (!isObject(given) || properties === undefined) return given;
  const complete = { ...given };
  for (const [name, property] of Object.entries(properties)) {
    const completed = withDefaults(property, Object.hasOwn(given, name) ? given[name] : undefined);
    if (completed !== undefined) complete[name] = completed;
  }
  return complete;
}
