/** GET /metrics, for Prometheus: `authorization: { credentials: <API token of scope read> }` in its scrape_config. */
import type { FastifyInstance } from 'fastify';
import { METRICS_CONTENT_TYPE, renderMetrics } from '../../state/metrics.ts';
import { processFigures } from '../../state/process.ts';
import type { AdminDeps } from '../deps.ts';

export const metricsRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: { summary: 'Counters and gauges in the text format of Prometheus' },
    },
    async (_request, reply) =>
      reply.type(METRICS_CONTENT_TYPE).send(
        renderMetrics({
          reports: deps.services(),
          process: processFigures(),
          machine: deps.live.machine,
          version: deps.version,
          startedAt: deps.startedAt,
        }),
      ),
  );
};
