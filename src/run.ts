/** The life of the process: log, configuration, app, signals. */
import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { openConfigChanges } from './config/changes.ts';
import { readConfigFile } from './config/config-file.ts';
import { findLastGood, isFileExpected } from './config/last-good.ts';
import { recoverPending } from './config/pending.ts';
import { formatProblem } from './config/problem.ts';
import { openRevisions } from './config/revisions.ts';
import { ConfigError, openConfigStore } from './config/store.ts';
import { createConditions } from './runtime/conditions.ts';
import { connectServiceManager } from './os/sd-notify.ts';
import { collectStartupGarbage } from './runtime/heap.ts';
import { type Logger, silentLog } from './runtime/log.ts';
import { type Storage, openStorage } from './runtime/storage.ts';
import { finishRestore } from './state/backup.ts';
import { createLogRing } from './state/log-ring.ts';

/** How long an orderly stop may take before the process ends regardless. */
const STOP_TIMEOUT_MS = 8000;

export interface RunOptions {
  readonly configPath: string;
  readonly stateDirectory: string;
  readonly version: string;
  readonly logLevel: string;
}

/** What is wrong with the configuration file, one problem a line; undefined when it is good. */
export function checkConfig(path: string): string | undefined {
  try {
    openConfigStore(path, silentLog);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem, path)).join('\n');
  }
}

/**
 * What runs when the file is refused and the history holds nothing that could: every default, and on the appliance, where nobody
 * has another way in, the page on every address, as on a new one.
 */
const fallbackConfig = (environment: NodeJS.ProcessEnv) =>
  environment['TOMBOLO_ACTIONS'] === undefined ? {} : { admin: { listen: ['::', '0.0.0.0'] } };

/** The configuration, and the way to change it. Whatever the files are, something runs: nothing here rejects. */
async function openConfiguration(configPath: string, storage: Storage, log: Logger) {
  await finishRestore({ configPath, stateDirectory: storage.directory }, storage, log);
  const recovery = await recoverPending(configPath, storage, log);
  const history = await openRevisions(storage, log);
  const file = readConfigFile(configPath, isFileExpected(history));
  const unwritten =
    recovery?.outcome === 'unwritten' ? { text: recovery.change.previousText ?? undefined } : undefined;
  const lastGood =
    file.state === 'refused' || unwritten !== undefined
      ? await findLastGood(history, recovery, fallbackConfig(process.env))
      : undefined;
  const store = openConfigStore(configPath, log, { file, lastGood, unwritten });
  return { store, changes: await openConfigChanges({ store, storage, history, log, recovery }) };
}

/** Starts the app and resolves once it serves; it then lives until a signal ends the process. */
export async function run({ configPath, stateDirectory, version, logLevel }: RunOptions): Promise<void> {
  const logs = createLogRing();
  const stdout = pino.destination(1);
  const log = pino(
    { level: logLevel, base: null },
    {
      write(line: string) {
        stdout.write(line);
        logs.add(line);
      },
    },
  );
  const conditions = createConditions();
  const storage = openStorage(stateDirectory, {
    log,
    conditions,
    volatileDirectory: process.env['TOMBOLO_ACTIONS'],
  });
  const { store, changes } = await openConfiguration(configPath, storage, log);

  const serviceManager = connectServiceManager(process.env);
  const starting = startApp({
    store,
    changes,
    configPath,
    storage,
    conditions,
    version,
    log,
    logs,
    // Who tells the service manager that it serves is started again by it.
    restart: process.env['NOTIFY_SOCKET'] === undefined ? undefined : () => void stop('restart', 0),
  });
  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) process.exit(1); // asked twice: at once
    stopping = true;
    log.info({ reason }, 'stopping');
    serviceManager.stopping();
    setTimeout(() => {
      log.error({ timeoutMs: STOP_TIMEOUT_MS }, 'not stopped in time, ending regardless');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    // A stop in the middle of the start waits for it, so that what it makes is taken away again.
    const app = await starting.catch(() => undefined);
    await app?.[Symbol.asyncDispose]();
    log.info({}, 'stopped');
    process.exit(code);
  };
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGHUP', () => void changes.reload());
  process.on('uncaughtException', (err, origin) => {
    log.error({ err }, `${origin}: stopping, so that the supervisor starts a sound process`);
    void stop(origin, 1).catch(() => process.exit(1));
  });

  const app = await starting;
  serviceManager.ready();
  collectStartupGarbage();
  log.info({ version, config: configPath, state: stateDirectory }, 'started');
  if (process.env['TOMBOLO_TEST_HOOKS'] === '1') listenForTestHooks(app);
}

/** Tests that spawn the process with an IPC channel may make a worker die: {"failWorker": "nat64"}. */
function listenForTestHooks(app: App): void {
  process.on('message', ({ failWorker }: { failWorker: string }) => app.failWorker(failWorker));
}
