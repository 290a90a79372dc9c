/** "Check my setup": the findings, and running the checks again. */
import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from '../deps.ts';
import { ChecksAnswer, RunChecksBody } from '../contract/checks.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';
import { say } from '../../texts/text.ts';

export const checksRoutes =
  ({ diagnostics }: AdminDeps) =>
  async (app: FastifyInstance) => {
    app.get(
      '/checks',
      {
        config: { scope: 'read' },
        schema: { summary: 'What the checks found last', response: { 200: ChecksAnswer } },
      },
      async (request): Promise<ChecksAnswer> => translated(request, await diagnostics.checks()),
    );

    app.post<{ Body: RunChecksBody }>(
      '/checks/run',
      {
        config: { scope: 'read', audit: false },
        schema: {
          summary: 'Does all checks again, or one',
          body: RunChecksBody,
          response: { 200: ChecksAnswer },
        },
      },
      async (request): Promise<ChecksAnswer> => {
        const { id } = request.body;
        const answer = await diagnostics.runChecks(id);
        if (answer === undefined)
          throw new ApiError(404, 'no-such-check', say('There is no check "{id}".', { id: id ?? '' }));
        return translated(request, answer);
      },
    );
  };
