/** A refusal of the API: what to answer, before it is told in a language. */
import type { ConfigProblem } from '../config/problem.ts';
import { type Text, english, listOf, say } from '../texts/text.ts';

/** Thrown by hooks and handlers; becomes the answer. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly error: string;
  readonly text: Text;
  readonly problems: readonly ConfigProblem[] | undefined;

  constructor(statusCode: number, error: string, text: Text, problems?: readonly ConfigProblem[]) {
    super(english(text));
    this.text = text;
    this.statusCode = statusCode;
    this.error = error;
    this.problems = problems;
  }
}

/** A value that no schema could refuse; `path` is its JSON pointer, `message` goes on after it. */
export const invalidInput = (path: string, expected: Text, message: Text): ApiError =>
  invalidInputs([{ path, expected, message }]);

/** Several at once. */
export const invalidInputs = (problems: readonly ConfigProblem[]): ApiError =>
  new ApiError(400, 'invalid-input', listOf(problems.map(atItsPath), '; '), problems);

/** For what only the appliance's own image lets be done. */
export const notPossibleHere = (): ApiError =>
  new ApiError(
    409,
    'not-possible-here',
    say("This machine does not let the page do that; only the appliance's own image does."),
  );

const atItsPath = ({ path, message }: ConfigProblem): Text =>
  path === '' ? message : listOf([path, message], ': ');
