/** The shapes of pasting servers: a text in, entries of `hosts` out. */
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
  /** Entries for `hosts` of the configuration, as far as they are right. */
  hosts: Type.Array(
    Type.Object({
      /** Where it came from, from 1. */
      line: Type.Integer(),
      host: Type.Unknown(),
      /** Whether `hosts` of the configuration in force has this name: it would be replaced. */
      isKnown: Type.Boolean(),
    }),
  ),
  problems: Type.Array(
    Type.Object({
      line: Type.Integer(),
      /** The offending text, quoted and shortened. */
      value: Type.String(),
      /** What would be right. */
      expected: Type.String(),
      message: Type.String(),
    }),
  ),
});

export type ParseHostsRequest = Static<typeof ParseHostsRequest>;
export type ParseHostsAnswer = Static<typeof ParseHostsAnswer>;
