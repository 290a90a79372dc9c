/** A host of a topology: a network namespace in which commands run. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { waitUntil } from './wait.ts';
import type { WaitOptions } from './wait.ts';

/** Debian installs daemons in /usr/sbin, which is not in every user's path. */
export const PATH = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
const KEPT_OUTPUT_CHARACTERS = 1 << 20;
/** The column `st` of /proc/net/tcp and /proc/net/udp. */
const TCP_LISTEN = '0A';
const UDP_UNCONNECTED = '07';

export interface RunOptions {
  /** Default 10 s; the command is then killed. */
  readonly timeoutMs?: number;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The result of a command. `code` is undefined when it was killed. */
export interface Output {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Gives the child an IPC channel: `child.process.send()`. */
  readonly ipc?: boolean;
}

/** A process that runs until it is stopped, in its own process group. Disposing stops it. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves with the exit code, or with the name of the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Standard output and standard error in their order, the last megabyte. */
  output(): string;
  /** Resolves with the match in a line of its output, earlier lines included; rejects when it exits first. */
  waitForLine(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray>;
  /** Resolves when something in its namespace listens on the port; rejects when the child exits first. */
  waitForListener(protocol: 'tcp' | 'udp', port: number, options?: WaitOptions): Promise<void>;
  /** Sends the signal and waits; processes of its group that remain after `graceMs` are killed. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<number | NodeJS.Signals>;
}

export interface Host extends AsyncDisposable {
  /** Its name in the topology. */
  readonly name: string;
  /** For `ip netns exec`. */
  readonly namespace: string;
  /** Runs a command to its end; rejects with its output when it fails. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<Output>;
  /** The same, for commands whose failure is a valid result. */
  attempt(command: string, args?: readonly string[], options?: RunOptions): Promise<Output>;
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): Child;
}

/** A host for the namespace of this name. Disposing it stops the processes of `spawn`, the last one first. */
export function createHost(name: string, namespace: string): Host {
  const children: Child[] = [];

  const attempt: Host['attempt'] = (command, args = [], options = {}) =>
    runCommand('ip', ['netns', 'exec', namespace, command, ...args], options);

  const run: Host['run'] = async (command, args = [], options = {}) => {
    const output = await attempt(command, args, options);
    if (output.code === 0) return output;
    const how = output.code === undefined ? 'was killed' : `failed with code ${output.code}`;
    throw new Error(
      `${name}: ${[command, ...args].join(' ')} ${how} after ${Math.round(output.elapsedMs)} ms\n${output.stderr || output.stdout}`,
    );
  };

  const spawnChild: Host['spawn'] = (command, args = [], options = {}) => {
    const child = createChild(name, namespace, command, args, options);
    children.push(child);
    return child;
  };

  return {
    name,
    namespace,
    run,
    attempt,
    spawn: spawnChild,
    async [Symbol.asyncDispose]() {
      for (const child of children.reverse()) await child.stop();
    },
  };
}

/** Runs a command on the machine itself; never rejects because of the command's result. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Output> {
  const startedAt = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, PATH, LC_ALL: 'C.UTF-8', ...options.env },
    stdio: 'pipe',
  });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (texts[stream] += text));
  }
  const kill = () => killGroup(child.pid, 'SIGKILL');
  const timer = setTimeout(kill, options.timeoutMs ?? 60_000);
  options.signal?.addEventListener('abort', kill, { once: true });
  child.on('error', (cause) => {
    clearTimeout(timer);
    reject(new Error(`cannot run ${command}`, { cause }));
  });
  child.on('close', (code) => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
    resolve({ code: code ?? undefined, ...texts, elapsedMs: performance.now() - startedAt });
  });
  // A command that ends without reading its input is not an error.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return promise;
}

function createChild(
  hostName: string,
  namespace: string,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Child {
  const title = `${hostName}: ${command}`;
  // `ip netns exec` becomes the command (execvp), so signals and the IPC channel reach the command itself.
  const child = spawn('ip', ['netns', 'exec', namespace, command, ...args], {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, PATH, ...options.env },
    stdio: options.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (text: string) => {
    output += text;
    if (output.length > 2 * KEPT_OUTPUT_CHARACTERS) output = output.slice(-KEPT_OUTPUT_CHARACTERS);
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  let ended: number | NodeJS.Signals | undefined;
  const { promise: exited, resolve: resolveExited } = Promise.withResolvers<number | NodeJS.Signals>();
  const end = (how: number | NodeJS.Signals) => {
    ended = how;
    resolveExited(how);
  };
  child.on('error', (error) => {
    keep(`${title}: ${error.message}\n`);
    end(127);
  });
  child.on('exit', (code, signal) => end(code ?? signal ?? 0));
  const failIfEnded = () => {
    if (ended !== undefined) throw new Error(`${title} ended with ${ended}\n${output.slice(-4000)}`);
  };
  const explain = () => `its log:\n${output.slice(-4000)}`;

  const stop: Child['stop'] = async (signal = 'SIGTERM', graceMs = 5000) => {
    if (ended === undefined) child.kill(signal);
    const timer = setTimeout(() => killGroup(child.pid, 'SIGKILL'), graceMs);
    const how = await exited;
    clearTimeout(timer);
    killGroup(child.pid, 'SIGKILL');
    return how;
  };

  return {
    process: child,
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    waitForLine: (pattern, waitOptions) =>
      waitUntil(
        `${title} to say ${pattern}`,
        () => {
          for (const line of output.split('\n')) {
            const match = pattern.exec(line);
            if (match !== null) return match;
          }
          failIfEnded();
          return undefined;
        },
        { explain, ...waitOptions },
      ),
    async waitForListener(protocol, port, waitOptions) {
      await waitUntil(
        `${title} to listen on ${protocol} port ${port}`,
        () => {
          failIfEnded();
          return isListening(child.pid ?? 0, namespace, protocol, port);
        },
        { explain, ...waitOptions },
      );
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has no process left.
  }
}

/** The network namespace that a process is in, as the inode that `stat` of /run/netns/NAME shows. */
export function netnsInode(pid: number): number | undefined {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]);
  } catch {
    return undefined;
  }
}

/** Reads the sockets of the namespace that the process has entered, without starting another process. */
function isListening(pid: number, namespace: string, protocol: 'tcp' | 'udp', port: number): boolean {
  try {
    // Until `ip` has switched, the process still shows the machine's own sockets.
    if (netnsInode(pid) !== statSync(`/run/netns/${namespace}`).ino) return false;
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const state = protocol === 'tcp' ? TCP_LISTEN : UDP_UNCONNECTED;
    return [protocol, `${protocol}6`].some((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'latin1')
        .split('\n')
        .some((line) => {
          const columns = line.trim().split(/\s+/);
          return columns[1]?.endsWith(wanted) === true && columns[3] === state;
        }),
    );
  } catch {
    return false;
  }
}
