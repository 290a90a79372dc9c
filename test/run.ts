/**
 * Runs the tests and prints one closing line with the counts; exit code 1 if anything failed.
 *
 *   node test/run.ts          everything (`npm test`): the gate, the tests in network namespaces, in a browser, of the image
 *   node test/run.ts check    the gate before each commit (`npm run check`): types, lint, format, unit tests
 *   node test/run.ts unit | netns | browser [FILE ...]    one part, or only these files of it
 *   node test/run.ts NAME     (`npm test -- NAME`): the files of these three parts with NAME in their path
 *   node test/run.ts image    (`npm run test:image`): builds the image and boots it in QEMU
 *   node test/run.ts power-cuts | raspi3b    the same image: many power cuts; the machine raspi3b of QEMU
 *   node test/run.ts http-long    (`npm run test:http-long`): the long forms of the HTTP tests, half an hour
 *   node test/run.ts reproducible    builds the image twice from nothing and compares
 *
 * TOMBOLO_MORE_REQUESTS=N: the number of additional random requests to the admin API in the unit tests; 10 000 when everything
 * runs. TOMBOLO_IMAGE=DIRECTORY: tests an existing image instead of building one.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { ensurePackages, PACKAGES } from '../lab/packages.ts';
import { requireNamespaces, requireTun } from '../lab/preflight.ts';
import { ensureWeb } from '../tools/build-web.ts';

const root = new URL('..', import.meta.url).pathname;
const [part = 'all', ...onlyFiles] = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };
if (part === 'all') process.env['TOMBOLO_MORE_REQUESTS'] ??= '10000';

const PARTS: Readonly<Record<string, readonly (() => void | Promise<void>)[]>> = {
  all: [checkSources, unit, netns, browser, image],
  check: [checkSources, unit],
  unit: [unit],
  netns: [netns],
  browser: [browser],
  image: [image],
  'http-long': [httpLong],
  'power-cuts': [() => bootImage('virt', 'test/image/long/power-cuts.test.ts')],
  raspi3b: [() => bootImage('raspi3b', 'test/image/long/raspi3b.test.ts')],
  reproducible: [() => runTests('test/image/long/reproducible.test.ts', 1, 3_600_000)],
};
const steps = PARTS[part] ?? [() => named(part)];
try {
  await timed('packages', () => {
    for (const packages of packagesOf(part)) ensurePackages(packages, console.log);
  });
  await ensureWeb(console.log);
  for (const step of steps) await step();
} catch (error) {
  // A missing tool or right: the message says what is missing and how to fix it.
  console.error(`✖ ${(error as Error).message}`);
  counts.failed++;
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;

function packagesOf(name: string): (typeof PACKAGES)[keyof typeof PACKAGES][] {
  if (name === 'all') return [PACKAGES.test, PACKAGES.browser, PACKAGES.image];
  if (name === 'browser') return [PACKAGES.browser];
  if (name === 'http-long') return [PACKAGES.test, PACKAGES.browser];
  if (['image', 'power-cuts', 'raspi3b', 'reproducible'].includes(name)) return [PACKAGES.image];
  return filesOf('test/browser/**/*.test.ts', name).length > 0
    ? [PACKAGES.test, PACKAGES.browser]
    : [PACKAGES.test];
}

function checkSources(): void {
  for (const command of [
    'tsc --noEmit',
    'tsc --noEmit -p web',
    'biome lint --error-on-warnings',
    'biome format',
    'tools/service-names.ts',
    'tools/import-circles.ts',
    'tools/import-floors.ts',
    'tools/rooms.ts',
    'tools/sizes.ts',
    // A commit needs no complete translations; a release does.
    part === 'all' ? 'tools/languages.ts --release' : 'tools/languages.ts',
  ]) {
    const [tool, ...args] = command.split(' ');
    const program = tool.endsWith('.ts')
      ? [process.execPath, root + tool]
      : [`${root}node_modules/.bin/${tool}`];
    const { status, error } = spawnSync(program[0], [...program.slice(1), ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    console.log(`${status === 0 ? '✔' : '✖'} ${command} ${error?.message ?? ''}`);
    counts[status === 0 ? 'passed' : 'failed']++;
  }
}

function unit(): Promise<void> {
  // The thousands of requests to the admin API take minutes on a busy machine.
  return runTests('test/unit/**/*.test.ts', availableParallelism(), 1_800_000);
}

async function netns(): Promise<void> {
  requireNamespaces();
  requireTun();
  // One at a time: they share the machine's cores, and some of them measure.
  await runTests('test/netns/**/*.test.ts', 1, 1_800_000);
}

/** The control panel in Chromium, against the process in the lab. */
async function browser(): Promise<void> {
  requireNamespaces();
  requireTun();
  await runTests('test/browser/**/*.test.ts', 1, 900_000);
}

/** 20,000 connections, 1 GB each way, 1,000 changes of the configuration, five minutes of Chromium. */
async function httpLong(): Promise<void> {
  requireNamespaces();
  requireTun();
  process.env['TOMBOLO_LONG'] = '1';
  for (const file of ['netns/http-load', 'netns/http-workers', 'netns/http-hostile', 'browser/http-traffic'])
    await runTests(`test/${file}.test.ts`, 1, 3_600_000);
}

async function named(name: string): Promise<void> {
  const patterns = ['unit', 'netns', 'browser'].map((each) => `test/${each}/**/*.test.ts`);
  const found = patterns.filter((pattern) => filesOf(pattern, name).length > 0);
  if (found.length === 0) {
    const parts = Object.keys(PARTS).join(', ');
    throw new Error(`no test file has "${name}" in its path, and the parts are ${parts}`);
  }
  for (const pattern of found) await runTests(pattern, 1, 1_800_000, name);
}

function filesOf(pattern: string, name: string): string[] {
  return globSync(pattern, { cwd: root }).filter((file) => file.includes(name));
}

function image(): Promise<void> {
  return bootImage('virt', 'test/image/*.test.ts');
}

/** Builds the image and runs its tests. At most an hour: it emulates another processor. */
async function bootImage(model: 'virt' | 'raspi3b', pattern: string): Promise<void> {
  requireNamespaces();
  requireTun();
  if (process.env['TOMBOLO_IMAGE'] === undefined) {
    await timed(`image for ${model}`, () => {
      const { status } = spawnSync(`${root}build-image.sh`, ['--debian-test', model, '--reuse-base'], {
        stdio: 'inherit',
      });
      if (status !== 0) throw new Error(`build-image.sh --debian-test ${model} failed`);
      counts.passed++;
    });
  }
  await runTests(pattern, 1, 3_600_000);
}

/** Runs a step and prints how long it took. */
async function timed(what: string, action: () => void | Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await action();
  console.log(`${what}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
}

async function runTests(pattern: string, concurrency: number, timeout = 300_000, name = ''): Promise<void> {
  const files = filesOf(pattern, name)
    .filter((file) => onlyFiles.length === 0 || onlyFiles.some((only) => relative(root, only) === file))
    .sort()
    .map((file) => root + file);
  if (files.length === 0) throw new Error(`no test file matches ${[pattern, ...onlyFiles].join(' ')}`);
  const stream = run({ files, concurrency, timeout, execArgv: ['--import', `${root}test/guard-texts.ts`] });
  stream.on('test:pass', ({ details }) => {
    if (details.type !== 'suite') counts.passed++;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed++;
  });
  const report = stream.compose(spec);
  report.pipe(process.stdout, { end: false });
  await timed(pattern, () => new Promise((resolve, reject) => report.on('end', resolve).on('error', reject)));
}
