/** Assembles the admin application: hooks, errors, routes. It does not listen (listeners.ts does). */
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { SchemaNode } from '../config/json-schema.ts';
import { validate } from '../config/validate.ts';
import { admitsHost, hostWithoutPort, isSameOrigin } from './access.ts';
import type { AdminDeps, ApiRoutes, BuildOptions } from './deps.ts';
import { auditor, authorizer, isRead } from './auth/authorize.ts';
import { passwordAsker } from './auth/present-password.ts';
import { ApiError, invalidInputs } from './api-error.ts';
import { answerErrors } from './errors.ts';
import { speakLanguages } from './language.ts';
import { keepRouteTable } from './route-table.ts';
import { accountRoutes } from './routes/account.ts';
import { backupRoutes } from './routes/backup.ts';
import { checksRoutes } from './routes/checks.ts';
import { configRoutes } from './routes/config.ts';
import { explainRoutes } from './routes/explain.ts';
import { hostsRoutes } from './routes/hosts.ts';
import { liveRoutes } from './routes/live.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { findPage } from './routes/page.ts';
import { networkRoutes } from './routes/network.ts';
import { queryRoutes } from './routes/queries.ts';
import { revisionRoutes } from './routes/revisions.ts';
import { openApiRoutes } from './routes/openapi.ts';
import { sessionRoutes } from './routes/session.ts';
import { sshConfigRoutes } from './routes/ssh-config.ts';
import { statusRoutes } from './routes/status.ts';
import { systemRoutes } from './routes/system.ts';
import { systemSshRoutes } from './routes/system-ssh.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { isEncrypted, isLoopback } from './transport.ts';
import { say } from '../texts/text.ts';

/**
 * Every part of the API. Each is encapsulated: it has its own hooks and content type parsers. `config.scope` of a route decides
 * who may use it, before the handler, the validation and the body are processed.
 */
const API: readonly ApiRoutes[] = [
  statusRoutes,
  sessionRoutes,
  accountRoutes,
  tokenRoutes,
  openApiRoutes,
  sshConfigRoutes,
  queryRoutes,
  configRoutes,
  revisionRoutes,
  explainRoutes,
  hostsRoutes,
  checksRoutes,
  networkRoutes,
  liveRoutes,
  systemRoutes,
  systemSshRoutes,
  backupRoutes,
];

const BODY_LIMIT_BYTES = 1 << 20;
/** The longest part of a name that is repeated in an answer. */
const MOST_NAME_CHARACTERS = 100;

/**
 * Requests are validated with the same error texts as the configuration. Answers have the types of their schemas, and the tests
 * check them against these. Fastify's own compilers, which generate code for both, would take 7 MB to load.
 */
const buildValidator =
  () =>
  ({ schema }: { readonly schema: SchemaNode }) =>
  (value: unknown) => {
    const problems = validate(schema, value);
    if (problems.length === 0) return { value };
    return { error: invalidInputs(problems) };
  };
const buildSerializer = () => () => (answer: unknown) => JSON.stringify(answer);
// In Fastify they have the types of Ajv and of fast-json-stringify.
const COMPILERS = { buildValidator, buildSerializer } as unknown as NonNullable<
  NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']
>;

/** The application, ready to receive requests through `app.routing` or `app.inject`. */
export async function buildAdmin(deps: AdminDeps, options: BuildOptions): Promise<FastifyInstance> {
  const { values, index } = options.counters;
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    logger: false,
    trustProxy: false,
    schemaController: { compilersFactory: COMPILERS },
  });
  app.removeContentTypeParser('text/plain');
  keepRouteTable(app);
  app.decorateRequest('principal', null);
  app.decorateRequest('auditTarget', null);
  app.decorateRequest('auditRefusal', null);
  answerErrors(app, options.log, () => values[index['internal-error']]++);
  speakLanguages(app);
  app.addHook('onRequest', async (request, reply) => guard(request, reply, options));
  await app.register(helmet, SECURITY_HEADERS);
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) => {
      values[index['refused-rate']]++;
      return new ApiError(
        429,
        'too-many-requests',
        say('Too many requests; try again in {seconds} s.', { seconds: Math.ceil(ttl / 1000) }),
      );
    },
  });
  const page = await findPage();
  app.setNotFoundHandler(page.answerPlace);
  await app.register(page.routes);
  await app.register(
    async (api) => {
      api.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      api.addHook('onRequest', authorizer(options));
      api.addHook('preHandler', passwordAsker(options.auth));
      api.addHook('onResponse', auditor(options.auth));
      api.setNotFoundHandler(() => {
        throw new ApiError(404, 'not-found', say('The API has nothing at this address.'));
      });
      for (const routes of API) await api.register(routes(deps, options));
    },
    { prefix: '/api' },
  );
  // The path where Prometheus looks by default.
  await app.register(async (root) => {
    root.addHook('onRequest', authorizer(options));
    await root.register(metricsRoutes(deps));
  });
  await app.ready();
  return app;
}

/** Rejects by source, Host, transport and Origin, before anything else is processed. */
function guard(
  request: FastifyRequest,
  reply: FastifyReply,
  { admin, admitsSource, counters: { values, index } }: BuildOptions,
): FastifyReply | undefined {
  const { remoteAddress } = request.socket;
  if (!admitsSource(remoteAddress)) {
    values[index['refused-source']]++;
    throw new ApiError(
      403,
      'forbidden-source',
      say('{list} does not list {address}.', { list: 'admin.allow', address: say('your address') }),
    );
  }
  values[index.requests]++;
  const { host, origin } = request.headers;
  if (!admitsHost(admin().hostnames, host)) {
    values[index['refused-host']]++;
    throw new ApiError(
      421,
      'unknown-host',
      say(
        'This appliance is not reached as "{name}". Use its IP address, or one of the names in admin.hostnames; whoever is signed in can add this name there.',
        { name: (hostWithoutPort(host ?? '') ?? '').slice(0, MOST_NAME_CHARACTERS) },
      ),
    );
  }
  const encrypted = isEncrypted(request);
  if (admin().tls !== 'off' && !encrypted && !isLoopback(remoteAddress)) {
    const path = request.url.startsWith('/') ? request.url : '/';
    if (isRead(request))
      return reply.header('cache-control', 'no-store').redirect(`https://${host}${path}`, 307);
    values[index['refused-plain']]++;
    throw new ApiError(
      403,
      'https-required',
      say('Use https://{host}; what you sent was not encrypted.', { host: host ?? '' }),
    );
  }
  if (!isRead(request) && !isSameOrigin(origin, host, encrypted)) {
    values[index['refused-origin']]++;
    throw new ApiError(403, 'foreign-origin', say('Another site asked for this change; it was not made.'));
  }
  return undefined;
}

/**
 * Nothing from other origins, nothing inline, no frames. No HSTS: if the browser does not trust the certificate, HSTS would
 * remove the way past the warning.
 */
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
  // Browsers ignore these two on plain HTTP, and log a complaint in the console.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xFrameOptions: { action: 'deny' },
} as const;
