/** The query of the services over the TCP engine: who holds how much of the connections, and who was refused at a limit. */
import { TcpSharesAnswer } from '../net/shares-answer.ts';
import type { TcpQueries } from '../net/tcp-shares.ts';
import { Type } from '../runtime/shape.ts';
import { say } from '../texts/text.ts';
import { type ServiceQueries, queryRoute } from './query-route.ts';

export const tcpQueries: ServiceQueries = {
  routes: async () => [
    queryRoute<TcpQueries>()({
      path: 'shares',
      summary: 'Who holds how much of the connections, and who was refused at a limit',
      parameters: Type.Object({}, { additionalProperties: false }),
      answer: TcpSharesAnswer,
      ask: (queries) => queries.shares(),
    }),
  ],
  whyNone: () => ({
    error: 'not-running',
    text: say('The service is not running; its status says why.'),
  }),
};
