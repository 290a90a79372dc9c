/**
 * Read-only queries about the internal state of a running service, as routes of the admin API: GET /api/NAME/PATH, for scope
 * "read". A service defines the queries and how it answers them; admin registers, validates and translates.
 */
import type { Config } from '../config/schema.ts';
import type { SchemaNode, Static, TSchema } from '../runtime/shape.ts';
import { type Text, TextError } from '../texts/text.ts';

export interface QueryRoute {
  readonly path: string;
  readonly summary: string;
  /** The schema of the parameters, which are strings. */
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

/** Each parameter is valid, but together they are not a valid query. */
export class UnfitQuestion extends TextError {
  readonly expected: Text;

  constructor(text: Text, expected: Text) {
    super(text);
    this.expected = expected;
  }
}

export interface ServiceQueries {
  routes(): Promise<readonly QueryRoute[]>;
  /** Why there is no answer now: the query is valid, but the service cannot answer it at present. */
  whyNone(config: Config): { readonly error: string; readonly text: Text };
}
