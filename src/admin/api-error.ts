/** An error answer of the API, before it is translated. */
import type { ConfigProblem } from '../config/problem.ts';
import { type Text, english, listOf, say } from '../texts/text.ts';

/** Thrown by hooks and handlers, and turned into the answer. */
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

/** A value that no schema could reject. `path` is its JSON pointer, and `message` continues the sentence after it. */
export const invalidInput = (path: string, expected: Text, message: Text): ApiError =>
  invalidInputs([{ path, expected, message }]);

/** Several invalid values at once. */
export const invalidInputs = (problems: readonly ConfigProblem[]): ApiError =>
  new ApiError(400, 'invalid-input', listOf(problems.map(atItsPath), '; '), problems);

/** For actions that are only possible on the appliance's own image. */
export const notPossibleHere = (): ApiError =>
  new ApiError(
    409,
    'not-possible-here',
    say("This machine does not let the page do that; only the appliance's own image does."),
  );

const atItsPath = ({ path, message }: ConfigProblem): Text =>
  path === '' ? message : listOf([path, message], ': ');
