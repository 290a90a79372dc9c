/** Accepts or rejects each request: who sent it, what they may do, and whether the page that sent it is ours. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Counters } from '../../runtime/counters.ts';
import type { Logger } from '../../runtime/log.ts';
import { CSRF_HEADER } from '../contract/auth.ts';
import type { ADMIN_COUNTERS } from '../counters.ts';
import { ApiError } from '../api-error.ts';
import type { Auth } from './auth.ts';
import { sourceKey } from './back-off.ts';
import { bearerToken } from './bootstrap-token.ts';
import { sessionTokenOf } from './cookies.ts';
import { type Principal, allows } from './principal.ts';
import { hashSecret, isSameSecret } from './secrets.ts';
import type { ApiToken, Session } from './state-file.ts';
import { csrfToken, findSession, isLive, touchSession } from './sessions.ts';
import { type Text, say } from '../../texts/text.ts';

/** Our API tokens begin with this, so that scanners for leaked secrets recognise them. */
export const API_TOKEN_PREFIX = 'tombolo_';
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const READINGS_NOTED_EVERY_MS = 3_600_000;

export const isRead = ({ method }: { readonly method: string }): boolean => READS.has(method);

export interface AuthorizerOptions {
  readonly auth: Auth;
  readonly counters: Counters<typeof ADMIN_COUNTERS>;
  readonly log: Logger;
}

/** The `onRequest` hook of the API. An unknown route needs a principal too, so that nobody else learns which routes exist. */
export function authorizer({ auth, counters: { values, index }, log }: AuthorizerOptions) {
  const refuse = (request: FastifyRequest, status: number, error: string, message: Text): ApiError => {
    request.auditRefusal = message;
    return new ApiError(status, error, message);
  };

  function wrongToken(request: FastifyRequest): ApiError {
    const key = sourceKey(request.ip);
    const waitMs = auth.tokenBackOff.waitMs(key, auth.monotonicNow());
    if (waitMs > 0) {
      values[index['refused-back-off']]++;
      const seconds = Math.ceil(waitMs / 1000);
      return new ApiError(
        429,
        'too-many-requests',
        say('Too many wrong tokens; try again in {seconds} s.', { seconds }),
      );
    }
    auth.tokenBackOff.fail(key, auth.monotonicNow());
    values[index['refused-token']]++;
    log.warn({ source: request.ip }, 'admin: wrong token');
    return refuse(
      request,
      401,
      'unauthorized',
      say('This is not a token of this appliance, or it has expired.'),
    );
  }

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { scope, ownerOnly } = request.routeOptions.config;
    const principal = identify(request, auth);
    if (scope === 'open') {
      request.principal = principal ?? null;
      return;
    }
    if (principal === undefined) {
      void reply.header('www-authenticate', 'Bearer');
      if (bearerToken(request.headers.authorization) !== undefined) throw wrongToken(request);
      throw new ApiError(
        401,
        'unauthorized',
        say('Sign in, or send an API token as "Authorization: Bearer TOKEN".'),
      );
    }
    request.principal = principal;
    if (principal.kind === 'session' && !isRead(request)) {
      const sent = request.headers[CSRF_HEADER];
      const expected = csrfToken(sessionTokenOf(request.headers.cookie) ?? '');
      if (typeof sent !== 'string' || !isSameSecret(sent, expected)) {
        values[index['refused-csrf']]++;
        throw refuse(
          request,
          403,
          'csrf',
          say('Send the csrfToken of GET /api/session as "{header}".', { header: CSRF_HEADER }),
        );
      }
    }
    if (scope !== undefined && !allows(principal.scope, scope)) {
      values[index['refused-scope']]++;
      const message = say('This needs the scope "{scope}"; what you signed in with has "{own}".', {
        scope,
        own: principal.scope,
      });
      throw refuse(request, 403, 'scope-too-small', message);
    }
    if (ownerOnly === true && principal.kind === 'token') {
      values[index['refused-scope']]++;
      const message = say('API tokens cannot change how the owner signs in; sign in with the password.');
      throw refuse(request, 403, 'owner-only', message);
    }
  };
}

/** The principal of a request; undefined if unknown. If there is an Authorization header, only that counts. */
function identify({ headers, ip }: FastifyRequest, auth: Auth): Principal | undefined {
  const nowMs = auth.now();
  const bearer = bearerToken(headers.authorization);
  if (bearer !== undefined) return bearerPrincipal(bearer, ip, auth);
  if (headers.authorization) return undefined;
  const token = sessionTokenOf(headers.cookie);
  const session = token === undefined ? undefined : findSession(auth.data, token, nowMs);
  if (session === undefined) return undefined;
  if (touchSession(session, ip, nowMs)) void auth.save().catch(() => {});
  return sessionPrincipal(auth, session);
}

/** The owner, in a session. */
export const sessionPrincipal = (auth: Auth, session: Session): Principal => ({
  kind: 'session',
  name: 'owner',
  scope: 'system',
  id: session.id,
  isValid: () => auth.data.sessions.includes(session) && isLive(session, auth.now()),
});

function bearerPrincipal(secret: string, source: string, auth: Auth): Principal | undefined {
  if (isSameSecret(secret, auth.bootstrapToken)) {
    auth.tokenBackOff.succeed(sourceKey(source));
    return { kind: 'bootstrap', name: 'bootstrap token', scope: 'system', id: null, isValid: () => true };
  }
  const hash = hashSecret(secret);
  const isCurrent = (of: ApiToken) => {
    const nowMs = auth.now();
    return of.expiresAtMs === null || nowMs < of.expiresAtMs;
  };
  const token = auth.data.tokens.find((each) => each.hash === hash);
  if (token === undefined || !isCurrent(token)) return undefined;
  auth.tokenBackOff.succeed(sourceKey(source));
  // Kept in memory, and written to the disk with the next change: a script that polls every second must cause no writes.
  token.lastUsedAtMs = auth.now();
  return {
    kind: 'token',
    name: `token ${token.name}`,
    scope: token.scope,
    id: token.id,
    isValid: () => auth.data.tokens.includes(token) && isCurrent(token),
  };
}

/**
 * The `onResponse` hook that writes the audit log: every change, every refused client, and every reading of sensitive data.
 * Such a reading is logged once an hour. Otherwise a program that reads every minute would push everything else out of the log.
 */
export function auditor(auth: Auth) {
  const notedAtMs = new Map<string, number>();
  const wasNoted = (reading: string): boolean => {
    const nowMs = auth.monotonicNow();
    for (const [key, atMs] of notedAtMs) if (nowMs - atMs >= READINGS_NOTED_EVERY_MS) notedAtMs.delete(key);
    if (notedAtMs.has(reading)) return true;
    notedAtMs.set(reading, nowMs);
    return false;
  };
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { config, url, schema } = request.routeOptions;
    const { principal, auditRefusal, auditTarget, ip, method } = request;
    const isAudited = config.audit ?? !isRead(request);
    const isDone = reply.statusCode < 400;
    const isFailed = reply.statusCode >= 500;
    // An invalid input is neither a change nor an attempt at one.
    if (auditRefusal === null && !(isAudited && (isDone || isFailed) && principal !== null)) return;
    if (isRead(request) && auditRefusal === null && wasNoted(`${principal?.id} ${method} ${url}`)) return;
    const { id, name } = (request.params ?? {}) as Record<string, string | undefined>;
    auth.audit.add({
      who: principal?.name ?? 'nobody',
      source: ip,
      action: `${method} ${url ?? request.url.split('?')[0]}`,
      summary: (schema as { summary?: string } | undefined)?.summary ?? '',
      target: auditTarget ?? name ?? id ?? null,
      outcome: auditRefusal !== null ? 'refused' : isFailed ? 'failed' : 'done',
      detail: auditRefusal,
    });
  };
}
