/** Kernel parameters under /proc/sys, by path relative to it: "net/ipv4/ip_forward". */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

const ROOT = '/proc/sys';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export const readSysctl = (name: string): string =>
  readFileSync(`${ROOT}/${name}`, 'utf8').trim().replace(/\s+/g, ' ');

/** Throws with the parameter and the value when the kernel refuses it. */
export function writeSysctl(name: string, value: string): void {
  try {
    writeFileSync(`${ROOT}/${name}`, value);
  } catch (error) {
    throw new Error(`sysctl ${name}: cannot set "${value}"`, { cause: error });
  }
}

/** The names directly under a directory, e.g. the interfaces of "net/ipv4/conf". */
export const listSysctls = (directory: string): string[] => readdirSync(`${ROOT}/${directory}`);

/**
 * Parameters that are changed for as long as we run, and what they were. The file keeps the originals, so that they
 * come back even when a killed process left them changed.
 */
export interface BorrowedSysctls {
  /** Sets a parameter; the first time its original value is noted. A value that is already right is left alone. */
  set(name: string, value: string): void;
  /** Puts every original back, and forgets them. Parameters that have gone with their interface are skipped. */
  restore(): void;
}

/** Restores what an earlier process of this boot left behind in `file`, and starts anew. */
export function borrowSysctls(file: string): BorrowedSysctls {
  let originals = new Map<string, string>(readOriginals(file));
  const restore = () => {
    for (const [name, value] of [...originals].reverse()) {
      try {
        writeSysctl(name, value);
      } catch {
        // Its interface is gone.
      }
    }
    originals = new Map();
    keepIfPossible(() => rmSync(file, { force: true }));
  };
  restore();
  return {
    set(name, value) {
      const current = readSysctl(name);
      if (current === value) return;
      if (!originals.has(name)) {
        originals.set(name, current);
        const text = JSON.stringify({ boot: bootId(), originals: [...originals] });
        keepIfPossible(() => writeFileSync(file, text, { mode: 0o600 }));
      }
      writeSysctl(name, value);
    },
    restore,
  };
}

/** Without the file, a killed process leaves what it changed: worth less than that NAT64 works. */
function keepIfPossible(write: () => void): void {
  try {
    write();
  } catch {
    // Full, read-only, not there.
  }
}

const bootId = () => readFileSync(BOOT_ID, 'utf8').trim();

function readOriginals(file: string): [string, string][] {
  try {
    const { boot, originals } = JSON.parse(readFileSync(file, 'utf8')) as {
      boot: string;
      originals: [string, string][];
    };
    return boot === bootId() ? originals : [];
  } catch {
    // No such file, or one that was cut off while it was written: nothing to restore.
    return [];
  }
}
