/**
 * `npm run bench`: Tombolo and its peers, measured side by side in one run. Prints a table and writes build/bench.json.
 * docs/benchmarks.md explains each row. The exit code is 0 whatever the figures are, and 1 if something failed; with --strict
 * also if a target was missed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { openBeside } from './beside.ts';
import { openDns } from './dns.ts';
import { type Row, fillRow, interleave } from './measure.ts';
import { openNat64Sessions } from './nat64-sessions.ts';
import { openNat64, openNat64Translator } from './nat64.ts';
import { openProxy } from './proxy.ts';
import { renderTable } from './report.ts';
import { openRequests } from './requests.ts';
import { openStartup } from './startup.ts';
import type { Subject, SubjectOptions } from './subject.ts';

const SUBJECTS: Readonly<Record<string, (options: SubjectOptions) => Promise<Subject>>> = {
  nat64: openNat64,
  'nat64-translator': openNat64Translator,
  'nat64-sessions': openNat64Sessions,
  proxy: openProxy,
  requests: openRequests,
  beside: openBeside,
  dns: openDns,
  startup: openStartup,
};

/** The program that is measured: this checkout's. */
const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

/** The peers whose versions are printed with the figures. */
const PEERS = ['iperf3', 'tayga', 'nginx', 'haproxy', 'unbound', 'dnsperf'];

const USAGE = `Usage: npm run bench -- [options]
  --rounds N       measured rounds (default 5)
  --seconds N      length of one measurement (default 4)
  --rows PATTERN   only what fills a row whose id (see the JSON) has this in it, a regular expression
  --only LIST      subjects, of ${Object.keys(SUBJECTS).join(',')} (default all)
  --short          2 rounds of 1 second: shows that everything runs, measures nothing well
  --congestion CC  TCP congestion control of every host (default reno)
  --main FILE      the program to measure (default: src/main.ts of this checkout)
  --other FILE     measures another checkout's src/main.ts beside it, as "other" (subjects proxy and requests)
  --output FILE    where the JSON goes (default build/bench.json)
  --strict         exit with 1 when a target is short`;

interface Options extends SubjectOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly subjects: readonly string[];
  readonly rows: RegExp;
  readonly output: string;
  readonly strict: boolean;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      rows: { type: 'string', default: '' },
      short: { type: 'boolean', default: false },
      main: { type: 'string', default: MAIN },
      other: { type: 'string' },
      congestion: { type: 'string', default: 'reno' },
      output: { type: 'string', default: 'build/bench.json' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit();
  }
  const whole = (name: 'rounds' | 'seconds', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`--${name} ${values[name]}: expected a whole number of at least 1`);
    return value;
  };
  const subjects = values.only?.split(',') ?? Object.keys(SUBJECTS);
  for (const subject of subjects) {
    if (!(subject in SUBJECTS))
      throw new Error(`--only ${subject}: expected some of ${Object.keys(SUBJECTS).join(', ')}`);
  }
  return {
    rounds: whole('rounds', values.short ? 2 : 5),
    seconds: whole('seconds', values.short ? 1 : 4),
    subjects,
    rows: new RegExp(values.rows),
    main: resolve(values.main),
    other: values.other === undefined ? undefined : resolve(values.other),
    congestionControl: values.congestion,
    output: values.output,
    strict: values.strict,
  };
}

/** Measures one subject and prints each row as soon as it is filled. */
async function measure(name: string, options: Options): Promise<Row[]> {
  const rows: Row[] = [];
  await using subject = await SUBJECTS[name](options);
  const { rounds, seconds } = options;
  for (const { contenders, rows: plans, isOnce = false } of subject.scenarios) {
    if (!plans.some(({ id }) => options.rows.test(id))) continue;
    const names = contenders.map((contender) => contender.name).join(', ');
    console.error(`${plans[0].title}: ${names}, ${isOnce ? 'once' : `${rounds} rounds`}`);
    const samples = await interleave(contenders, {
      rounds: isOnce ? 1 : rounds,
      seconds,
      warmUpSeconds: isOnce ? 0 : 1,
    });
    rows.push(...plans.map((plan) => fillRow(plan, samples)));
  }
  return rows;
}

/** dpkg-query writes the name, a tab and the version. */
const packageVersion = (name: string) =>
  execFileSync('dpkg-query', ['--show', name], { encoding: 'utf8' }).split('\t')[1].trim();

/** The machine of the measurement: kinds and versions, nothing that identifies it. */
function describeMachine() {
  const processors = cpus();
  return {
    processors: `${processors.length} x ${processors[0].model.trim()}`,
    architecture: arch(),
    linux: release(),
    node: process.version,
    distribution: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    packages: Object.fromEntries(PEERS.map((name) => [name, packageVersion(name)])),
  };
}

async function main(): Promise<number> {
  const options = parseOptions();
  ensurePackages(PACKAGES.bench, console.log);
  const startedAt = new Date();
  const machine = describeMachine();
  const rows: Row[] = [];
  for (const subject of options.subjects) rows.push(...(await measure(subject, options)));

  const { rounds, seconds, congestionControl } = options;
  console.log(
    `${startedAt.toISOString().slice(0, 10)}, ${machine.processors}, ${machine.architecture}, ${machine.distribution}, Linux ${machine.linux}, Node ${machine.node}`,
  );
  console.log(
    `${rounds} rounds of ${seconds} s; TCP ${congestionControl}; ratios are taken within a round.\n`,
  );
  console.log(renderTable(rows));
  mkdirSync(dirname(resolve(options.output)), { recursive: true });
  const report = {
    date: startedAt.toISOString(),
    machine,
    congestionControl,
    rounds,
    seconds,
    rows,
  };
  writeFileSync(options.output, `${JSON.stringify(report, undefined, 2)}\n`);

  const verdicts = rows.flatMap((row) => row.verdicts);
  const short = verdicts.filter(({ reached }) => !reached).length;
  console.log(
    `\n${verdicts.length - short} of ${verdicts.length} targets reached; JSON in ${options.output}`,
  );
  return options.strict && short > 0 ? 1 : 0;
}

process.exitCode = await main();
