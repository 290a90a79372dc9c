/**
 * The control panel's files, as made by tools/build-web.ts: a fixed list, read once, so no path of a request ever reaches the
 * file system. Their content is read on request: browsers cache it, so our memory need not.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.ts';
import { say } from '../../texts/text.ts';

const DIST = new URL('../../../web/dist/', import.meta.url);
const INDEX = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
/** In order of preference: what browsers accept, and what the build writes beside each file. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

interface PageFile {
  readonly type: string;
  /** Its name holds a hash of its content: a browser may keep it for ever. */
  readonly isImmutable: boolean;
  readonly etag: string;
  /** Names below web/dist by content coding. */
  readonly encodings: Readonly<Partial<Record<'br' | 'gzip', string>>>;
}

/** The routes of the files, and the handler for every other path outside the API. */
export interface Page {
  readonly routes: (app: FastifyInstance) => Promise<void>;
  /** Every path is a place inside the panel, unless it looks like a file. */
  readonly answerPlace: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
}

/** The page needs no session: it holds no data, and asks for the password. */
export async function findPage(): Promise<Page> {
  const files = await findFiles();
  const answer = (name: string) => (request: FastifyRequest, reply: FastifyReply) =>
    send(name, files.get(name), request, reply);
  const answerIndex = answer(INDEX);
  return {
    async routes(app) {
      for (const [name, { isImmutable }] of files) {
        // A page loads about twenty of these, once. A user who opens several pages at a time must still get the code.
        const limit = isImmutable ? ({ rateLimit: false } as const) : {};
        app.get(`/${name}`, { config: { scope: 'open', ...limit } }, answer(name));
      }
    },
    async answerPlace(request, reply) {
      const [path] = request.url.split('?', 1);
      const isPlace = request.method === 'GET' && !/\.[^/]*$/.test(path) && !/^\/api(\/|$)/.test(path);
      if (isPlace) return answerIndex(request, reply);
      throw new ApiError(404, 'not-found', say('There is nothing at this address.'));
    },
  };
}

async function findFiles(): Promise<Map<string, PageFile>> {
  const names = await readdir(DIST, { recursive: true }).catch(() => []);
  const present = new Set(names);
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const content = await readFile(new URL(name, DIST));
    const encodings = Object.fromEntries(
      ENCODINGS.flatMap(([coding, suffix]) =>
        present.has(name + suffix) ? [[coding, name + suffix] as const] : [],
      ),
    );
    const digest = createHash('sha256').update(content).digest('base64url').slice(0, 22);
    files.set(name, { type, isImmutable: name.startsWith('assets/'), etag: digest, encodings });
  }
  return files;
}

async function send(
  name: string,
  file: PageFile | undefined,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (file === undefined) {
    const message = say(
      'The control panel is not built (npm run build:web). The API under /api works without it.',
    );
    throw new ApiError(503, 'page-not-built', message);
  }
  const accepted = headers['accept-encoding'] ?? '';
  const coding = ENCODINGS.find(
    ([word]) => file.encodings[word] !== undefined && accepts(accepted, word),
  )?.[0];
  // A separate tag for each encoding of the file (RFC 9110 section 8.8.3.3).
  const etag = `"${file.etag}${coding === undefined ? '' : `-${coding}`}"`;
  void reply
    .header('cache-control', file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('vary', 'accept-encoding')
    .header('etag', etag);
  if (headers['if-none-match'] === etag) return reply.code(304).send();
  if (coding !== undefined) void reply.header('content-encoding', coding);
  const content = await readFile(new URL((coding && file.encodings[coding]) ?? name, DIST));
  return reply.type(file.type).send(content);
}

/** Whether Accept-Encoding names this coding without excluding it (RFC 9110 section 12.5.3). */
function accepts(header: string, coding: string): boolean {
  const [, weight = '1'] = new RegExp(`(?:^|,)\\s*${coding}\\s*(?:;\\s*q=([0-9.]+))?\\s*(?:,|$)`, 'i').exec(
    header,
  ) ?? [undefined, '0'];
  return Number(weight) > 0;
}
