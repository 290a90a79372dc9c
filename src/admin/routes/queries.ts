/** Read-only queries about the internal state of services, as described by the services. */
import type { FastifyInstance } from 'fastify';
import { SERVICES } from '../../services/all.ts';
import { UnfitQuestion } from '../../services/query-route.ts';
import type { AdminDeps } from '../deps.ts';
import { ApiError, invalidInput } from '../api-error.ts';
import { translated } from '../language.ts';

export const queryRoutes =
  ({ queries, store }: AdminDeps) =>
  async (app: FastifyInstance) => {
    for (const { name, queries: described } of SERVICES) {
      if (described === undefined) continue;
      for (const { path, summary, parameters, answer, ask } of await described.routes()) {
        app.get(
          `/${name}/${path}`,
          {
            config: { scope: 'read' },
            schema: { summary, querystring: parameters, response: { 200: answer } },
          },
          async (request) => {
            const running = queries(name);
            if (running === undefined) {
              const { error, text } = described.whyNone(store.current);
              throw new ApiError(409, error, text);
            }
            try {
              return translated(request, await ask(running, request.query));
            } catch (error) {
              throw error instanceof UnfitQuestion ? invalidInput('', error.expected, error.text) : error;
            }
          },
        );
      }
    }
  };
