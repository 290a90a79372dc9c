/** Every refusal of the API has one shape: a word for programs, a sentence for people, and the problems if any. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ConfigProblem } from '../config/problem.ts';
import type { Logger } from '../runtime/log.ts';
import type { ErrorAnswer } from './contract/common.ts';

/** Thrown by hooks and handlers; becomes the answer. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly error: string;
  readonly problems: readonly ConfigProblem[] | undefined;

  constructor(statusCode: number, error: string, message: string, problems?: readonly ConfigProblem[]) {
    super(message);
    this.statusCode = statusCode;
    this.error = error;
    this.problems = problems;
  }
}

/** A value that no schema could refuse; `path` is its JSON pointer, `message` goes on after it. */
export const invalidInput = (path: string, expected: string, message: string): ApiError =>
  new ApiError(400, 'invalid-input', path === '' ? message : `${path}: ${message}`, [
    { path, expected, message },
  ]);

/** Answers errors, unknown paths and refused inputs in this shape; `onInternal` hears of the unexpected ones. */
export function answerErrors(app: FastifyInstance, log: Logger, onInternal: () => void): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    if (error instanceof ApiError) return send(reply, error.statusCode, error);
    const statusCode = error.statusCode ?? 500;
    if (statusCode < 500) {
      const word = STATUS_WORDS[statusCode] ?? 'bad-request';
      return send(reply, statusCode, { error: word, message: error.message });
    }
    onInternal();
    log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'admin: request failed',
    );
    return send(reply, 500, {
      error: 'internal-error',
      message: 'Unexpected error; the log has the reason.',
    });
  });
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

function send(
  reply: FastifyReply,
  statusCode: number,
  {
    error,
    message,
    problems,
  }: { error: string; message: string; problems?: readonly ConfigProblem[] | undefined },
): FastifyReply {
  const answer: ErrorAnswer = {
    error,
    message,
    ...(problems === undefined ? {} : { problems: [...problems] }),
  };
  return reply.code(statusCode).type('application/json; charset=utf-8').send(JSON.stringify(answer));
}
