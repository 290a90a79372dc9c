/** The history of the configuration, and reverting to an earlier revision. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import type { Revision } from '../../config/revisions.ts';
import { actorOf } from '../actor.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import {
  AssertionsFailedAnswer,
  ConfigApplyAnswer,
  ConfigRevertRequest,
  ConfigRevisionDetail,
  ConfigRevisionsAnswer,
} from '../contract/apply.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';
import { DEFAULT_CONFIRM_SECONDS, applyAnswer } from './config.ts';
import { say } from '../../texts/text.ts';

const PAGE_ROWS = 50;

const strict = { additionalProperties: false };
const id = (title: string, expected: string) => Type.String({ pattern: '^[0-9]{1,9}$', title, expected });
const RevisionsQuery = Type.Object(
  { cursor: Type.Optional(id('Where to go on', 'the nextCursor of the answer before')) },
  { ...strict, expected: 'the optional parameter "cursor"' },
);
const RevisionParams = Type.Object({ id: id('The revision', 'the "id" of a revision') }, strict);
type RevisionParams = Static<typeof RevisionParams>;

export const revisionRoutes =
  ({ store, changes }: AdminDeps, { counters }: BuildOptions) =>
  async (app: FastifyInstance) => {
    const row = ({ rolledBack: _, ...revision }: Revision) => ({
      ...revision,
      isCurrent: revision.revision === store.revision,
    });

    app.get<{ Querystring: Static<typeof RevisionsQuery> }>(
      '/config/revisions',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'The history of the configuration, the newest first',
          querystring: RevisionsQuery,
          response: { 200: ConfigRevisionsAnswer },
        },
      },
      async (request): Promise<ConfigRevisionsAnswer> => {
        const { query } = request;
        const found = changes.revisions(Number(query.cursor ?? Infinity), PAGE_ROWS + 1);
        const rows = found.slice(0, PAGE_ROWS).map(row);
        const nextCursor = found.length > PAGE_ROWS ? rows[PAGE_ROWS - 1].id : null;
        return translated(request, { rows, nextCursor });
      },
    );

    app.get<{ Params: RevisionParams }>(
      '/config/revisions/:id',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'A revision with its document and differences',
          params: RevisionParams,
          response: { 200: ConfigRevisionDetail },
        },
      },
      async (request): Promise<ConfigRevisionDetail> => {
        const { params } = request;
        const detail = await changes.revision(Number(params.id));
        if (detail === undefined) throw noSuchRevision(params.id);
        const { revision, document, diff, diffFromCurrent } = detail;
        return {
          ...translated(request, row(revision)),
          document,
          diff: [...diff],
          diffFromCurrent: [...diffFromCurrent],
        };
      },
    );

    app.post<{ Params: RevisionParams; Body: ConfigRevertRequest }>(
      '/config/revisions/:id/revert',
      {
        config: { scope: 'configure' },
        schema: {
          summary: 'Applies a revision again',
          params: RevisionParams,
          body: ConfigRevertRequest,
          response: { 200: ConfigApplyAnswer, 409: AssertionsFailedAnswer },
        },
      },
      async (request, reply) => {
        const { revision, confirmSeconds, ignoreAssertions } = request.body;
        const result = await changes.revert(Number(request.params.id), {
          revision,
          confirmSeconds: confirmSeconds ?? DEFAULT_CONFIRM_SECONDS,
          ignoreAssertions: ignoreAssertions ?? false,
          by: actorOf(request),
        });
        if (result === undefined) throw noSuchRevision(request.params.id);
        if (result.outcome === 'assertions-failed') void reply.code(409);
        return translated(request, applyAnswer(result, counters));
      },
    );
  };

const noSuchRevision = (text: string) =>
  new ApiError(
    404,
    'no-such-revision',
    say('The history has no revision {id}; the oldest ones are dropped.', { id: text }),
  );
