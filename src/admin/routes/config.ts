/** The configuration: read, check, change with a countdown, confirm, roll back. */
import type { FastifyInstance } from 'fastify';
import type { ApplyResult, ConfigChanges } from '../../config/changes.ts';
import { Type } from '../../config/json-schema.ts';
import { ConfigSchema } from '../../config/schema.ts';
import { reasonWithRemedy } from '../../os/system-reason.ts';
import type { Counters } from '../../runtime/counters.ts';
import type { AssertionResult } from '../../runtime/explain.ts';
import { type Untranslated, asIs, say, secondOf, sentences } from '../../texts/text.ts';
import { actorOf } from '../actor.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import {
  AssertionsFailedAnswer,
  ConfigApplyAnswer,
  ConfigApplyRequest,
  ConfigCheckAnswer,
  ConfigCheckRequest,
  ConfigPendingAnswer,
  ConfigRevisionAnswer,
} from '../contract/apply.ts';
import { ParseHostsAnswer, ParseHostsRequest } from '../contract/parse-hosts.ts';
import { ConfigAnswer } from '../contract/status.ts';
import type { ADMIN_COUNTERS } from '../counters.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';

/** An empty object as body, for requests without parameters. */
const Nothing = Type.Object({}, { additionalProperties: false, expected: 'an empty object' });
export const DEFAULT_CONFIRM_SECONDS = 60;

export const configRoutes =
  (deps: AdminDeps, { counters }: BuildOptions) =>
  async (app: FastifyInstance) => {
    const { store, changes } = deps;

    app.get(
      '/config/schema',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'The JSON Schema of the configuration, with titles, defaults and what is expected',
        },
      },
      async () => ({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...ConfigSchema }),
    );

    app.get(
      '/config',
      {
        config: { scope: 'read' },
        schema: { summary: 'The configuration in force', response: { 200: ConfigAnswer } },
      },
      async () => ({ revision: store.revision, document: store.document, effective: store.current }),
    );

    app.post<{ Body: ConfigCheckRequest }>(
      '/config/check',
      {
        config: { scope: 'read', audit: false },
        schema: {
          summary: 'What is wrong with a configuration, what it would change, and which assertions it fails',
          body: ConfigCheckRequest,
          response: { 200: ConfigCheckAnswer },
        },
      },
      async (request): Promise<ConfigCheckAnswer> => {
        const { body } = request;
        const { problems, diff, assertions } = await changes.check(body.document);
        return translated(request, {
          valid: problems.length === 0,
          problems,
          diff: [...diff],
          failedAssertions: assertions.map(assertionAnswer),
        });
      },
    );

    app.post<{ Body: ConfigApplyRequest }>(
      '/config/apply',
      {
        config: { scope: 'configure' },
        schema: {
          summary: 'Activates a configuration; it is final once it is confirmed',
          body: ConfigApplyRequest,
          response: { 200: ConfigApplyAnswer, 409: AssertionsFailedAnswer },
        },
      },
      async (request, reply) => {
        const { document, revision, confirmSeconds, ignoreAssertions } = request.body;
        const result = await changes.apply({
          document,
          revision,
          confirmSeconds: confirmSeconds ?? DEFAULT_CONFIRM_SECONDS,
          ignoreAssertions: ignoreAssertions ?? false,
          by: actorOf(request),
        });
        if (result.outcome === 'assertions-failed') void reply.code(409);
        const answer = applyAnswer(result, counters);
        if ('revision' in answer) request.auditTarget = answer.revision;
        return translated(request, answer);
      },
    );

    registerPending(app, deps);
    registerParseHosts(app, deps);
  };

/** The change that waits for its confirmation. */
function registerPending(app: FastifyInstance, { store, changes }: AdminDeps): void {
  app.get(
    '/config/pending',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The change that waits for its confirmation, and the last that was taken back',
        response: { 200: ConfigPendingAnswer },
      },
    },
    async (request): Promise<ConfigPendingAnswer> => translated(request, pendingAnswer(changes)),
  );

  app.post(
    '/config/confirm',
    {
      config: { scope: 'configure' },
      schema: {
        summary: 'Confirms the pending change',
        body: Nothing,
        response: { 200: ConfigRevisionAnswer },
      },
    },
    async (request): Promise<ConfigRevisionAnswer> => {
      const isConfirmed = await changes.confirm(actorOf(request)).catch((error: Error) => {
        throw new ApiError(
          503,
          'not-kept',
          say('Not confirmed, the countdown goes on: {reason}', { reason: reasonWithRemedy(error) }),
        );
      });
      if (!isConfirmed) throw nothingPending();
      request.auditTarget = store.revision;
      return { revision: store.revision };
    },
  );

  app.post(
    '/config/rollback',
    {
      config: { scope: 'configure' },
      schema: {
        summary: 'Rolls the pending change back at once',
        body: Nothing,
        response: { 200: ConfigRevisionAnswer },
      },
    },
    async (request): Promise<ConfigRevisionAnswer> => {
      const result = await changes.rollback(actorOf(request));
      if (result === undefined) throw nothingPending();
      if (result.outcome !== 'changed') throw refusal(result);
      request.auditTarget = result.revision;
      return { revision: result.revision };
    },
  );
}

function registerParseHosts(app: FastifyInstance, { store }: AdminDeps): void {
  app.post<{ Body: ParseHostsRequest }>(
    '/config/parse-hosts',
    {
      config: { scope: 'read', audit: false },
      schema: {
        summary: 'Servers out of pasted text: lines, CSV or JSON',
        body: ParseHostsRequest,
        response: { 200: ParseHostsAnswer },
      },
    },
    async (request): Promise<ParseHostsAnswer> => {
      const { body } = request;
      const { parseHosts } = await import('../../config/parse-hosts.ts');
      const { format, hosts, problems } = parseHosts(body.text, store.current);
      const known = new Set(store.current.hosts.map(({ name }) => name));
      return translated(request, {
        format,
        hosts: hosts.map(({ line, host }) => ({ line, host, isKnown: known.has(host.name) })),
        problems,
      });
    },
  );
}

const nothingPending = () =>
  new ApiError(
    409,
    'nothing-pending',
    say('No change is waiting for confirmation; it may have been rolled back already.'),
  );

/** The answer to an apply or revert; throws if it was refused. */
export function applyAnswer(
  result: ApplyResult,
  { values, index }: Counters<typeof ADMIN_COUNTERS>,
): ConfigApplyAnswer | Untranslated<AssertionsFailedAnswer, 'message' | 'text'> {
  switch (result.outcome) {
    case 'changed':
      values[index['config-changed']]++;
      return { revision: result.revision, changed: true, confirmBy: result.confirmBy };
    case 'unchanged':
      return { revision: result.revision, changed: false, confirmBy: null };
    case 'assertions-failed':
      values[index['config-refused']]++;
      return {
        error: 'assertions-failed',
        message: say('Not applied: {failed}', {
          failed: sentences(...result.failed.map(({ message }) => message)),
        }),
        failedAssertions: result.failed.map(assertionAnswer),
      };
    default:
      values[index['config-refused']]++;
      throw refusal(result);
  }
}

type Refused = Exclude<ApplyResult, { outcome: 'changed' | 'assertions-failed' }>;

function refusal(result: Refused): ApiError {
  switch (result.outcome) {
    case 'invalid':
      return new ApiError(400, 'invalid-config', say('This is not a valid configuration.'), result.problems);
    case 'stale':
      return new ApiError(
        412,
        'stale',
        say('The configuration was changed meanwhile, to revision {revision}; load it again.', {
          revision: result.revision,
        }),
      );
    case 'change-pending': {
      const { by, confirmBy } = result.pending;
      const message = say(
        'The change by {by} waits for confirmation until {time}: confirm it or roll it back first.',
        { by: asIs(by), time: secondOf(confirmBy) },
      );
      return new ApiError(409, 'change-pending', message);
    }
    case 'file-changed':
      return new ApiError(
        409,
        'file-changed',
        result.problem === undefined
          ? say(
              'The file was edited by hand since it was read. Activate that edit first (systemctl reload tombolo, or a restart), or undo it; then make the change here.',
            )
          : say('{problem} Nothing was changed yet: make the change again, and it is written in its place.', {
              problem: result.problem,
            }),
      );
    case 'failed': {
      const message = say('Not activated; the previous configuration stays active: {reason}', {
        reason: reasonWithRemedy(result.error),
      });
      return new ApiError(422, 'apply-failed', message);
    }
    case 'unchanged':
      return new ApiError(409, 'nothing-pending', say('The previous configuration is already active.'));
  }
}

function pendingAnswer(changes: ConfigChanges) {
  const { pending, lastRollback } = changes;
  return {
    pending:
      pending === undefined
        ? null
        : {
            revision: pending.revision,
            previousRevision: pending.previousRevision,
            by: pending.by,
            appliedAt: pending.appliedAt,
            confirmBy: pending.confirmBy,
            secondsLeft: pending.secondsLeft,
            diff: [...changes.pendingDiff()],
          },
    lastRollback:
      lastRollback?.rolledBack === undefined
        ? null
        : {
            at: lastRollback.at,
            revision: lastRollback.rolledBack.revision,
            by: lastRollback.by,
            reason: lastRollback.rolledBack.reason,
            text: lastRollback.reason,
          },
  };
}

/** In the shape of the API. */
export const assertionAnswer = ({ way, ...result }: AssertionResult) => ({
  ...result,
  outcome: way.outcome,
  steps: way.steps,
});
