/** Arguments, signals, and the life of the process. Exit codes: 0 stopped on request, 1 failure, 2 bad configuration or usage. */
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { formatProblem } from './config/problem.ts';
import { ConfigError, openConfigStore } from './config/store.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** How long an orderly stop may take before the process ends regardless. */
const STOP_TIMEOUT_MS = 8000;

const USAGE = `Usage: tombolo [--config FILE] [--state DIR] [--check] [--log-level LEVEL]

  --config FILE      configuration; a missing file means every default (default: /etc/tombolo/config.json)
  --state DIR        what must survive a restart (default: /var/lib/tombolo)
  --check            validate the configuration and exit: 0 good, 2 refused
  --log-level LEVEL  debug, info, warn or error (default: info)
  --version, --help
`;

/** Ends the process with a message for the person who started it. */
function exitWith(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function parseArguments() {
  try {
    return parseArgs({
      options: {
        config: { type: 'string', default: '/etc/tombolo/config.json' },
        state: { type: 'string', default: '/var/lib/tombolo' },
        check: { type: 'boolean', default: false },
        'log-level': { type: 'string', default: 'info' },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return exitWith(EXIT_USAGE, `tombolo: ${(error as Error).message}\n\n${USAGE}`);
  }
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const options = parseArguments();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit();
}
if (options.version) {
  process.stdout.write(`tombolo ${version}\n`);
  process.exit();
}
if (!['debug', 'info', 'warn', 'error'].includes(options['log-level'])) {
  exitWith(EXIT_USAGE, `tombolo: --log-level "${options['log-level']}": expected debug, info, warn or error`);
}

const log = pino({ level: options['log-level'], base: null });
const store = openStore();
if (options.check) {
  process.stdout.write(`${options.config}: good\n`);
  process.exit();
}
await run();

function openStore() {
  try {
    return openConfigStore(options.config, log);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return exitWith(
      EXIT_USAGE,
      error.problems.map((problem) => formatProblem(problem, options.config)).join('\n'),
    );
  }
}

async function run(): Promise<void> {
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const starting = startApp({ store, stateDirectory: options.state, version, log });
  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) process.exit(code || EXIT_FAILURE); // asked twice: at once
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(
      () => exitWith(EXIT_FAILURE, `tombolo: not stopped after ${STOP_TIMEOUT_MS} ms`),
      STOP_TIMEOUT_MS,
    ).unref();
    // A stop in the middle of the start waits for it, so that what it makes is taken away again.
    const app = await starting.catch(() => undefined);
    await app?.[Symbol.asyncDispose]();
    log.info({}, 'stopped');
    process.exit(code);
  };
  const crash = (err: unknown, origin: string) => {
    log.error({ err }, `${origin}: stopping so that the supervisor starts a sound process`);
    stop(origin, EXIT_FAILURE).catch(() => process.exit(EXIT_FAILURE));
  };
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGHUP', () => void store.reload());
  process.on('uncaughtException', crash);

  const app = await starting;
  log.info({ version, config: options.config, state: options.state }, 'started');
  if (process.env['TOMBOLO_TEST_HOOKS'] === '1') listenForTestHooks(app);
}

/** Tests that spawn the process with an IPC channel may make a worker die: {"failWorker": "nat64"}. */
function listenForTestHooks(app: App): void {
  process.on('message', ({ failWorker }: { failWorker: string }) => app.failWorker(failWorker));
}
