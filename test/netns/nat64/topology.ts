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
import { fork, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildTopology } from '../../../lab/topology.ts';
import type { ServiceStatus } from '../../../src/runtime/report.ts';
import type { Request } from './appliance.ts';
import type { Nat64Changes } from './configuration.ts';

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
  /** Ends it as the service ends: disposes, then exits. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Stops all of its threads immediately, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface Topology extends AsyncDisposable {
  /** Runs a program in a host's namespace and resolves with its standard output; rejects with its error output if it fails. */
  run(host: Host, ...command: string[]): Promise<string>;
  /** Starts a program that runs until the topology is removed. */
  start(host: Host, ...command: string[]): ChildProcess;
  /** The same, with a standard input that the test can write to. */
  startWithInput(host: Host, ...command: string[]): ChildProcess;
  /** `wrapper`: a command that starts the process. */
  startAppliance(nat64?: Nat64Changes, ...wrapper: string[]): Promise<Appliance>;
  /** Where an appliance keeps the files that survive a restart. */
  readonly stateDirectory: string;
}

const SPEC = {
  hosts: {
    island: {
      interfaces: { eth0: { segment: 'lan', addresses: [`${ISLAND}/64`] } },
      routes: ['default via 2001:db8:1::1'],
    },
    neighbour: {
      interfaces: { eth0: { segment: 'lan2', addresses: [`${NEIGHBOUR}/64`] } },
      routes: ['default via 2001:db8:3::1'],
    },
    appliance: {
      interfaces: {
        lan: { segment: 'lan', addresses: ['2001:db8:1::1/64'] },
        lan2: { segment: 'lan2', addresses: ['2001:db8:3::1/64'] },
        wan: { segment: 'wan', addresses: [`${POOL4}/24`] },
      },
      routes: ['default via 198.51.100.254'],
    },
    router: {
      interfaces: {
        customer: { segment: 'wan', addresses: ['198.51.100.254/24'] },
        core: { segment: 'core', addresses: ['203.0.113.254/24'] },
      },
      sysctls: { 'net/ipv4/ip_forward': 1 },
    },
    internet: {
      interfaces: { eth0: { segment: 'core', addresses: [`${INTERNET}/24`] } },
      routes: ['default via 203.0.113.254'],
    },
  },
} as const;

export async function createTopology(): Promise<Topology> {
  await using cleanUp = new AsyncDisposableStack();
  const { hosts, directory } = cleanUp.use(await buildTopology(SPEC));
  const stateDirectory = join(directory, 'state');
  mkdirSync(stateDirectory);
  const children = new Set<ChildProcess>();
  const inside = (host: Host, command: readonly string[]) => [
    'netns',
    'exec',
    hosts[host].namespace,
    ...command,
  ];

  // Children end before their namespaces are removed.
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
    async run(host, command, ...args) {
      const { code, stdout, stderr } = await hosts[host].attempt(command, args, { timeoutMs: 300_000 });
      if (code === 0) return stdout;
      throw Object.assign(new Error(`${host}: ${command} failed with ${code}\n${stderr}`), {
        stdout,
        stderr,
      });
    },
    stateDirectory,
    start: (host, ...command) =>
      keep(spawn('ip', inside(host, command), { stdio: ['ignore', 'pipe', 'pipe'] })),
    startWithInput: (host, ...command) =>
      keep(spawn('ip', inside(host, command), { stdio: ['pipe', 'pipe', 'pipe'] })),
    async startAppliance(nat64 = {}, ...wrapper) {
      const child = keep(
        fork(join(import.meta.dirname, 'appliance.ts'), [stateDirectory, JSON.stringify(nat64)], {
          execPath: '/usr/sbin/ip',
          execArgv: inside('appliance', [...wrapper, process.execPath]),
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
