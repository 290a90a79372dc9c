/** Backup, restore, and the support bundle. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { diffDocuments } from '../../config/diff.ts';
import { type Static, Type } from '../../config/json-schema.ts';
import { loadConfig } from '../../config/load.ts';
import { collectEntries, planRestore, stageRestore } from '../../state/backup.ts';
import type { Backup, BackupError } from '../../state/backup-error.ts';
import { knownSecrets, redactFields, redactText } from '../../state/redact.ts';
import { explainCounters } from '../../state/summary.ts';
import { parseAuthData } from '../auth/state-file.ts';
import { parseCertificate } from '../certificate/keep.ts';
import type { AdminDeps } from '../deps.ts';
import { strict } from '../contract/common.ts';
import { BackupBody, RestoreAnswer, RestoreBody } from '../contract/backup.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';
import { toStatusAnswer } from '../status-answer.ts';
import { minuteOf, say, translate } from '../../texts/text.ts';

/** 8 MiB in base64, and the passphrase. */
const RESTORE_BODY_BYTES = 12 << 20;
const RESTORE_DELAY_MS = 500;
const BUNDLE_LINES = 1000;
const BUNDLE_EVENTS = 200;

const RestoreQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Union([Type.Literal('true'), Type.Literal('false')], {
        title: 'Only tell what would change',
        expected: '"true" or "false"',
      }),
    ),
  },
  strict,
);

const STATUS_OF: Readonly<Record<BackupError['reason'], [status: number, word: string]>> = {
  'not-a-backup': [400, 'not-a-backup'],
  newer: [400, 'backup-too-new'],
  'wrong-passphrase': [403, 'wrong-passphrase'],
  damaged: [400, 'backup-damaged'],
  'too-large': [413, 'too-large'],
  unreadable: [503, 'unreadable'],
  unwritable: [503, 'not-kept'],
};

/** "tombolo-gate-2026-01-02.backup": only characters that every file system accepts. */
const fileName = (kind: string, hostname: string, extension: string): string =>
  `tombolo-${kind}-${hostname.replace(/[^a-z0-9-]/gi, '')}-${new Date().toISOString().slice(0, 10)}.${extension}`;

const sendFile = (reply: FastifyReply, name: string, type: string, content: string | Buffer) =>
  reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(content);

const busy = (): ApiError =>
  new ApiError(429, 'busy', say('Another backup or restore is in progress; try again in a moment.'));

export const backupRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  const { machine, places } = deps.live;
  let isBusy = false;

  /** One at a time: deriving a key needs much memory by design. */
  async function alone<T>(task: () => Promise<T>): Promise<T> {
    if (isBusy) throw busy();
    isBusy = true;
    try {
      return await task();
    } catch (error) {
      const { reason, text } = error as BackupError;
      if (reason === undefined || !(reason in STATUS_OF)) throw error;
      throw new ApiError(...STATUS_OF[reason], text);
    } finally {
      isBusy = false;
    }
  }

  app.post<{ Body: Static<typeof BackupBody> }>(
    '/backup',
    {
      config: { scope: 'system', presence: '/password' },
      schema: { summary: 'Makes a backup: one file, encrypted with a passphrase', body: BackupBody },
    },
    async ({ body, principal }, reply) => {
      const { sealBackup } = await import('../../state/backup-seal.ts');
      const sealed = await alone(async () => {
        const backup: Backup = {
          createdAt: new Date().toISOString(),
          version: deps.version,
          hostname: machine.hostname,
          // A stolen API token must not give access to what the owner signs in with.
          entries: await collectEntries(
            places,
            principal?.kind !== 'token',
            deps.store.fileText,
            deps.live.unwritten,
          ),
        };
        return sealBackup(backup, body.passphrase);
      });
      return sendFile(reply, fileName('backup', machine.hostname, 'age'), 'application/octet-stream', sealed);
    },
  );

  app.post<{ Body: Static<typeof RestoreBody>; Querystring: { dryRun?: 'true' | 'false' } }>(
    '/restore',
    {
      // The backup may contain another password.
      config: { scope: 'system', ownerOnly: true, presence: '/password' },
      bodyLimit: RESTORE_BODY_BYTES,
      schema: {
        summary: 'Restores a backup, or tells what that would change',
        querystring: RestoreQuery,
        body: RestoreBody,
        response: { 200: RestoreAnswer },
      },
    },
    async (request): Promise<RestoreAnswer> => {
      const isDryRun = request.query.dryRun === 'true';
      const { file, passphrase } = request.body;
      const { openBackup } = await import('../../state/backup-seal.ts');
      return alone(async () => {
        const backup = await openBackup(Buffer.from(file, 'base64'), passphrase);
        const planned = await planRestore(backup.entries, places, {
          ...deps.live.parsers,
          'state/auth.json': parseAuthData,
          'state/admin-certificate.pem': parseCertificate,
        });
        const restored = checkConfig(planned.find(({ name }) => name === 'config.json')?.content);
        const diff = restored === undefined ? [] : diffDocuments(deps.store.document, restored);
        if (!isDryRun) {
          await stageRestore(planned, places);
          request.auditTarget = say('backup of {hostname}, {time}', {
            hostname: backup.hostname,
            time: minuteOf(backup.createdAt),
          });
          // After the answer has been sent.
          if (deps.live.restart !== undefined) setTimeout(deps.live.restart, RESTORE_DELAY_MS).unref();
        }
        return {
          createdAt: backup.createdAt,
          version: backup.version,
          hostname: backup.hostname,
          entries: translated(
            request,
            planned.map(({ name, title, change, content }) => ({
              name,
              title,
              change,
              bytes: content.length,
            })),
          ),
          diff: diff.map((each) => ({ ...each })),
          isDryRun,
          restarts: deps.live.restart !== undefined,
        };
      });
    },
  );

  app.get(
    '/support-bundle',
    {
      config: { scope: 'system', audit: true },
      schema: {
        summary:
          'Gives a support bundle: status, counters, configuration and log in one file, without secrets',
      },
    },
    async (_request, reply) => {
      // In English, so that the supporter understands it.
      const text = JSON.stringify(redactFields(translate(await supportBundle(deps))), undefined, 1);
      const safe = redactText(text, await knownSecrets(places.stateDirectory));
      return sendFile(reply, fileName('support', machine.hostname, 'json'), 'application/json', safe);
    },
  );
};

async function supportBundle(deps: AdminDeps) {
  const { machine, places, events, logs } = deps.live;
  const reports = deps.services();
  return {
    createdAt: new Date().toISOString(),
    hostname: machine.hostname,
    model: machine.model,
    kernel: machine.kernel,
    hardware: await deps.live.hardware(),
    memory: machine.memory(),
    disk: machine.disk(places.stateDirectory),
    throttled: machine.throttled(),
    status: toStatusAnswer(reports, deps),
    counters: Object.fromEntries(reports.map((report) => [report.name, explainCounters(report)])),
    configuration: deps.store.document,
    // Without the names that clients look up, which are private.
    events: events.page({ kinds: ['service', 'connection'] }, undefined, BUNDLE_EVENTS).events,
    log: logs.page('debug', undefined, BUNDLE_LINES).lines,
  };
}

/** Rejects a configuration that this version would not start with. */
function checkConfig(content: Uint8Array | undefined): unknown {
  if (content === undefined) return undefined;
  const loaded = loadConfig(Buffer.from(content).toString('utf8'));
  if (!('problems' in loaded)) return loaded.document;
  const message = say('This version cannot use the configuration in the backup; nothing was changed.');
  throw new ApiError(422, 'invalid-config', message, loaded.problems);
}
