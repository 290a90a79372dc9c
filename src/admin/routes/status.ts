/** How the process and its services are. */
import type { FastifyInstance } from 'fastify';
import { processFigures } from '../../state/process.ts';
import { explainCounters, overallState } from '../../state/summary.ts';
import type { AdminDeps } from '../build.ts';
import { CountersAnswer, HealthAnswer, StatusAnswer } from '../contract.ts';

/** Open to whoever may connect: neither addresses nor figures. */
export const healthRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  app.get('/health', { schema: { response: { 200: HealthAnswer } } }, async () => ({
    status: overallState(deps.services()),
    version: deps.version,
  }));
};

export const statusRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  app.get('/status', { schema: { response: { 200: StatusAnswer } } }, async (): Promise<StatusAnswer> => {
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
  });

  app.get(
    '/counters',
    { schema: { response: { 200: CountersAnswer } } },
    async (): Promise<CountersAnswer> => ({
      services: deps.services().map((report) => ({ name: report.name, counters: explainCounters(report) })),
    }),
  );
};
