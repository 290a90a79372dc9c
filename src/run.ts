/** The life of the process: log, configuration, app, signals. */
import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { checkOurselves } from './config/check-ourselves.ts';
import { type ConfigChanges, openConfigChanges } from './config/changes.ts';
import { recoverPending } from './config/pending.ts';
import { formatProblem } from './config/problem.ts';
import { ConfigError, type ConfigStore, openConfigStore } from './config/store.ts';
import { readOwn } from './os/ourselves.ts';
import { connectServiceManager } from './os/sd-notify.ts';
import { collectStartupGarbage } from './runtime/heap.ts';
import { silentLog } from './runtime/log.ts';
import { finishRestore } from './state/backup.ts';
import { createLogRing } from './state/log-ring.ts';

/** How long an orderly stop may take before the process ends regardless. */
const STOP_TIMEOUT_MS = 8000;

export interface RunOptions {
  readonly configPath: string;
  /** Exists. */
  readonly stateDirectory: string;
  readonly version: string;
  readonly logLevel: string;
}

/** What is wrong with the configuration file, one problem a line; undefined when it is good. */
export function checkConfig(path: string): string | undefined {
  try {
    const { current } = openConfigStore(path, silentLog);
    const problems = checkOurselves(current, readOwn());
    return problems.length === 0 ? undefined : problems.map((each) => formatProblem(each, path)).join('\n');
  } catch (error) {
    return describeRefusal(error, path);
  }
}

/**
 * Starts the app and resolves once it serves; it then lives until a signal ends the process. Resolves with what is
 * wrong when the configuration is refused.
 */
export async function run({
  configPath,
  stateDirectory,
  version,
  logLevel,
}: RunOptions): Promise<string | undefined> {
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
  let store: ConfigStore;
  let changes: ConfigChanges;
  try {
    await finishRestore({ configPath, stateDirectory }, log);
    const recovery = await recoverPending(configPath, stateDirectory, log);
    store = openConfigStore(configPath, log);
    changes = await openConfigChanges({ store, stateDirectory, log, recovery });
  } catch (error) {
    return describeRefusal(error, configPath);
  }

  const serviceManager = connectServiceManager(process.env);
  const starting = startApp({
    store,
    changes,
    configPath,
    stateDirectory,
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
  return undefined;
}

/** The problems in a ConfigError, one a line. Rethrows what is none. */
function describeRefusal(error: unknown, path: string): string {
  if (!(error instanceof ConfigError)) throw error;
  return error.problems.map((problem) => formatProblem(problem, path)).join('\n');
}

/** Tests that spawn the process with an IPC channel may make a worker die: {"failWorker": "nat64"}. */
function listenForTestHooks(app: App): void {
  process.on('message', ({ failWorker }: { failWorker: string }) => app.failWorker(failWorker));
}
