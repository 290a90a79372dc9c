/** Runs other programs: the configuration tools of the system (`ip`, `nft`), and those of ours that are processes of their own. */
import { execFile } from 'node:child_process';

const TIMEOUT_MS = 10_000;

/**
 * Runs a program to its end and resolves with what it printed. Rejects with what was attempted and what the program
 * said when it exits with an error, or when it has not ended in time.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  input = '',
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(program, args, { timeout: timeoutMs, encoding: 'utf8' }, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout);
    const reason = error.killed ? `had not ended after ${timeoutMs} ms` : stderr.trim() || error.message;
    reject(
      new Error(`${program} ${args.join(' ')}: ${reason}${input && `, given:\n${input}`}`, {
        cause: error,
      }),
    );
  });
  // A program that ends before it has read everything says why on stderr.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return promise;
}
