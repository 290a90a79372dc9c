/** A problem of a configuration: where it is, which value, and what would be valid. */
import { type Text, english, say } from '../texts/text.ts';

export interface ConfigProblem {
  /** JSON pointer (RFC 6901) to the value, "" for the whole document. */
  readonly path: string;
  /** The value as JSON, shortened; left out when the problem is that something is missing. */
  readonly value?: string | Text;
  /** What would be valid. */
  readonly expected: Text;
  /** The whole sentence: value and expectation. */
  readonly message: Text;
  /** The position of the value in the text, from 1. */
  readonly line?: number;
  readonly column?: number;
}

const MAX_QUOTED_CHARACTERS = 60;

/** A value as an error quotes it: JSON, shortened. Lists and objects are only counted, so nothing is nested too deep. */
export function quoteValue(value: unknown): string | Text {
  if (typeof value === 'string') {
    const shortened =
      value.length > MAX_QUOTED_CHARACTERS ? `${value.slice(0, MAX_QUOTED_CHARACTERS)}...` : value;
    return JSON.stringify(shortened.toWellFormed());
  }
  if (Array.isArray(value))
    return value.length === 0 ? say('an empty list') : say('a list of {count}', { count: value.length });
  if (typeof value === 'object' && value !== null) return say('an object');
  return String(value);
}

/** The problem of a value; `sentence` continues the quoted value: "is ...". */
export function problem(path: string, value: unknown, sentence: Text, expected: Text): ConfigProblem {
  const quoted = quoteValue(value);
  const message = say('{value} {sentence}; expected {expected}', { value: quoted, sentence, expected });
  return { path, value: quoted, expected, message };
}

/** The problem of a missing value. */
export const missing = (path: string, expected: Text): ConfigProblem => ({
  path,
  expected,
  message: say('is missing; expected {expected}', { expected }),
});

/** Keys that another item has too: each repetition is a problem. */
export function duplicates(items: readonly { key: string; path: string }[], expected: Text): ConfigProblem[] {
  const seen = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { key, path } of items) {
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else problems.push(problem(path, key, say('is already at {first}', { first }), expected));
  }
  return problems;
}

/** One step of a JSON pointer (RFC 6901 section 3). */
export const pointerStep = (key: string | number): string =>
  `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/**
 * One line for a terminal:
 * `config.json:4:18: /hosts/0/address: "192.0.2.1" is not an IPv6 address such as 2001:db8:1::10`.
 */
export function formatProblem(problem: ConfigProblem, fileName: string): string {
  const { path, line, column, message } = problem;
  const position = line === undefined ? '' : `:${line}:${column}`;
  const text = `${fileName}${position}: ${path === '' ? '' : `${path}: `}${english(message)}`;
  return escapeControls(text);
}

/** A terminal must not interpret control characters from a configuration. */
export const escapeControls = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => {
    const escaped = JSON.stringify(control).slice(1, -1);
    return escaped === control ? `\\u00${control.charCodeAt(0).toString(16)}` : escaped;
  });
