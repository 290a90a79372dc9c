/** Puts the admin application together: hooks, errors, routes. It listens nowhere (listeners.ts does). */
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { ConfigStore } from '../config/store.ts';
import type { SchemaNode } from '../config/json-schema.ts';
import { validate } from '../config/validate.ts';
import type { AdminConfig } from '../config/schema.ts';
import type { Counters } from '../runtime/counters.ts';
import type { Logger } from '../runtime/log.ts';
import type { Nat64Queries } from '../runtime/nat64-queries.ts';
import type { ServiceReport } from '../runtime/service-slot.ts';
import { admitsHost, isSameOrigin } from './access.ts';
import { BackOff } from './auth/back-off.ts';
import { bearerToken, tokenVerifier } from './auth/bootstrap-token.ts';
import { type Principal, allows } from './auth/principal.ts';
import type { ADMIN_COUNTERS } from './counters.ts';
import { ApiError, answerErrors } from './errors.ts';
import { keepRouteTable } from './route-table.ts';
import { configRoutes } from './routes/config.ts';
import { nat64Routes } from './routes/nat64.ts';
import { findPage } from './routes/page.ts';
import { sshConfigRoutes } from './routes/ssh-config.ts';
import { statusRoutes } from './routes/status.ts';

/** What the API shows and changes. */
export interface AdminDeps {
  readonly store: ConfigStore;
  readonly services: () => readonly ServiceReport[];
  /** The SSH port of each server that has one, by the server's name. */
  readonly sshPorts: () => Readonly<Record<string, number>>;
  /** What may be asked of NAT64; undefined while it does not translate. */
  readonly nat64: () => Nat64Queries | undefined;
  readonly version: string;
  readonly startedAt: Date;
}

export interface BuildOptions {
  /** The configuration of the admin page now. */
  readonly admin: () => AdminConfig;
  /** Whether this peer may talk to us now: asked again for each request, since connections outlive a change. */
  readonly admitsSource: (remoteAddress: string | undefined) => boolean;
  readonly token: string;
  readonly counters: Counters<typeof ADMIN_COUNTERS>;
  readonly log: Logger;
  /** What one source may ask for; the page itself asks for about one a second. */
  readonly requestsPerMinute: number;
}

/** A file of routes/: given what it shows and changes, a plugin that registers its routes under /api. */
export type ApiRoutes = (deps: AdminDeps, options: BuildOptions) => (app: FastifyInstance) => Promise<void>;

/**
 * Every part of the API. Each is encapsulated: its hooks and content type parsers are its own. Who may use a route is
 * decided here, by its `config.scope`, before its handler, its validation and its body are looked at.
 */
const API: readonly ApiRoutes[] = [statusRoutes, sshConfigRoutes, nat64Routes, configRoutes];

const BODY_LIMIT_BYTES = 1 << 20;
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The application, ready to be given requests by `app.routing` or `app.inject`. */
export async function buildAdmin(deps: AdminDeps, options: BuildOptions): Promise<FastifyInstance> {
  const { values, index } = options.counters;
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, logger: false, trustProxy: false });
  app.removeContentTypeParser('text/plain');
  keepRouteTable(app);
  app.decorateRequest('principal', null);
  app.decorateRequest('auditTarget', null);
  answerErrors(app, options.log, () => values[index['internal-error']]++);
  app.setValidatorCompiler(({ schema }) => (value: unknown) => {
    const problems = validate(schema as SchemaNode, value);
    if (problems.length === 0) return { value };
    const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ');
    return { error: new ApiError(400, 'invalid-input', message, problems) };
  });
  app.addHook('onRequest', async (request) => guard(request, options));
  await app.register(helmet, SECURITY_HEADERS);
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) => {
      values[index['refused-rate']]++;
      return new ApiError(429, 'too-many-requests', `Too many requests; try again in ${after}.`);
    },
  });
  const page = await findPage();
  app.setNotFoundHandler(page.answerPlace);
  await app.register(page.routes);
  await app.register(
    async (api) => {
      api.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      api.addHook('onRequest', authorizer(options));
      api.setNotFoundHandler(() => {
        throw new ApiError(404, 'not-found', 'The API has nothing at this address.');
      });
      for (const routes of API) await api.register(routes(deps, options));
    },
    { prefix: '/api' },
  );
  await app.ready();
  return app;
}

/** Refuses by source, Host and Origin, before anything else is looked at. */
function guard(
  request: FastifyRequest,
  { admin, admitsSource, counters: { values, index } }: BuildOptions,
): void {
  if (!admitsSource(request.socket.remoteAddress)) {
    values[index['refused-source']]++;
    throw new ApiError(403, 'forbidden-source', 'admin.allow does not list your address.');
  }
  values[index.requests]++;
  const { host, origin } = request.headers;
  if (!admitsHost(admin().hostnames, host)) {
    values[index['refused-host']]++;
    throw new ApiError(
      421,
      'unknown-host',
      'Use an IP address, localhost or one of admin.hostnames to reach this page.',
    );
  }
  if (!READS.has(request.method) && !isSameOrigin(origin, host)) {
    values[index['refused-origin']]++;
    throw new ApiError(403, 'foreign-origin', 'Another site asked for this change; it was not made.');
  }
}

/** The hook that lets a request pass when who asks may use its route. What is no route needs a principal, too. */
function authorizer(options: BuildOptions) {
  const authenticate = authenticator(options);
  return async (request: FastifyRequest): Promise<void> => {
    const { scope } = request.routeOptions.config;
    if (scope === 'open') return;
    const principal = authenticate(request);
    if (scope !== undefined && !allows(principal.scope, scope)) {
      const message = `This needs the scope "${scope}"; what you signed in with has "${principal.scope}".`;
      throw new ApiError(403, 'scope-too-small', message);
    }
    request.principal = principal;
  };
}

/** Finds out who asks; throws for who is nobody. */
function authenticator({ token, counters: { values, index }, log }: BuildOptions) {
  const isToken = tokenVerifier(token);
  const backOff = new BackOff();
  const bootstrap: Principal = {
    kind: 'bootstrap',
    name: 'bootstrap token',
    scope: 'system',
    isValid: () => true,
  };
  return (request: FastifyRequest): Principal => {
    const candidate = bearerToken(request.headers.authorization);
    if (candidate === undefined) {
      throw new ApiError(401, 'unauthorized', 'Send the admin token as "Authorization: Bearer TOKEN".');
    }
    if (isToken(candidate)) {
      backOff.succeed(request.ip);
      return bootstrap;
    }
    const waitMs = backOff.fail(request.ip, performance.now());
    if (waitMs > 0) {
      values[index['refused-back-off']]++;
      const seconds = Math.ceil(waitMs / 1000);
      throw new ApiError(429, 'too-many-requests', `Too many wrong tokens; try again in ${seconds} s.`);
    }
    values[index['refused-token']]++;
    log.warn({ source: request.ip }, 'admin: wrong token');
    throw new ApiError(401, 'unauthorized', 'This is not the admin token of this appliance.');
  };
}

/** Nothing from elsewhere, nothing inline, in no frame. No HSTS: the page is served over plain HTTP. */
const SECURITY_HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  // Browsers ignore these two on plain HTTP and complain on the console.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xFrameOptions: { action: 'deny' },
} as const;
