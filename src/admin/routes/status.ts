/** The state of the process and its services. */
import type { FastifyInstance } from 'fastify';
import { sumHosts } from '../../runtime/host-traffic.ts';
import { explainCounters, overallState } from '../../state/summary.ts';
import type { AdminDeps } from '../deps.ts';
import { CountersAnswer, HealthAnswer, StatusAnswer } from '../contract/status.ts';
import { translated } from '../language.ts';
import { toStatusAnswer } from '../status-answer.ts';

export const statusRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  // Open, because it contains neither addresses nor traffic figures.
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
    async (request): Promise<StatusAnswer> => translated(request, toStatusAnswer(deps.services(), deps)),
  );

  app.get(
    '/counters',
    {
      config: { scope: 'read' },
      schema: { summary: 'Every counter, with what it counts', response: { 200: CountersAnswer } },
    },
    async (request): Promise<CountersAnswer> => {
      const reports = deps.services();
      return translated(request, {
        services: reports.map((report) => ({ name: report.name, counters: explainCounters(report) })),
        hosts: Array.from(sumHosts(reports), ([name, counters]) => ({ name, counters })),
      });
    },
  );
};
