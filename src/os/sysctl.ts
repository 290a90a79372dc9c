/** Kernel parameters under /proc/sys, by path relative to it: "net/ipv4/ip_forward". */
import { readFileSync, writeFileSync } from 'node:fs';
import { say } from '../texts/text.ts';
import { O_CLOEXEC, check, close, open, pinned, read } from './libc.ts';

const ROOT = '/proc/sys';
const O_RDONLY = 0;
/** Longer than any value: lists of ports arrive in one read, or are cut off (proc_do_large_bitmap). */
const PIECE_BYTES = 32_768;
const piece = pinned(PIECE_BYTES);

/**
 * The value, with single spaces. Throws SystemCallError when there is no such parameter. Uses only three system calls, because
 * it is called often.
 */
export function readSysctl(name: string): string {
  const attempted = say('read the kernel parameter {name}', { name });
  const fd = check(open(`${ROOT}/${name}`, O_RDONLY | O_CLOEXEC, 0), attempted);
  try {
    const bytes = check(read(fd, piece, PIECE_BYTES), attempted);
    return Buffer.from(piece.buffer, 0, bytes).toString('latin1').trim().replace(/\s+/g, ' ');
  } finally {
    close(fd);
  }
}

/** Throws with the parameter and the value when the kernel refuses it. */
export function writeSysctl(name: string, value: string): void {
  try {
    // With a line end: writing nothing would change nothing, and an empty list is a value too.
    writeFileSync(`${ROOT}/${name}`, `${value}\n`);
  } catch (error) {
    throw new Error(`sysctl ${name}: cannot set "${value}"`, { cause: error });
  }
}

/** Changes at each start of the machine, which resets every parameter. */
export const bootId = (): string => readFileSync(`${ROOT}/kernel/random/boot_id`, 'utf8').trim();

/** Reads each parameter once; undefined when it does not exist: its interface has gone, or the kernel does not have it. */
export function sysctlReader(): (name: string) => string | undefined {
  const values = new Map<string, string | undefined>();
  return (name) => {
    if (!values.has(name)) values.set(name, tryRead(name));
    return values.get(name);
  };
}

function tryRead(name: string): string | undefined {
  try {
    return readSysctl(name);
  } catch {
    return undefined;
  }
}
