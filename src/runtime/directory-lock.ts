/** One process at a time has the state directory: two would write over what the other has written. */
import { closeSync, openSync } from 'node:fs';
import { E, errno, flock } from '../os/libc.ts';
import { makeDirectory } from '../os/make-directory.ts';
import { asIs, english, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';
import type { Logger } from './log.ts';

/** flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
const RETRY_MS = 5000;

export interface DirectoryLock extends Disposable {
  /** False as long as another process has the directory: then nothing is written there. */
  readonly isOurs: boolean;
}

/**
 * Locks the directory (flock(2), which the end of the process undoes, however it ends, and which writes nothing), and makes it when
 * it is missing. That another process has it is told as the condition "storage", and tried again; it is no reason not to serve. Never
 * throws: a directory that cannot be made or opened is told by who uses it.
 */
export function lockDirectory(
  directory: string,
  conditions: Conditions,
  log: Pick<Logger, 'error'>,
): DirectoryLock {
  let fd: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isOurs = true;
  let isTold = false;

  function attempt(): void {
    try {
      if (fd === undefined) {
        makeDirectory(directory);
        fd = openSync(directory, 'r');
      }
    } catch {
      return;
    }
    isOurs = !(flock(fd, LOCK_EX | LOCK_NB) < 0 && errno() === E.EWOULDBLOCK);
    const problem = isOurs
      ? undefined
      : say(
          'Another process uses {directory}, too: this one writes nothing there until it is alone. End one of them, or give it a directory of its own (--state).',
          { directory: asIs(directory) },
        );
    conditions.set('storage', 'lock', problem);
    if (problem === undefined) return;
    if (!isTold) log.error({}, english(problem));
    isTold = true;
    timer = setTimeout(attempt, RETRY_MS).unref();
  }

  attempt();
  return {
    get isOurs() {
      return isOurs;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      if (fd !== undefined) closeSync(fd);
    },
  };
}
