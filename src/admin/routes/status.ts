/** How the process and its services are. */
import type { FastifyInstance } from 'fastify';
import { processFigures } from '../../state/process.ts';
import { explainCounters, overallState } from '../../state/summary.ts';
import type { AdminDeps } from '../build.ts';
import { CountersAnswer, HealthAnswer, StatusAnswer } from '../contract/status.ts';

export const statusRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  // Open: neither addresses nor figures.
  app.get(
    '/health',
    {
      config: { scope: 'open' },
      schema: { summary: 'Whether the appliance is well', response: { 200: HealthAnswer } },
    },
    async () => ({ status: overallState(deps.services()), version: deps.version }),
  );

  app.get(
    '/status',
    {
      config: { scope: 'read' },
      schema: { summary: 'The process and its services', response: { 200: StatusAnswer } },
    },
    async (): Promise<StatusAnswer> => {
      const reports = deps.services();
      return {
        status: overallState(reports),
        version: deps.version,
        startedAt: deps.startedAt.toISOString(),
        process: processFigures(),
        services: reports.map(({ name, status }) => ({
          name,
          state: status.state,
          problem: status.problem ?? null,
          restarts: status.restarts,
          figures: { ...status.figures },
        })),
      };
    },
  );

  app.get(
    '/counters',
    {
      config: { scope: 'read' },
      schema: { summary: 'Every counter, with what it counts', response: { 200: CountersAnswer } },
    },
    async (): Promise<CountersAnswer> => ({
      services: deps.services().map((report) => ({ name: report.name, counters: explainCounters(report) })),
    }),
  );
};
