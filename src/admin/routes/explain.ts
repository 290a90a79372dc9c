/** Which way traffic would take, and whether the assertions of the configuration hold. */
import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from '../deps.ts';
import { AssertionsAnswer, ExplainAnswer, ExplainRequest } from '../contract/explain.ts';
import { say } from '../../texts/text.ts';
import { missing } from '../../config/problem.ts';
import { invalidInputs } from '../api-error.ts';
import { translated } from '../language.ts';
import { assertionAnswer } from './config.ts';

export const explainRoutes =
  ({ store, explainers }: AdminDeps) =>
  async (app: FastifyInstance) => {
    app.post<{ Body: ExplainRequest }>(
      '/explain',
      {
        config: { scope: 'read', audit: false },
        schema: {
          summary: 'Which listener, rule, server or NAT64 mapping would serve traffic, step by step',
          body: ExplainRequest,
          response: { 200: ExplainAnswer },
        },
      },
      async (request): Promise<ExplainAnswer> => {
        const { body } = request;
        if (body.protocol !== 'icmp' && body.port === undefined) {
          throw invalidInputs([missing('/port', say('a port number from 1 to 65535'))]);
        }
        const { findWay } = await import('../explain/way.ts');
        const config = store.current;
        const { steps, outcome } = await findWay(await explainers(config, true), config, body);
        return translated(request, { steps, outcome });
      },
    );

    app.get(
      '/assertions',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'The assertions of the configuration, judged now',
          response: { 200: AssertionsAnswer },
        },
      },
      async (request): Promise<AssertionsAnswer> => {
        const { assess } = await import('../explain/assertions.ts');
        const config = store.current;
        const results = await assess(config, await explainers(config, false));
        return translated(request, { rows: results.map(assertionAnswer) });
      },
    );
  };
