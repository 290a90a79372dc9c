/**
 * Arguments and exit codes: 0 stopped on request, 1 failure, 2 wrong usage, or with --check an invalid configuration. `run.ts`
 * continues from here.
 */
import { keepSignals } from './signals.ts';
import { chmodSync, readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeDirectory } from './os/make-directory.ts';
import { keepHeapsSmall } from './runtime/heap.ts';
import { inlineMore } from './runtime/inlining.ts';

const signals = keepSignals();
const EXIT_USAGE = 2;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];

const USAGE = `Usage: tombolo [--config FILE] [--state DIR] [--check] [--log-level LEVEL]

  --config FILE      configuration; a missing file means every default, a bad one that the last good one of the
                     history runs (default: /etc/tombolo/config.json)
  --state DIR        what must survive a restart (default: /var/lib/tombolo)
  --check            validate the configuration and exit: 0 good, 2 refused
  --log-level LEVEL  debug, info, warn or error (default: info)
  --version, --help
`;

/**
 * Anyone who can write to the cache controls what this process runs, so the directory is private. Without the directory there
 * is no cache, but everything else works.
 */
function makePrivateDirectory(path: string): string {
  try {
    makeDirectory(path);
    chmodSync(path, 0o700);
  } catch {
    // A read-only or full disk.
  }
  return path;
}

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

const options = parseArguments();
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
if (options.help) {
  process.stdout.write(USAGE);
  process.exit();
}
if (options.version) {
  process.stdout.write(`tombolo ${version}\n`);
  process.exit();
}
if (!LOG_LEVELS.includes(options['log-level'])) {
  exitWith(EXIT_USAGE, `tombolo: --log-level "${options['log-level']}": expected ${LOG_LEVELS.join(', ')}`);
}

if (!options.check) {
  keepHeapsSmall();
  inlineMore();
  // The compile cache saves a third of the start time, and 15 MB in each thread, because types are stripped once and the result
  // is stored. Worker threads read the setting from the environment. If it is set before the start (tools/node.sh, the unit),
  // this thread profits too.
  process.env['NODE_COMPILE_CACHE'] ??= makePrivateDirectory(join(options.state, 'compile-cache'));
  enableCompileCache();
}
const { checkConfig, run } = await import('./run.ts');
if (options.check) {
  const refusal = checkConfig(options.config);
  if (refusal !== undefined) exitWith(EXIT_USAGE, refusal);
  process.stdout.write(`${options.config}: good\n`);
} else {
  await run({
    configPath: options.config,
    stateDirectory: options.state,
    version,
    logLevel: options['log-level'],
    signals,
  });
}
