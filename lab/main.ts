/**
 * The lab: an internet and an island on one machine with the appliance between them, checked with real clients.
 *
 *   npm run lab                stays up after the checks, with the admin page on the machine itself, until Ctrl-C
 *   npm run lab -- --once      ends after the checks: 0 all passed, 1 not
 *   npm run lab -- --keep      copies the logs to a directory that outlives the run
 */
import { once } from 'node:events';
import { cpSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ADMIN_PORT, startAppliance, type Appliance } from './appliance.ts';
import { CHECKS, environmentOf, perform, prepareChecks, type Check, type Verdict } from './checks.ts';
import { ensurePackages, PACKAGES } from './packages.ts';
import { requireNamespaces, requireTun } from './preflight.ts';
import { openRelay } from './relay.ts';
import { ensureWeb } from '../tools/build-web.ts';
import { buildWorld, DRAWING, type World } from './world.ts';

const WAYS: Readonly<Record<Check['way'], string>> = {
  in: 'In: IPv4 clients reach the IPv6-only servers',
  refused: 'In: what belongs to nobody is refused, with the reason',
  out: 'Out: the IPv6-only servers reach IPv4-only hosts',
  appliance: 'The appliance',
};

const { values: options } = parseArgs({
  options: { once: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(`\nlab: ${error instanceof Error ? error.message : error}`);
  for (let cause = (error as Error).cause; cause instanceof Error; cause = cause.cause) {
    console.error(`  because: ${cause.message}`);
  }
  process.exitCode = 1;
}

/** Whether every check passed. Until the lab stays up, a signal ends the process, and everything that it built is removed. */
async function run(): Promise<boolean> {
  ensurePackages(PACKAGES.lab, console.log);
  requireTun();
  requireNamespaces();
  await ensureWeb(console.log);
  console.log(DRAWING);
  const startedAt = performance.now();
  await using world = await buildWorld();
  console.log(`Network and servers are up after ${seconds(performance.now() - startedAt)}.`);
  const appliance = await startAppliance(world);
  const log = createWriteStream(join(world.directory, 'appliance.log'));
  log.write(appliance.child.output());
  appliance.child.process.stdout?.pipe(log, { end: false });
  appliance.child.process.stderr?.pipe(log, { end: false });
  report(appliance);

  await prepareChecks(world, appliance);
  const failed = await performAll(world);
  const { rssBytes, peakRssBytes } = appliance.memory();
  console.log(
    `\n${CHECKS.length - failed} of ${CHECKS.length} checks passed. ` +
      `Memory of the process: ${mebibytes(rssBytes)} MiB, at most ${mebibytes(peakRssBytes)} MiB.`,
  );
  if (!options.once) await stayUp(world, appliance);

  const { code, leftBehind } = await appliance.stop();
  log.end();
  if (options.keep) keepLogs(world);
  const isClean = code === 0 && leftBehind.length === 0;
  console.log(
    isClean
      ? 'The appliance stopped and left no device, route, rule, nftables table or setting behind.'
      : `The appliance ended with ${code} and left behind:\n${leftBehind.join('\n')}`,
  );
  return failed === 0 && isClean;
}

function report({ answeredAfterMs, child }: Appliance): void {
  const each = Object.entries(answeredAfterMs).map(([name, ms]) => `${name} ${ms} ms`);
  const all = Math.max(...Object.values(answeredAfterMs));
  console.log(`The appliance is process ${child.pid}. From its start to its first answer:`);
  console.log(`  ${each.join(', ')}; all after ${seconds(all)}.`);
}

/** Runs the checks in order and prints each; returns how many failed. */
async function performAll(world: World): Promise<number> {
  let failed = 0;
  let way: Check['way'] | undefined;
  for (const check of CHECKS) {
    if (check.way !== way) console.log(`\n${bold(WAYS[check.way])}`);
    way = check.way;
    const verdict = await perform(world, check);
    if (!verdict.passed) failed++;
    print(check, verdict);
  }
  return failed;
}

function print(check: Check, { passed, problem, output }: Verdict): void {
  const word = passed ? green('passed') : red('FAILED');
  console.log(`  ${word} ${check.title} ${dim(`(${Math.round(output.elapsedMs)} ms)`)}`);
  console.log(dim(`         ${check.on}$ ${check.command}`));
  if (passed) return;
  console.log(`         ${problem}`);
  const said = `${output.stdout}${output.stderr}`.trimEnd().split('\n').slice(-12);
  for (const line of said) console.log(`         | ${line}`);
}

async function stayUp(world: World, appliance: Appliance): Promise<void> {
  await using relay = await openRelay(world.hosts.appliance, ADMIN_PORT, world.directory);
  if (relay.port !== ADMIN_PORT) console.log(`\nPort ${ADMIN_PORT} of this machine is taken.`);
  const enter = (host: keyof World['hosts']) => `ip netns exec ${world.hosts[host].namespace}`;
  const environment = Object.entries(environmentOf(world)).map(([name, value]) => `${name}=${value}`);
  console.log(`
${bold('The lab stays up until Ctrl-C.')}

  Control panel  http://127.0.0.1:${relay.port} (choose a password there)
  API token      cat ${appliance.tokenFile}
  Configuration  ${appliance.configFile} (kill -HUP ${appliance.child.pid} reads it again)
  Log            tail -f ${join(world.directory, 'appliance.log')}

${bold('Try, as root in another terminal')}

  export ${environment.join(' ')}
  ${enter('client')} curl -i https://example.com/
  ${enter('client')} ssh -F "$LAB/ssh_config" web1
  ${enter('web1')} dig AAAA ipv4only.example.net
  ${enter('web1')} ping ipv4only.example.net
  ${enter('appliance')} ip route
  ${enter('client')} bash    # and so for ${Object.keys(world.hosts).join(', ')}
`);
  // From here on, these signals are handled here and not by the topology builder.
  const ended = new AbortController();
  const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) =>
    once(process, signal, { signal: ended.signal }),
  );
  const died = appliance.child.exited.then((how) => `the appliance ended with ${how}`);
  const reason = await Promise.race([...signals.map((signal) => signal.then(() => undefined)), died]);
  ended.abort();
  await Promise.allSettled(signals);
  if (reason !== undefined) console.error(`lab: ${reason}\n${appliance.child.output().slice(-4000)}`);
  console.log('\nCleaning up.');
}

function keepLogs(world: World): void {
  const directory = join(tmpdir(), `lab-logs-${new Date().toISOString().replaceAll(':', '')}`);
  mkdirSync(directory);
  cpSync(join(world.directory, 'appliance.log'), join(directory, 'appliance.log'));
  writeFileSync(join(directory, 'environment.txt'), JSON.stringify(environmentOf(world), undefined, 2));
  console.log(`Logs are kept in ${directory}.`);
}

function style(code: number): (text: string) => string {
  return (text) => (process.stdout.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text);
}
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
function bold(text: string): string {
  return style(1)(text);
}
function dim(text: string): string {
  return style(2)(text);
}
function green(text: string): string {
  return style(32)(text);
}
function red(text: string): string {
  return style(31)(text);
}
