/**
 * Network namespaces for the NAT64 tests:
 *
 *   island ----------- appliance --------------- router ------------------ internet
 *   2001:db8:1::10     2001:db8:1::1             198.51.100.254            203.0.113.9
 *                      198.51.100.1              203.0.113.254
 *
 *   neighbour -------- 2001:db8:3::1
 *   2001:db8:3::10
 *
 * The default route of island and neighbour is the appliance; the appliance's IPv4 default route is the router.
 */
import { execFile, fork, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServiceStatus } from '../../../src/runtime/report.ts';
import type { Request } from './appliance.ts';
import type { Nat64Changes } from './configuration.ts';

const exec = promisify(execFile);

export type Host = 'island' | 'neighbour' | 'appliance' | 'router' | 'internet';
export const ISLAND = '2001:db8:1::10';
export const NEIGHBOUR = '2001:db8:3::10';
export const INTERNET = '203.0.113.9';
/** 203.0.113.9 behind the well-known prefix. */
export const INTERNET6 = '64:ff9b::203.0.113.9';
export const POOL4 = '198.51.100.1';

export interface Appliance {
  ask(request: Request): Promise<unknown>;
  status(): Promise<ServiceStatus>;
  counters(): Promise<Record<string, number>>;
  /** Ends it the way the service ends: disposes, then exits. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Stops all of its threads where they are, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface Topology extends AsyncDisposable {
  /** Runs a program in a host's namespace and resolves with its standard output; rejects when it fails. */
  run(host: Host, ...command: string[]): Promise<string>;
  /** Starts a program that goes on until the topology is removed. */
  start(host: Host, ...command: string[]): ChildProcess;
  /** The same with a standard input to write to. */
  startWithInput(host: Host, ...command: string[]): ChildProcess;
  /** `wrapper`: a command that the process is started by. */
  startAppliance(nat64?: Nat64Changes, ...wrapper: string[]): Promise<Appliance>;
  /** Where an appliance keeps what survives a restart. */
  readonly stateDirectory: string;
}

const ip = (text: string) => exec('ip', text.split(' '));
const name = (host: Host) => `tb-nat64-${process.pid}-${host}`;
/** `ip` in a host's namespace. */
const inside = (host: Host, text: string) => ip(`-n ${name(host)} ${text}`);

const connect = (a: Host, aDevice: string, b: Host, bDevice: string) =>
  ip(`link add ${aDevice} netns ${name(a)} type veth peer name ${bDevice} netns ${name(b)}`);

async function address(host: Host, device: string, text: string): Promise<void> {
  await inside(host, `addr add ${text} dev ${device}${text.includes(':') ? ' nodad' : ''}`);
  await inside(host, `link set ${device} up`);
}

async function run(host: Host, ...command: string[]): Promise<string> {
  const { stdout } = await exec('ip', ['netns', 'exec', name(host), ...command], { timeout: 60_000 });
  return stdout;
}

export async function createTopology(): Promise<Topology> {
  await using cleanUp = new AsyncDisposableStack();
  const stateDirectory = mkdtempSync(join(tmpdir(), 'tombolo-nat64-'));
  cleanUp.defer(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const children = new Set<ChildProcess>();

  for (const host of ['island', 'neighbour', 'appliance', 'router', 'internet'] as const) {
    await ip(`netns add ${name(host)}`);
    cleanUp.defer(async () => void (await ip(`netns del ${name(host)}`)));
    await inside(host, 'link set lo up');
  }
  await connect('island', 'eth0', 'appliance', 'lan');
  await connect('neighbour', 'eth0', 'appliance', 'lan2');
  await connect('appliance', 'wan', 'router', 'customer');
  await connect('router', 'core', 'internet', 'eth0');
  await address('island', 'eth0', `${ISLAND}/64`);
  await address('appliance', 'lan', '2001:db8:1::1/64');
  await address('neighbour', 'eth0', `${NEIGHBOUR}/64`);
  await address('appliance', 'lan2', '2001:db8:3::1/64');
  await address('appliance', 'wan', `${POOL4}/24`);
  await address('router', 'customer', '198.51.100.254/24');
  await address('router', 'core', '203.0.113.254/24');
  await address('internet', 'eth0', `${INTERNET}/24`);
  await inside('island', '-6 route add default via 2001:db8:1::1');
  await inside('neighbour', '-6 route add default via 2001:db8:3::1');
  await inside('appliance', 'route add default via 198.51.100.254');
  await inside('internet', 'route add default via 203.0.113.254');
  await run('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');

  // Children end before their namespaces do.
  cleanUp.defer(async () => {
    for (const child of children) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  });
  const keep = (child: ChildProcess) => {
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  const all = cleanUp.move();
  return {
    run,
    stateDirectory,
    start: (host, ...command) =>
      keep(spawn('ip', ['netns', 'exec', name(host), ...command], { stdio: ['ignore', 'pipe', 'pipe'] })),
    startWithInput: (host, ...command) =>
      keep(spawn('ip', ['netns', 'exec', name(host), ...command], { stdio: ['pipe', 'pipe', 'pipe'] })),
    async startAppliance(nat64 = {}, ...wrapper) {
      const child = keep(
        fork(join(import.meta.dirname, 'appliance.ts'), [stateDirectory, JSON.stringify(nat64)], {
          execPath: '/usr/sbin/ip',
          execArgv: ['netns', 'exec', name('appliance'), ...wrapper, process.execPath],
        }),
      );
      return controlAppliance(child);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function controlAppliance(child: ChildProcess): Promise<Appliance> {
  const answer = async () => {
    using done = new DisposableStack();
    const abort = done.adopt(new AbortController(), (controller) => controller.abort());
    const options = { signal: abort.signal };
    const ended = once(child, 'exit', options).then(([code]) => {
      throw new Error(`the appliance's process ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, 'message', options), ended]);
    const { error, result } = message as { error?: string; result?: unknown };
    if (error !== undefined) throw new Error(error);
    return result;
  };
  await answer();
  const ask = (request: Request) => {
    const answered = answer();
    child.send(request);
    return answered;
  };
  return {
    ask,
    status: async () => (await ask({ ask: 'status' })) as ServiceStatus,
    counters: async () => (await ask({ ask: 'counters' })) as Record<string, number>,
    async stop() {
      const ended = once(child, 'exit');
      child.send({ ask: 'stop' } satisfies Request);
      await ended;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
