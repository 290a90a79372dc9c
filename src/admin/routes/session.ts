/** First run, signing in and out, the list of sessions. */
import { hostname } from 'node:os';
import { missing } from '../../config/problem.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sessionPrincipal } from '../auth/authorize.ts';
import { deviceCookie, deviceOf, noSessionCookies, sessionCookie, sessionTokenOf } from '../auth/cookies.ts';
import { hashSecret, newSecret } from '../auth/secrets.ts';
import { beginSession, csrfToken, isLive, sessionEndsAtMs } from '../auth/sessions.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import { FirstRunBody, IdParams, SessionAnswer, SessionsAnswer, SignInBody } from '../contract/auth.ts';
import { ApiError, invalidInputs } from '../api-error.ts';
import { isEncrypted } from '../transport.ts';
import { type Text, say, secondOf } from '../../texts/text.ts';

/** Enough for a password and a code. */
export const SMALL_BODY_BYTES = 4096;

/** The answer of GET session; `token` is that of a session that has just begun. */
export function sessionAnswer(request: FastifyRequest, options: BuildOptions, token?: string): SessionAnswer {
  const { auth, isLocal, certificateFingerprint } = options;
  const { principal } = request;
  const fingerprint = certificateFingerprint();
  const sessionToken = token ?? sessionTokenOf(request.headers.cookie);
  const state = principal !== null ? 'signed-in' : auth.isClaimed() ? 'signed-out' : 'unclaimed';
  return {
    state,
    ...(!auth.isClaimed() && {
      claim: {
        isOpen: auth.claim.isOpen(),
        endsInSeconds: Math.ceil(auth.claim.remainingMs() / 1000),
        isLocal: isLocal(request.socket.remoteAddress),
      },
    }),
    ...(principal?.kind === 'session' &&
      sessionToken !== undefined && { csrfToken: csrfToken(sessionToken) }),
    ...(principal !== null && { scope: principal.scope }),
    hasTotp: auth.data.totp !== null,
    hostname: hostname(),
    isEncrypted: isEncrypted(request),
    ...(fingerprint !== undefined && { certificateFingerprint: fingerprint }),
  };
}

/** Ends the browser's old session, begins a new one, and answers with its cookie. */
export async function signIn(
  request: FastifyRequest,
  reply: FastifyReply,
  options: BuildOptions,
): Promise<SessionAnswer> {
  const { auth, log } = options;
  const { data } = auth;
  const { cookie, 'user-agent': userAgent } = request.headers;
  const before = hashSecret(sessionTokenOf(cookie) ?? '');
  data.sessions = data.sessions.filter(({ hash }) => hash !== before);
  const { token, session } = beginSession(data, request.ip, userAgent, auth.now());
  auth.made(session);
  // Signing in must work even if the card is full, so that the owner can fix that.
  await auth.save().catch((err: unknown) => log.warn({ err }, 'admin: the session ends with the process'));
  request.principal = sessionPrincipal(auth, session);
  const encrypted = isEncrypted(request);
  void reply.header('set-cookie', sessionCookie(token, encrypted));
  if (deviceOf(cookie, data.deviceKey) === undefined) {
    void reply.header('set-cookie', deviceCookie(data.deviceKey, encrypted));
  }
  return sessionAnswer(request, options, token);
}

/**
 * Ends sessions. Returns true if the session of this request was among them: then its browser deletes its cookie, even if the
 * change cannot be stored.
 */
export async function endSessions(
  request: FastifyRequest,
  reply: FastifyReply,
  { auth }: BuildOptions,
  isEnded: (id: string) => boolean,
): Promise<boolean> {
  const { data } = auth;
  const { principal } = request;
  const isOwn = principal?.kind === 'session' && isEnded(principal.id ?? '');
  if (isOwn) void reply.header('set-cookie', noSessionCookies(isEncrypted(request)));
  data.sessions = data.sessions.filter(({ id }) => !isEnded(id));
  await auth.save();
  return isOwn;
}

export const sessionRoutes = (_deps: AdminDeps, options: BuildOptions) => async (app: FastifyInstance) => {
  const { auth, isLocal, counters } = options;
  const { values, index } = counters;

  app.get(
    '/session',
    {
      config: { scope: 'open' },
      schema: { summary: 'Who is signed in, and how to', response: { 200: SessionAnswer } },
    },
    async (request) => sessionAnswer(request, options),
  );

  app.post<{ Body: FirstRunBody }>(
    '/first-run',
    {
      config: { scope: 'open' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: {
        summary: 'Sets the first password and signs in',
        body: FirstRunBody,
        response: { 200: SessionAnswer },
      },
    },
    async (request, reply) => {
      const refuse = (error: string, message: Text) => {
        values[index['refused-claim']]++;
        request.auditRefusal = message;
        return new ApiError(403, error, message);
      };
      if (!isLocal(request.socket.remoteAddress)) {
        throw refuse(
          'not-local',
          say('The first password is set from the network that the appliance is in.'),
        );
      }
      if (!auth.isClaimed() && !auth.claim.isOpen()) {
        throw refuse(
          'claim-closed',
          say('The time to set the first password is over; restart the appliance.'),
        );
      }
      await auth.claimWith(request.body.password);
      options.onClaimed();
      return signIn(request, reply, options);
    },
  );

  app.post<{ Body: SignInBody }>(
    '/session',
    {
      config: { scope: 'open' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: { summary: 'Signs in', body: SignInBody, response: { 200: SessionAnswer } },
    },
    async (request, reply) => {
      const { password, code } = request.body;
      const { data } = auth;
      if (!auth.isClaimed()) {
        throw new ApiError(409, 'unclaimed', say('Nobody has set a password yet; begin with the first run.'));
      }
      if (data.totp !== null && code === undefined) {
        const expected = say('the six digits that the authenticator app shows');
        throw invalidInputs([missing('/code', expected)]);
      }
      const device = deviceOf(request.headers.cookie, data.deviceKey);
      const isOwner = await auth
        .isOwner({ password, code: data.totp === null ? undefined : code, source: request.ip, device })
        .catch((error: unknown) => {
          values[index['refused-back-off']]++;
          throw error;
        });
      if (!isOwner) {
        values[index['refused-password']]++;
        const what =
          data.totp === null
            ? say('The password is wrong.')
            : say(
                'The password or the code is wrong. The clock of the appliance says {clock}; if it is wrong, no code is accepted.',
                { clock: secondOf(new Date(auth.now()).toISOString()) },
              );
        request.auditRefusal = what;
        throw new ApiError(401, 'wrong-credentials', what);
      }
      return signIn(request, reply, options);
    },
  );

  registerEndings(app, options);
};

/** Signing out, and the list of sessions. */
function registerEndings(app: FastifyInstance, options: BuildOptions): void {
  const { auth } = options;

  app.delete(
    '/session',
    { config: { scope: 'read' }, schema: { summary: 'Signs out', response: { 200: SessionAnswer } } },
    async (request, reply) => {
      if (request.principal?.kind !== 'session') {
        throw new ApiError(
          409,
          'no-session',
          say('A token has no session to end; revoke it with DELETE tokens.'),
        );
      }
      const { id: own } = request.principal;
      await endSessions(request, reply, options, (id) => id === own);
      return signedOut(request, options);
    },
  );

  app.get(
    '/sessions',
    {
      config: { scope: 'system' },
      schema: { summary: 'Where the owner is signed in', response: { 200: SessionsAnswer } },
    },
    async ({ principal }): Promise<SessionsAnswer> => ({
      sessions: auth.data.sessions
        .filter((session) => isLive(session, auth.now()))
        .map((session) => ({
          id: session.id,
          isCurrent: session.id === principal?.id,
          createdAt: new Date(session.createdAtMs).toISOString(),
          lastSeenAt: new Date(session.lastSeenAtMs).toISOString(),
          endsAt: new Date(sessionEndsAtMs(session)).toISOString(),
          source: session.source,
          userAgent: session.userAgent,
        })),
    }),
  );

  app.delete<{ Params: IdParams }>(
    '/sessions/:id',
    {
      config: { scope: 'system', ownerOnly: true },
      schema: { summary: 'Ends a session', params: IdParams, response: { 200: SessionAnswer } },
    },
    async (request, reply) => {
      const { id: wanted } = request.params;
      if (!auth.data.sessions.some(({ id }) => id === wanted)) {
        throw new ApiError(404, 'not-found', say('There is no session "{wanted}".', { wanted }));
      }
      const isOwn = await endSessions(request, reply, options, (id) => id === wanted);
      return isOwn ? signedOut(request, options) : sessionAnswer(request, options);
    },
  );

  app.delete(
    '/sessions',
    {
      config: { scope: 'system', ownerOnly: true },
      schema: { summary: 'Ends every session', response: { 200: SessionAnswer } },
    },
    async (request, reply) => {
      // All known browsers are forgotten too: one of them may be in other hands.
      auth.data.deviceKey = newSecret();
      const isOwn = await endSessions(request, reply, options, () => true);
      return isOwn ? signedOut(request, options) : sessionAnswer(request, options);
    },
  );
}

/** The answer to a client that has just signed itself out. */
function signedOut(request: FastifyRequest, options: BuildOptions): SessionAnswer {
  const { principal } = request;
  request.principal = null;
  const answer = sessionAnswer(request, options);
  request.principal = principal; // for the audit log
  return answer;
}
