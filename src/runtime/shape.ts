/**
 * The builders of typebox, as far as we use them, with the library's own types but without its code. A schema is plain JSON
 * Schema, and loading typebox to write it down would cost every start 85 ms and every process 33 MB. Tests compare the result,
 * and the checks below, with the library.
 */
import type { TSchema, Type as Typebox } from 'typebox';

export type { Static, TSchema } from 'typebox';

/** The JSON Schema keywords that our schemas use. */
export interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  /** Ours: describes a valid value, for error messages. */
  readonly expected?: string;
  /** Ours: a change of this field restarts the service, which ends its open connections. Changes of other fields do not. */
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

/** For a field that may be null. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
