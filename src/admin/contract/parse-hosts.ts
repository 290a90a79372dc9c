/** The shapes of pasting servers: takes a text, returns entries of `hosts`. */
import { type Static, Type } from '../../config/json-schema.ts';
import { strict } from './common.ts';

/** POST config/parse-hosts */
export const ParseHostsRequest = Type.Object(
  {
    text: Type.String({
      title: 'Servers: lines "name address hostname...", CSV with a header, or a JSON list',
      expected: 'a text of at most 1 MB',
    }),
  },
  { ...strict, expected: 'an object with "text"' },
);

export const ParseHostsAnswer = Type.Object({
  format: Type.Union([Type.Literal('lines'), Type.Literal('csv'), Type.Literal('json')]),
  /** Entries for `hosts` of the configuration, from the valid lines. */
  hosts: Type.Array(
    Type.Object({
      /** The line it comes from, from 1. */
      line: Type.Integer(),
      host: Type.Unknown(),
      /** Whether `hosts` of the active configuration has this name, so that it would be replaced. */
      isKnown: Type.Boolean(),
    }),
  ),
  problems: Type.Array(
    Type.Object({
      line: Type.Integer(),
      /** The invalid text, quoted and shortened. */
      value: Type.String(),
      /** What a valid text is. */
      expected: Type.String(),
      message: Type.String(),
    }),
  ),
});

export type ParseHostsRequest = Static<typeof ParseHostsRequest>;
export type ParseHostsAnswer = Static<typeof ParseHostsAnswer>;
