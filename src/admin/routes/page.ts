/** The page's files: a fixed list, read once, so no path of a request ever reaches the file system. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

const WEB_DIRECTORY = new URL('../../../web/', import.meta.url);

const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/style.css', 'style.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
  ...['main', 'api', 'dom', 'status', 'servers', 'nat64', 'sessions', 'explain', 'editor'].map(
    (name) => [`/${name}.js`, `${name}.js`, 'text/javascript; charset=utf-8'] as const,
  ),
] as const;

/** The page needs no token: it holds nothing but itself, and asks for the token. */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  for (const [path, file, type] of FILES) {
    const content = await readFile(new URL(file, WEB_DIRECTORY));
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    app.get(path, { config: { scope: 'open' } }, async (request, reply) => {
      void reply.header('cache-control', 'no-cache').header('etag', etag);
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(type).send(content);
    });
  }
}
