/**
 * The builders of typebox, as far as we use them, with the library's own types but without its code: a schema is plain
 * JSON Schema, and loading typebox to write it down would cost every start 85 ms and every process 33 MB. Tests hold
 * the result, and the checks below, against the library.
 */
import type { Type as Typebox } from 'typebox';
import { FORMATS } from './formats.ts';

export type { Static, TSchema } from 'typebox';

/** The JSON Schema keywords that our schemas use. */
export interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  /** Ours: what would be right, for errors. */
  readonly expected?: string;
  /** Ours: a change starts the service again, which ends what it had open; anything else goes on. */
  readonly requiresRestart?: boolean;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
  /** A secret: errors do not quote it. */
  readonly writeOnly?: boolean;
}

const optional = new WeakSet<object>();

const builders = {
  Object: (properties: Record<string, object>, options?: object) => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name]));
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
  },
  Record: (_key: object, value: object, options?: object) => ({
    type: 'object',
    additionalProperties: value,
    ...options,
  }),
  Array: (items: object, options?: object) => ({ type: 'array', items, ...options }),
  Union: (anyOf: object[], options?: object) => ({ anyOf, ...options }),
  Literal: (value: string | number | boolean, options?: object) => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  String: (options?: object) => ({ type: 'string', ...options }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  Number: (options?: object) => ({ type: 'number', ...options }),
  Boolean: (options?: object) => ({ type: 'boolean', ...options }),
  Null: (options?: object) => ({ type: 'null', ...options }),
  Unknown: (options?: object) => ({ ...options }),
  Optional: (schema: object) => {
    const copy = { ...schema };
    optional.add(copy);
    return copy;
  },
};

export const Type = builders as unknown as Pick<typeof Typebox, keyof typeof builders>;

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
 * Whether a value fits a schema, leaving out what its items and properties must be: `validate` walks into those, so
 * that it can name each. A union fits when a branch does.
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

/** A copy of a value in which every missing property that has a default has it, at every depth. */
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
