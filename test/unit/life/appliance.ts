/** The real process on loopback, for tests of its lifecycle: its log, its signals, its end. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../net/support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const CLI = join(import.meta.dirname, '../../../src/cli/main.ts');
/** Generous: other tests run at the same time. */
export const PATIENCE_MS = 60_000;

export interface Appliance {
  readonly process: ChildProcess;
  readonly stateDirectory: string;
  readonly configFile: string;
  /** All that it has logged so far. */
  log(): string;
  has(message: string): boolean;
  /** Resolves when the log contains the message; fails if the process ends before. */
  logged(message: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
  token(): string;
  get(port: number, path: string): Promise<Response>;
  /** `tombolo status --json`, which tries port 8064 and then the state directory. */
  cliStatus(): Promise<{ exitCode: number; answer: StatusLike | undefined; stderr: string }>;
}

export interface StatusLike {
  readonly status: string;
  readonly services: readonly {
    readonly name: string;
    readonly state: string;
    readonly problem: string | null;
  }[];
}

/** `stdout`: where its log goes if the test does not read it. */
export function spawnAppliance(
  cleanup: Cleanup,
  configuration: object,
  stdout: number | 'pipe' = 'pipe',
): Appliance {
  const { stateDirectory } = cleanup;
  const configFile = join(stateDirectory, 'config.json');
  writeFileSync(configFile, JSON.stringify(configuration));
  const child = spawn(process.execPath, [MAIN, '--config', configFile, '--state', stateDirectory], {
    env: { ...process.env, TOMBOLO_TEST_HOOKS: '1' },
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk));
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  cleanup.defer(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const has = (message: string) => log.includes(`"msg":"${message}`);
  const token = () => readFileSync(join(stateDirectory, 'admin-token'), 'utf8').trim();
  return {
    process: child,
    stateDirectory,
    configFile,
    log: () => log,
    has,
    logged: async (message) =>
      void (await waitUntil(
        `"${message}" in the log`,
        () => {
          if (has(message)) return true;
          assert.equal(child.exitCode ?? child.signalCode, null, log);
          return false;
        },
        { timeoutMs: PATIENCE_MS },
      )),
    ended: () => exited,
    token,
    get: (port, path) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${token()}`, connection: 'close' },
      }),
    cliStatus: () =>
      new Promise((resolve) => {
        const args = [CLI, 'status', '--json', '--state', stateDirectory];
        execFile(process.execPath, args, (error, stdout, stderr) =>
          resolve({
            exitCode: error === null ? 0 : Number(error.code),
            answer: stdout === '' ? undefined : (JSON.parse(stdout) as StatusLike),
            stderr,
          }),
        );
      }),
  };
}
