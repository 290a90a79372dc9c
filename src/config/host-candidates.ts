/** What the readers of pasted servers (parse-hosts.ts, hosts-csv.ts) find, before it is validated. */
import { type Text, say } from '../texts/text.ts';
import { quoteValue } from './problem.ts';

export interface LineProblem {
  /** From 1. */
  readonly line: number;
  /** The offending text, quoted and shortened. */
  readonly value: string | Text;
  readonly expected: Text;
  readonly message: Text;
}

/** An entry before validation. */
export interface Candidate {
  readonly value: unknown;
  readonly line: number;
  /** The line of the value at a JSON pointer into `value`. */
  readonly lineOf: (path: string) => number;
}

export interface Candidates {
  readonly format: 'lines' | 'csv' | 'json';
  readonly candidates: readonly Candidate[];
  readonly problems: readonly LineProblem[];
}

/** `text` is not what is expected there; `sentence` says what it is. */
export function problemAt(line: number, text: string | Text, expected: Text, sentence?: Text): LineProblem {
  const value = typeof text === 'string' ? quoteValue(text) : text;
  const message =
    sentence === undefined
      ? say('{value} is not {expected}', { value, expected })
      : say('{value} {sentence}; expected {expected}', { value, sentence, expected });
  return { line, value, expected, message };
}
