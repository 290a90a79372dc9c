/** API tokens, and the audit log. */
import type { FastifyInstance } from 'fastify';
import { API_TOKEN_PREFIX } from '../auth/authorize.ts';
import { hashSecret, newId, newSecret } from '../auth/secrets.ts';
import { type ApiToken, NotKeptError } from '../auth/state-file.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import {
  AuditAnswer,
  AuditQuery,
  IdParams,
  TokenBody,
  TokenMadeAnswer,
  TokensAnswer,
} from '../contract/auth.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';
import { SMALL_BODY_BYTES } from './session.ts';
import { asIs, say } from '../../texts/text.ts';

const MAX_TOKENS = 50;
const DAY_MS = 86_400_000;
const DEFAULT_AUDIT_ROWS = 100;

const iso = (timeMs: number | null) => (timeMs === null ? null : new Date(timeMs).toISOString());

const describe = ({ id, name, scope, createdAtMs, expiresAtMs, lastUsedAtMs }: ApiToken) => ({
  id,
  name,
  scope,
  createdAt: new Date(createdAtMs).toISOString(),
  expiresAt: iso(expiresAtMs),
  lastUsedAt: iso(lastUsedAtMs),
});

export const tokenRoutes =
  (_deps: AdminDeps, { auth }: BuildOptions) =>
  async (app: FastifyInstance) => {
    const { data } = auth;

    app.get(
      '/tokens',
      { config: { scope: 'system' }, schema: { summary: 'The API tokens', response: { 200: TokensAnswer } } },
      async (): Promise<TokensAnswer> => ({ tokens: data.tokens.map(describe) }),
    );

    app.post<{ Body: TokenBody }>(
      '/tokens',
      {
        config: { scope: 'system', ownerOnly: true, presence: '/password' },
        bodyLimit: SMALL_BODY_BYTES,
        schema: { summary: 'Makes an API token', body: TokenBody, response: { 201: TokenMadeAnswer } },
      },
      async (request, reply): Promise<TokenMadeAnswer> => {
        const { name, scope, expiresInDays } = request.body;
        if (data.tokens.some((each) => each.name === name)) {
          const expected = say('a name that no other token has');
          const message = say('{value} is not {expected}', { value: `"${name}"`, expected });
          throw new ApiError(409, 'name-taken', message, [{ path: '/name', value: name, expected, message }]);
        }
        if (data.tokens.length >= MAX_TOKENS) {
          throw new ApiError(
            409,
            'too-many',
            say('There are {count} tokens already; revoke one first.', { count: MAX_TOKENS }),
          );
        }
        const secret = API_TOKEN_PREFIX + newSecret();
        const createdAtMs = auth.now();
        const token: ApiToken = {
          id: newId(),
          hash: hashSecret(secret),
          name,
          scope,
          createdAtMs,
          expiresAtMs: expiresInDays === null ? null : createdAtMs + expiresInDays * DAY_MS,
          lastUsedAtMs: null,
        };
        data.tokens = [...data.tokens, token];
        auth.made(token);
        request.auditTarget = `${name} (${scope})`;
        await auth.save().catch(async (error: unknown) => {
          // Nobody would ever learn its secret, and a restart would remove it.
          data.tokens = data.tokens.filter((each) => each !== token);
          await auth.save().catch(() => {});
          if (!(error instanceof NotKeptError)) throw error;
          throw new ApiError(
            503,
            'not-kept',
            say('Not created, because it could not be saved: {reason}', { reason: error.reason }),
          );
        });
        void reply.code(201);
        return { ...describe(token), secret };
      },
    );

    app.delete<{ Params: IdParams }>(
      '/tokens/:id',
      {
        config: { scope: 'system', ownerOnly: true },
        schema: { summary: 'Revokes an API token', params: IdParams, response: { 200: TokensAnswer } },
      },
      async (request): Promise<TokensAnswer> => {
        const { id } = request.params;
        const token = data.tokens.find((each) => each.id === id);
        if (token === undefined)
          throw new ApiError(404, 'not-found', say('There is no token "{id}".', { id }));
        data.tokens = data.tokens.filter((each) => each !== token);
        request.auditTarget = token.name;
        await auth.save();
        return { tokens: data.tokens.map(describe) };
      },
    );

    app.get<{ Querystring: AuditQuery }>(
      '/audit',
      {
        config: { scope: 'system' },
        schema: {
          summary: 'Who changed what and when',
          querystring: AuditQuery,
          response: { 200: AuditAnswer },
        },
      },
      async (request): Promise<AuditAnswer> => {
        const { cursor, limit } = request.query;
        const { entries, nextCursor } = await auth.audit.page(
          cursor === undefined ? undefined : Number(cursor),
          Number(limit ?? DEFAULT_AUDIT_ROWS),
        );
        // Stored in English, like the summary of the route.
        const rows = entries.map((entry) => ({ ...entry, summary: asIs(entry.summary) }));
        return translated(request, { entries: rows, nextCursor });
      },
    );
  };
