/** The description of this API for programs. */
import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from '../deps.ts';

export const openApiRoutes =
  ({ version }: AdminDeps) =>
  async (app: FastifyInstance) => {
    app.get(
      '/openapi.json',
      { config: { scope: 'read' }, schema: { summary: 'This API, as an OpenAPI 3.1 document' } },
      async () => {
        // Loaded and made on request: it is rarely needed, and large.
        const { openApiDocument } = await import('../openapi.ts');
        return openApiDocument(app.routeTable, version);
      },
    );
  };
