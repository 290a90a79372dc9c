/** The basics for every part of the contract: errors, scopes, and helpers for writing shapes. */
import { type Static, Type } from '../../config/json-schema.ts';

export { Nullable } from '../../runtime/shape.ts';

/** For objects in requests: unknown fields are rejected. */
export const strict = { additionalProperties: false } as const;

/** The scope that a route needs, and that a session or API token has. Each includes the ones before it. */
export const Scope = Type.Union([Type.Literal('read'), Type.Literal('configure'), Type.Literal('system')], {
  title: 'What it may do',
  expected: '"read", "configure" or "system"',
});

export const ErrorAnswer = Type.Object({
  /** A word for programs: "unauthorized", "invalid-config", ... */
  error: Type.String(),
  /** A sentence for people. */
  message: Type.String(),
  problems: Type.Optional(
    Type.Array(
      Type.Object({
        path: Type.String(),
        value: Type.Optional(Type.String()),
        expected: Type.String(),
        message: Type.String(),
        line: Type.Optional(Type.Integer()),
        column: Type.Optional(Type.Integer()),
      }),
    ),
  ),
});

export type Scope = Static<typeof Scope>;
export type ErrorAnswer = Static<typeof ErrorAnswer>;
