/** The configuration, read and written. Bodies are the document itself, so that problems name its lines. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { loadConfig } from '../../config/load.ts';
import { ConfigSchema } from '../../config/schema.ts';
import type { ChangeResult } from '../../config/store.ts';
import type { AdminDeps, BuildOptions } from '../build.ts';
import { CheckAnswer, ConfigAnswer, ConfigChangedAnswer } from '../contract/status.ts';
import { ApiError } from '../errors.ts';

export const configRoutes =
  ({ store }: AdminDeps, { counters: { values, index } }: BuildOptions) =>
  async (app: FastifyInstance) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );

    app.get(
      '/schema',
      { config: { scope: 'read' }, schema: { summary: 'The JSON Schema of the configuration' } },
      async () => ({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        ...ConfigSchema,
      }),
    );

    app.get(
      '/config',
      {
        config: { scope: 'read' },
        schema: { summary: 'The configuration', response: { 200: ConfigAnswer } },
      },
      async (_request, reply) => {
        const { revision, document, current } = store;
        void reply.header('etag', `"${revision}"`);
        return { revision, document, effective: current };
      },
    );

    app.post(
      '/config/check',
      {
        config: { scope: 'read', audit: false },
        schema: { summary: 'Checks a configuration; changes nothing', response: { 200: CheckAnswer } },
      },
      async (request) => {
        const loaded = loadConfig(documentText(request));
        if ('problems' in loaded) {
          throw new ApiError(400, 'invalid-config', 'This is no valid configuration.', loaded.problems);
        }
        return { valid: true };
      },
    );

    app.put(
      '/config',
      {
        config: { scope: 'configure' },
        schema: { summary: 'Replaces the configuration', response: { 200: ConfigChangedAnswer } },
      },
      async (request, reply) => {
        const text = documentText(request);
        const result = await store.replace(text, expectedRevision(request));
        if (!isAccepted(result)) {
          values[index['config-refused']]++;
          throw refusal(result, reply);
        }
        const changed = result.outcome === 'changed';
        if (changed) values[index['config-changed']]++;
        void reply.header('etag', `"${result.revision}"`);
        return { revision: result.revision, changed };
      },
    );
  };

/** The body as it came. An empty one would be a valid configuration, but hardly the intended one. */
function documentText({ body }: FastifyRequest): string {
  if (typeof body !== 'string') {
    throw new ApiError(415, 'unsupported-media-type', 'Send the configuration as application/json.');
  }
  if (body.trim() === '')
    throw new ApiError(400, 'empty-body', 'The body is empty; expected a configuration.');
  return body;
}

/** If-Match (RFC 9110 section 13.1.1): one strong tag, or "*" for whatever there is, which is undefined here. */
function expectedRevision({ headers }: FastifyRequest): string | undefined {
  const header = headers['if-match'];
  if (header === undefined) {
    const message = 'Send If-Match with the ETag of GET /api/config, so that no other change is lost.';
    throw new ApiError(428, 'precondition-required', message);
  }
  if (header.trim() === '*') return undefined;
  const tag = /^"([A-Za-z0-9_-]{1,64})"$/.exec(header.trim());
  if (tag === null) throw new ApiError(400, 'bad-if-match', 'If-Match: expected one ETag in double quotes.');
  return tag[1];
}

type Accepted = Extract<ChangeResult, { outcome: 'changed' | 'unchanged' }>;

const isAccepted = (result: ChangeResult): result is Accepted =>
  result.outcome === 'changed' || result.outcome === 'unchanged';

function refusal(result: Exclude<ChangeResult, Accepted>, reply: FastifyReply): ApiError {
  switch (result.outcome) {
    case 'invalid':
      return new ApiError(400, 'invalid-config', 'This is no valid configuration.', result.problems);
    case 'stale':
      void reply.header('etag', `"${result.revision}"`);
      return new ApiError(412, 'stale', 'The configuration was changed meanwhile; load it again.');
    case 'file-changed':
      return new ApiError(
        409,
        'file-changed',
        'The file was edited by hand since it was read; reload it (SIGHUP) before changing it here.',
      );
    case 'failed': {
      const message = `Not put into force, the configuration before stays: ${result.error.message}`;
      return new ApiError(422, 'apply-failed', message);
    }
  }
}
