/** The process under test, in the appliance's namespace: started, awaited, measured and stopped. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, type Host, type Output, runCommand } from './host.ts';
import { waitUntil } from './wait.ts';
import type { World } from './world.ts';
import { ADDRESSES, HOSTNAMES, IPV4_ONLY } from './zone.ts';

const ROOT = join(import.meta.dirname, '..');
/** Longer than the process's own limits: 10 s for the drain, 8 s for its end. */
const STOP_TIMEOUT_MS = 25_000;
const FIRST_PATIENCE_MS = 200;
const PATIENCE_MS = 5000;
export const ADMIN_PORT = 8064;
/** The port at which SSH clients reach web1, as in the configuration. The appliance allots the port of web2. */
export const WEB1_SSH_PORT = 22001;

/** The configuration of the lab, as a user would write it: fields with defaults are left out. */
export const CONFIGURATION = {
  version: 1,
  hosts: [
    {
      name: 'web1',
      address: ADDRESSES.web1,
      hostnames: HOSTNAMES.web1,
      services: ['http', 'https', 'imaps', 'smtps'],
      ssh: { port: WEB1_SSH_PORT },
    },
    { name: 'web2', address: ADDRESSES.web2, hostnames: HOSTNAMES.web2, clientAddress: 'proxy-v1' },
    {
      name: 'web3',
      address: ADDRESSES.web3,
      hostnames: HOSTNAMES.web3,
      clientAddress: 'proxy-v2',
      ssh: false,
    },
  ],
  dns64: { upstreams: [`udp://${ADDRESSES.dns}`] },
} as const;

export interface ApplianceOptions {
  /** Lets `failWorker` reach the process over an IPC channel. */
  readonly testHooks?: boolean;
  /** Used instead of CONFIGURATION. */
  readonly configuration?: object;
  /** The probes that must succeed before the process counts as started; all when undefined. */
  readonly await?: readonly Probe[];
  /** Additional environment variables of the process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Memory {
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

export interface Appliance {
  readonly child: Child;
  readonly configFile: string;
  readonly stateDirectory: string;
  readonly tokenFile: string;
  /** Milliseconds from the start of the process until the first answer to a real client, by service. */
  readonly answeredAfterMs: Readonly<Record<Probe, number>>;
  memory(): Memory;
  /** Runs curl with the admin token, in the appliance's namespace; `args` are curl's own. */
  request(path: string, args?: readonly string[]): Promise<Output>;
  /** GET of the admin API. */
  api(path: string): Promise<unknown>;
  /** The SSH port of each server that has one. */
  sshPorts(): Promise<Record<string, number>>;
  /** Every counter, by service and name. */
  counters(): Promise<Record<string, Record<string, number>>>;
  /** How often the worker threads of each service were restarted. */
  restarts(): Promise<Record<string, number>>;
  /** Test hook: makes a worker thread throw. */
  failWorker(service: string): void;
  /** Stops the process; resolves with the state that it left in its namespace, line by line: normally nothing. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | NodeJS.Signals; leftBehind: string[] }>;
}

/** The first answer of each service to a real client. */
const PROBES = {
  proxy: {
    host: 'client',
    command: 'curl',
    args: ['-sS', '-m', '2', '-o', '/dev/null', 'https://example.com/'],
  },
  forward: {
    host: 'client',
    command: 'ssh-keyscan',
    args: ['-T', '2', '-t', 'ed25519', '-p', String(WEB1_SSH_PORT), ADDRESSES.appliance4],
    expect: 'ssh-ed25519',
  },
  dns64: {
    host: 'web1',
    command: 'dig',
    args: ['+short', '+time=1', '+tries=1', 'AAAA', IPV4_ONLY],
    expect: '64:ff9b::',
  },
  nat64: { host: 'web1', command: 'ping', args: ['-c', '1', '-W', '0.3', `64:ff9b::${ADDRESSES.mainland}`] },
  admin: {
    host: 'appliance',
    command: 'curl',
    args: ['-sS', '-f', '-m', '2', `http://127.0.0.1:${ADMIN_PORT}/api/health`],
    expect: '"status":"ok"',
  },
} as const satisfies Record<
  string,
  { host: keyof World['hosts']; command: string; args: readonly string[]; expect?: string }
>;
export type Probe = keyof typeof PROBES;
const PROBE_NAMES = Object.keys(PROBES) as Probe[];

/** Fills the compile cache first, so that the measured start is a normal one and not the first after a change. */
async function prepareCompileCache(): Promise<string> {
  const cache = process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile');
  // After a change everything is compiled; on a busy machine this takes longer than commands usually do.
  const { code, stderr } = await runCommand(process.execPath, [join(ROOT, 'tools/compile.ts')], {
    env: { NODE_COMPILE_CACHE: cache },
    timeoutMs: 120_000,
  });
  if (code !== 0) throw new Error(`tools/compile.ts ended with ${code}: ${stderr}`);
  return cache;
}

/** Starts the process and resolves when every service has answered; if one does not, rejects with the process's log. */
export async function startAppliance(world: World, options: ApplianceOptions = {}): Promise<Appliance> {
  const { appliance } = world.hosts;
  const configFile = join(world.directory, 'tombolo.json');
  const stateDirectory = join(world.directory, 'state');
  const tokenFile = join(stateDirectory, 'admin-token');
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(configFile, `${JSON.stringify(options.configuration ?? CONFIGURATION, undefined, 2)}\n`);
  const compileCache = await prepareCompileCache();
  const before = await kernelState(appliance);
  const startedAt = performance.now();
  const child = appliance.spawn(
    process.execPath,
    [join(ROOT, 'src/main.ts'), '--config', configFile, '--state', stateDirectory],
    {
      ipc: options.testHooks ?? false,
      env: {
        NODE_COMPILE_CACHE: compileCache,
        ...(options.testHooks && { TOMBOLO_TEST_HOOKS: '1' }),
        ...options.env,
      },
    },
  );
  const answered = await Promise.all(
    (options.await ?? PROBE_NAMES).map(
      async (name) => [name, await waitForAnswer(world, child, name, startedAt)] as const,
    ),
  ).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });

  const request: Appliance['request'] = (path, args = []) => {
    const token = readFileSync(tokenFile, 'utf8').trim();
    const authorization = ['-H', `Authorization: Bearer ${token}`];
    const url = `http://127.0.0.1:${ADMIN_PORT}${path}`;
    return appliance.run('curl', ['-sS', '-m', '5', ...authorization, ...args, url]);
  };
  const api = async (path: string): Promise<unknown> => JSON.parse((await request(path, ['-f'])).stdout);

  return {
    child,
    configFile,
    stateDirectory,
    tokenFile,
    answeredAfterMs: Object.fromEntries(answered) as Record<Probe, number>,
    memory: () => memoryOf(child.pid),
    request,
    api,
    async sshPorts() {
      const { servers } = (await api('/api/ssh-config')) as {
        servers: { name: string; port: number }[];
      };
      return Object.fromEntries(servers.map(({ name, port }) => [name, port]));
    },
    async counters() {
      const { services } = (await api('/api/counters')) as {
        services: { name: string; counters: { name: string; value: number }[] }[];
      };
      return Object.fromEntries(
        services.map(({ name, counters }) => [
          name,
          Object.fromEntries(counters.map((counter) => [counter.name, counter.value])),
        ]),
      );
    },
    async restarts() {
      const { services } = (await api('/api/status')) as { services: { name: string; restarts: number }[] };
      return Object.fromEntries(services.map(({ name, restarts }) => [name, restarts]));
    },
    failWorker: (service) => void child.process.send({ failWorker: service }),
    async stop(signal = 'SIGTERM') {
      const code = await child.stop(signal, STOP_TIMEOUT_MS);
      return { code, leftBehind: difference(before, await kernelState(appliance)) };
    },
  };
}

/** Repeats the probe until it succeeds; returns the milliseconds since `startedAt`. */
export async function waitForAnswer(
  world: World,
  child: Child,
  name: Probe,
  startedAt = performance.now(),
): Promise<number> {
  let last: Output | undefined;
  // A client that asked too early may wait for seconds (the kernel limits the rate of "port unreachable"). So it is stopped and
  // started again, with a longer time limit each time.
  let patienceMs = FIRST_PATIENCE_MS;
  await waitUntil(
    `an answer of ${name}`,
    async () => {
      if (child.process.exitCode !== null) throw new Error(`the process ended\n${child.output()}`);
      last = await probe(world, name, patienceMs);
      patienceMs = Math.min(patienceMs * 1.5, PATIENCE_MS);
      return isAnswer(name, last);
    },
    {
      intervalMs: 20,
      timeoutMs: 15_000,
      explain: () => `${last?.stdout}${last?.stderr}\nthe log of the process:\n${child.output()}`,
    },
  );
  return Math.round(performance.now() - startedAt);
}

/** Whether a real client gets an answer from the service now. */
export async function answers(world: World, name: Probe): Promise<boolean> {
  return isAnswer(name, await probe(world, name, PATIENCE_MS));
}

function probe(world: World, name: Probe, timeoutMs: number): Promise<Output> {
  const { host, command, args } = PROBES[name];
  return world.hosts[host].attempt(command, args, {
    env: { CURL_CA_BUNDLE: world.caCertificate },
    timeoutMs,
  });
}

function isAnswer(name: Probe, { code, stdout }: Output): boolean {
  const { expect = '' } = PROBES[name] as { readonly expect?: string };
  return code === 0 && stdout.includes(expect);
}

/** VmRSS and VmHWM of /proc/PID/status. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { rssBytes: bytes('VmRSS'), peakRssBytes: bytes('VmHWM') };
}

const KERNEL_STATE_COMMANDS = [
  'ip -oneline link show',
  'ip -oneline address show',
  'ip -4 route show table all',
  'ip -6 route show table all',
  'ip -4 rule show',
  'ip -6 rule show',
  'nft list ruleset',
  "grep -rs '^' /proc/sys/net", // an empty parameter has a line, too
] as const;

/** Devices, addresses, routes, rules, nftables and sysctls of a host: a list of lines for each command. */
async function kernelState(host: Host): Promise<Map<string, string[]>> {
  const entries = await Promise.all(
    KERNEL_STATE_COMMANDS.map(async (command) => {
      const { stdout } = await host.attempt('sh', ['-c', command]);
      return [command, stdout.split('\n').filter((line) => line !== '')] as const;
    }),
  );
  return new Map(entries);
}

/** New lines ("+") and missing lines ("-"). Ignores counters, and the effects of loading a kernel module. */
function difference(before: Map<string, string[]>, after: Map<string, string[]>): string[] {
  const isSysctl = (line: string) => line.startsWith('/proc/sys/');
  const sysctlName = (line: string) => line.slice(0, line.indexOf(':'));
  const found: string[] = [];
  for (const [command, lines] of after) {
    const old = before.get(command) ?? [];
    const oldNames = new Set(old.filter(isSysctl).map(sysctlName));
    const volatile = (line: string) =>
      isSysctl(line) && (!oldNames.has(sysctlName(line)) || line.includes('nf_conntrack_count'));
    const appeared = lines.filter((line) => !old.includes(line) && !volatile(line));
    const gone = old.filter((line) => !lines.includes(line) && !volatile(line));
    found.push(...appeared.map((line) => `+ ${line}`), ...gone.map((line) => `- ${line}`));
  }
  return found;
}
