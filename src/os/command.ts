/** Runs other programs: the system's configuration tools (`ip`, `nft`), and our own helper processes. */
import { type ChildProcess, execFile } from 'node:child_process';
import { TextError, listOf } from '../texts/text.ts';

const TIMEOUT_MS = 10_000;
/** A ruleset with long sets, or a backup. */
const MAX_PRINTED_BYTES = 16 << 20;
/** So long after its end a program's changes of the machine are still heard of as its own; the id may be another's then. */
const REMEMBERED_MS = 5000;
/** By process id: when it ended. */
const ended = new Map<number, number>();

/**
 * Whether a process id belongs to a program that this process runs or ran a moment ago: tells its changes from those of other
 * programs.
 */
export function wasOurCommand(pid: number): boolean {
  const endedMs = ended.get(pid);
  return endedMs !== undefined && performance.now() - endedMs < REMEMBERED_MS;
}

function rememberUntilItsEnd({ pid }: ChildProcess): () => void {
  if (pid === undefined) return () => {};
  const nowMs = performance.now();
  for (const [other, endedMs] of ended) if (nowMs - endedMs >= REMEMBERED_MS) ended.delete(other);
  ended.set(pid, Infinity);
  return () => ended.set(pid, performance.now());
}

/**
 * Runs a program to its end and resolves with its output. Rejects when it exits with an error or does not end in time; the
 * error names the attempted command and what the program printed. The input is attached for the log only.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  input = '',
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { timeout: timeoutMs, encoding: 'utf8', maxBuffer: MAX_PRINTED_BYTES } as const;
  const child = execFile(program, args, options, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout);
    const reason = error.killed ? `had not ended after ${timeoutMs} ms` : stderr.trim() || error.message;
    const refused = new TextError(listOf([[program, ...args].join(' '), reason], ': '), { cause: error });
    reject(Object.assign(refused, input && { input }));
  });
  child.once('exit', rememberUntilItsEnd(child));
  // A program that ends before it has read all its input gives the reason on stderr.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return promise;
}
