/** The life of the process: log, configuration, app, signals. */
import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { checkOurselves } from './config/check-ourselves.ts';
import { type ConfigChanges, openConfigChanges } from './config/changes.ts';
import { readConfigFile } from './config/config-file.ts';
import { findLastGood, isFileExpected } from './config/last-good.ts';
import { recoverPending } from './config/pending.ts';
import { formatProblem } from './config/problem.ts';
import { openRevisions } from './config/revisions.ts';
import { ConfigError, type ConfigStore, openConfigStore } from './config/store.ts';
import { removeTemporaries, removeTemporariesOf } from './os/atomic-write.ts';
import { readOwn } from './os/follow-ourselves.ts';
import { type ServiceManager, connectServiceManager } from './os/sd-notify.ts';
import { createConditions } from './runtime/conditions.ts';
import { lockDirectory } from './runtime/directory-lock.ts';
import { GARBAGE_AFTER_MS, collectStartupGarbage } from './runtime/startup-garbage.ts';
import { type Logger, silentLog } from './runtime/log.ts';
import { type LineOutput, openLogOutput } from './runtime/log-output.ts';
import { type Storage, openStorage } from './runtime/storage.ts';
import { finishRestore } from './state/backup.ts';
import type { Signals } from './signals.ts';
import { type LogRing, createLogRing } from './state/log-ring.ts';

/** How long disposal may take, once nothing is waited for, before the process is ended by force. */
const STOP_TIMEOUT_MS = 8000;
/** How long a stop waits for the start to finish. */
const START_TIMEOUT_MS = 60_000;
const READY_RETRY_MS = 1000;

export interface RunOptions {
  readonly configPath: string;
  readonly stateDirectory: string;
  readonly version: string;
  readonly logLevel: string;
  readonly signals: Signals;
}

/** What is wrong with the configuration file, one problem per line; undefined if it is valid. */
export function checkConfig(path: string): string | undefined {
  try {
    const { current } = openConfigStore(path, silentLog);
    const problems = checkOurselves(current, readOwn());
    return problems.length === 0 ? undefined : problems.map((each) => formatProblem(each, path)).join('\n');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem, path)).join('\n');
  }
}

/**
 * The configuration that is used if the file is refused and the history holds nothing usable: every default. On the appliance,
 * where there is no other way in, the page listens on every address, as on a new one.
 */
const fallbackConfig = (environment: NodeJS.ProcessEnv) =>
  environment['TOMBOLO_ACTIONS'] === undefined ? {} : { admin: { listen: ['::', '0.0.0.0'] } };

/** Removes the temporary files of a process that was killed: they may hold secrets, and would accumulate. */
async function removeLeftovers(configPath: string, stateDirectory: string): Promise<void> {
  // If a file cannot be removed, the code that writes there reports it.
  await removeTemporaries(stateDirectory, () => true).catch(() => {});
  await removeTemporariesOf(configPath).catch(() => {});
}

/** The configuration, and the interface to change it. Never rejects: whatever state the files are in, some configuration is used. */
async function openConfiguration(configPath: string, storage: Storage, log: Logger) {
  // A change that another process has under way is not ours to finish.
  const { isOurs } = storage;
  if (isOurs) {
    await removeLeftovers(configPath, storage.directory);
    await finishRestore({ configPath, stateDirectory: storage.directory }, storage, log);
  }
  const recovery = isOurs ? await recoverPending(configPath, storage, log) : undefined;
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

/** Starts the app and resolves once it serves. After that, it runs until a signal ends the process. */
export async function run(options: RunOptions): Promise<void> {
  const { configPath, stateDirectory, version, logLevel, signals } = options;
  const logs = createLogRing();
  const stdout = openLogOutput(1);
  const log = openLog(logLevel, stdout, logs);
  const serviceManager = serviceManagerOf(log);
  const life = live(log, serviceManager);
  signals.handle((name) => (name === 'SIGHUP' ? life.reload() : void life.stop(name, 0, true)));
  process.on('uncaughtException', (err, origin) => {
    log.error({ err }, `${origin}: stopping, so that the supervisor starts a sound process`);
    void life.stop(origin, 1, false).catch(() => process.exit(1));
  });

  const conditions = createConditions();
  const lock = lockDirectory(stateDirectory, conditions, log);
  const storage = openStorage(stateDirectory, { log, conditions, lock });
  const { store, changes } = await openConfiguration(configPath, storage, log);
  const app = await life.start(store, changes, () =>
    startApp({
      store,
      changes,
      configPath,
      storage,
      conditions,
      version,
      log,
      logs,
      lines: stdout,
      // A service manager that gave us its socket also starts us again.
      restart:
        process.env['NOTIFY_SOCKET'] === undefined ? undefined : () => void life.stop('restart', 0, true),
    }),
  );
  notifyReady(serviceManager, log);
  setTimeout(collectStartupGarbage, GARBAGE_AFTER_MS).unref();
  log.info({ version, config: configPath, state: stateDirectory }, 'started');
  if (process.env['TOMBOLO_TEST_HOOKS'] === '1') listenForTestHooks(app);
}

/** Handles signals before, during and after the start of the app. */
function live(log: Logger, serviceManager: ServiceManager) {
  let store: ConfigStore | undefined;
  let reload: (() => void) | undefined;
  let isReloadWanted = false;
  let starting: Promise<App> | undefined;
  let exitCode: number | undefined;
  /** Aborted: open work is cut off. */
  const cut = new AbortController();

  function exitIn(milliseconds: number): void {
    setTimeout(() => {
      log.error({ timeoutMs: milliseconds }, 'not stopped in time, ending regardless');
      process.exit(1);
    }, milliseconds).unref();
  }

  return {
    /** SIGHUP: reads the configuration file again. If it comes during the start, this is done after the start. */
    reload() {
      if (exitCode !== undefined) return;
      if (reload === undefined) isReloadWanted = true;
      else reload();
    },
    /** Runs the start. If a stop was requested meanwhile, this does not return. */
    async start(newStore: ConfigStore, changes: ConfigChanges, start: () => Promise<App>): Promise<App> {
      if (exitCode !== undefined) process.exit(exitCode);
      store = newStore;
      starting = start();
      const started = await starting;
      if (exitCode !== undefined) await new Promise(() => {});
      reload = () => void changes.reload();
      if (isReloadWanted) reload();
      return started;
    },
    /**
     * Ends the process. `drains`: open work may finish within `shutdownSeconds`. A second request cuts off open work, but
     * everything that was set up is still removed.
     */
    async stop(reason: string, code: number, drains: boolean): Promise<void> {
      if (exitCode !== undefined) {
        exitCode = Math.max(exitCode, code);
        if (!cut.signal.aborted) log.warn({ reason }, 'asked again: what is open is cut');
        cut.abort();
        return;
      }
      exitCode = code;
      if (!drains) cut.abort();
      // Nothing has been set up yet: `start` ends the process.
      if (starting === undefined) return;
      // A stop during the start waits for it, so that what it sets up is removed again.
      serviceManager.stopping(START_TIMEOUT_MS);
      const app = await starting.catch(() => undefined);
      const shutdownSeconds = store?.current.shutdownSeconds ?? 0;
      log.info({ reason, shutdownSeconds: drains ? shutdownSeconds : 0 }, 'stopping');
      serviceManager.stopping(shutdownSeconds * 1000 + STOP_TIMEOUT_MS);
      const limit = setTimeout(() => cut.abort(), shutdownSeconds * 1000);
      if (cut.signal.aborted) exitIn(STOP_TIMEOUT_MS);
      else cut.signal.addEventListener('abort', () => exitIn(STOP_TIMEOUT_MS));
      await app?.drain(cut.signal);
      clearTimeout(limit);
      cut.abort();
      try {
        await app?.[Symbol.asyncDispose]();
        log.info({}, 'stopped');
      } catch (err) {
        log.error({ err }, 'stopped, but not all could be taken away');
        exitCode = 1;
      }
      process.exit(exitCode);
    },
  };
}

/**
 * Logs to standard output and the ring. A slow or missing reader, or a full disk behind it, must neither stop nor block the
 * process.
 */
function openLog(level: string, stdout: LineOutput, logs: LogRing): Logger {
  return pino(
    { level, base: null },
    {
      write(line: string) {
        stdout.write(line);
        logs.add(line);
      },
    },
  );
}

function serviceManagerOf(log: Logger): ServiceManager {
  try {
    return connectServiceManager(process.env);
  } catch (err) {
    log.error({ err }, 'the service manager cannot be told how we are');
    return connectServiceManager({});
  }
}

/** Retries until it has been sent: otherwise systemd would end the process. */
function notifyReady(serviceManager: ServiceManager, log: Logger): void {
  try {
    serviceManager.ready();
  } catch (err) {
    log.error({ err, retryMs: READY_RETRY_MS }, 'could not tell the service manager that we serve');
    setTimeout(() => notifyReady(serviceManager, log), READY_RETRY_MS).unref();
  }
}

/** Tests that spawn the process with an IPC channel may make a worker die: {"failWorker": "nat64"}. */
function listenForTestHooks(app: App): void {
  process.on('message', ({ failWorker }: { failWorker: string }) => app.failWorker(failWorker));
}
