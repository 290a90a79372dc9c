/** The questions that the service answers about its tables (questions.ts), put together. */
import type { Nat64Queries } from './questions.ts';
import { explain } from './explain.ts';
import { type TablesView, listBib, listSessions } from './inspect.ts';
import { listPortBlocks, poolUse, topClients } from './usage.ts';

/** `view` gives the tables and the settings of the moment; `nowSeconds` is the worker's clock. */
export const createQueries = (view: () => TablesView, nowSeconds: () => number): Nat64Queries => ({
  sessions: (filter, page) => listSessions(view(), filter, page, nowSeconds()),
  bib: (filter, page) => listBib(view(), filter, page),
  topClients: (limit) => topClients(view(), limit),
  poolUse: () => poolUse(view()),
  portBlocks: (question) => listPortBlocks(view(), question),
  explain: (request) => explain(view(), request, nowSeconds()),
});
