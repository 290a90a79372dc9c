/** Only one process at a time may use the state directory: two would overwrite each other's files. */
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
  /** False while another process holds the directory. Nothing is written then. */
  readonly isOurs: boolean;
}

/**
 * Locks the directory with flock(2), and makes it if it is missing. The lock ends with the process, however that ends, and
 * writes nothing. If another process holds it, this is reported as the condition "storage" and retried; the services run
 * meanwhile. Never throws: if the directory cannot be made or opened, the code that uses it reports that.
 */
export function lockDirectory(
  directory: string,
  conditions: Conditions,
  log: Pick<Logger, 'error'>,
): DirectoryLock {
  let fd: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isOurs = true;
  let isReported = false;

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
    if (!isReported) log.error({}, english(problem));
    isReported = true;
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
