/** Puts the admin application together: hooks, errors, routes. It listens nowhere (listeners.ts does). */
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { ConfigChanges } from '../config/changes.ts';
import type { ConfigStore } from '../config/store.ts';
import type { SchemaNode } from '../config/json-schema.ts';
import { validate } from '../config/validate.ts';
import type { AdminConfig } from '../config/schema.ts';
import type { Counters } from '../runtime/counters.ts';
import type { Logger } from '../runtime/log.ts';
import type { Nat64Queries } from '../runtime/nat64-queries.ts';
import type { ServiceReport } from '../runtime/service-slot.ts';
import { admitsHost, isSameOrigin } from './access.ts';
import { BackOff, bearerToken, tokenVerifier } from './auth.ts';
import type { ADMIN_COUNTERS } from './counters.ts';
import { ApiError, answerErrors } from './errors.ts';
import { configRoutes } from './routes/config.ts';
import { nat64Routes } from './routes/nat64.ts';
import { revisionRoutes } from './routes/revisions.ts';
import { pageRoutes } from './routes/page.ts';
import { sshConfigRoutes } from './routes/ssh-config.ts';
import { healthRoutes, statusRoutes } from './routes/status.ts';

/** What the API shows and changes. */
export interface AdminDeps {
  /** The configuration in force; `changes` changes it. */
  readonly store: ConfigStore;
  readonly changes: ConfigChanges;
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

const BODY_LIMIT_BYTES = 1 << 20;
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The application, ready to be given requests by `app.routing` or `app.inject`. */
export async function buildAdmin(deps: AdminDeps, options: BuildOptions): Promise<FastifyInstance> {
  const { values, index } = options.counters;
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, logger: false, trustProxy: false });
  app.removeContentTypeParser('text/plain');
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
  app.setNotFoundHandler(() => {
    throw new ApiError(404, 'not-found', 'There is nothing at this address.');
  });
  await app.register(pageRoutes);
  await app.register(
    async (api) => {
      api.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      await api.register(healthRoutes(deps));
      await api.register(async (secured) => {
        secured.addHook('onRequest', authenticator(options));
        secured.setNotFoundHandler(() => {
          throw new ApiError(404, 'not-found', 'The API has nothing at this address.');
        });
        await secured.register(statusRoutes(deps));
        await secured.register(sshConfigRoutes(deps, options.admin));
        await secured.register(nat64Routes(deps));
        await secured.register(configRoutes(deps, options.counters));
        await secured.register(revisionRoutes(deps, options.counters));
      });
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

/** The hook that lets only the bearer of the token pass. */
function authenticator({ token, counters: { values, index }, log }: BuildOptions) {
  const isToken = tokenVerifier(token);
  const backOff = new BackOff();
  return async (request: FastifyRequest): Promise<void> => {
    const candidate = bearerToken(request.headers.authorization);
    if (candidate === undefined) {
      throw new ApiError(401, 'unauthorized', 'Send the admin token as "Authorization: Bearer TOKEN".');
    }
    if (isToken(candidate)) return backOff.succeed(request.ip);
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
