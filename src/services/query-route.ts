/**
 * Read-only questions about the inside of a running service, as routes of the admin API: GET /api/NAME/PATH, for scope "read". A
 * service says what may be asked and how it answers; admin registers, validates and tells.
 */
import type { Config } from '../config/schema.ts';
import type { SchemaNode, Static, TSchema } from '../runtime/shape.ts';
import { type Text, TextError } from '../texts/text.ts';

export interface QueryRoute {
  readonly path: string;
  readonly summary: string;
  /** Of the parameters, which are texts. */
  readonly parameters: TSchema & SchemaNode;
  readonly answer: TSchema & SchemaNode;
  /** `queries` is what the running service offers (`Service.queries`). Throws an `UnfitQuestion`. */
  ask(queries: unknown, parameters: unknown): unknown;
}

/** A route over queries of one type, with the parameters that its schema describes. */
export const queryRoute =
  <Queries>() =>
  <Parameters extends TSchema, Answer extends TSchema>(route: {
    readonly path: string;
    readonly summary: string;
    readonly parameters: Parameters;
    readonly answer: Answer;
    ask(queries: Queries, parameters: Static<Parameters>): unknown;
  }): QueryRoute =>
    route as unknown as QueryRoute;

/** Parameters that are each right, but make no question together. */
export class UnfitQuestion extends TextError {
  readonly expected: Text;

  constructor(text: Text, expected: Text) {
    super(text);
    this.expected = expected;
  }
}

export interface ServiceQueries {
  routes(): Promise<readonly QueryRoute[]>;
  /** Why nothing can be asked now: the question is right, the time is wrong. */
  whyNone(config: Config): { readonly error: string; readonly text: Text };
}
