/** The queries about the tables that the service answers (questions.ts). The code for them is loaded with the first query. */
import type { TablesView } from '../tables/inspect.ts';
import type { Nat64Queries } from '../questions.ts';

/** `view` returns the tables and the current settings; `nowSeconds` is the clock of the worker. */
export const createQueries = (view: () => TablesView, nowSeconds: () => number): Nat64Queries => ({
  async sessions(filter, page) {
    const { listSessions } = await import('../tables/inspect.ts');
    return listSessions(view(), filter, page, nowSeconds());
  },
  async bib(filter, page) {
    const { listBib } = await import('../tables/inspect.ts');
    return listBib(view(), filter, page);
  },
  async topClients(limit) {
    const { topClients } = await import('../tables/usage.ts');
    return topClients(view(), limit);
  },
  async poolUse() {
    const { poolUse } = await import('../tables/usage.ts');
    return poolUse(view());
  },
  async portBlocks(question) {
    const { listPortBlocks } = await import('../tables/usage.ts');
    return listPortBlocks(view(), question);
  },
  async explain(request) {
    const { explain } = await import('../explain/explain.ts');
    return explain(view(), request, nowSeconds());
  },
});
