/** Every error answer of the API has one shape: a code for programs, a sentence for people, and the problems if any. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConfigProblem } from '../config/problem.ts';
import { isOfFile, reasonWithRemedy } from '../os/system-reason.ts';
import type { Logger } from '../runtime/log.ts';
import type { ErrorAnswer } from './contract/common.ts';
import { type Text, asIs, say } from '../texts/text.ts';
import { ApiError } from './api-error.ts';
import { translated } from './language.ts';

/** Answers errors, unknown paths and invalid inputs in this shape. `onInternal` is called for unexpected errors. */
export function answerErrors(app: FastifyInstance, log: Logger, onInternal: () => void): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    if (error instanceof ApiError) return send(request, reply, error.statusCode, error);
    const statusCode = error.statusCode ?? 500;
    if (statusCode < 500) {
      const word = STATUS_WORDS[statusCode] ?? 'bad-request';
      return send(request, reply, statusCode, { error: word, text: asIs(error.message) });
    }
    onInternal();
    log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'admin: request failed',
    );
    // A signed-in owner sees the details, because only they can fix it. Other clients see nothing about the disk.
    if (request.principal !== null && isOfFile(error)) {
      const text = say('This cannot be done now: {reason}', { reason: reasonWithRemedy(error) });
      return send(request, reply, 503, { error: 'storage', text });
    }
    return send(request, reply, 500, {
      error: 'internal-error',
      text: say('Unexpected error; the log has the reason.'),
    });
  });
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  statusCode: number,
  { error, text, problems }: { error: string; text: Text; problems?: readonly ConfigProblem[] | undefined },
): FastifyReply {
  const answer: ErrorAnswer = translated(request, {
    error,
    message: text,
    ...(problems === undefined ? {} : { problems }),
  });
  void reply.code(statusCode);
  if (isPersonAtAPage(request)) {
    const language = request.words === undefined ? 'en' : 'de';
    return reply
      .header('content-security-policy', "default-src 'none'")
      .type('text/html; charset=utf-8')
      .send(pageOf(answer.message, language));
  }
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer));
}

/** A browser that was sent to an address directly, and would show the JSON answer as it is. */
const isPersonAtAPage = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && !url.startsWith('/api/') && (headers.accept ?? '').includes('text/html');

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Only the sentence: the panel itself may be what is refused. */
const pageOf = (message: string, language: string): string =>
  `<!doctype html><html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tombolo</title><p>${message.replaceAll(
    /[&<>"]/g,
    (character) => ESCAPES[character],
  )}</p></html>\n`;
