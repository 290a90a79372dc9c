/**
 * Kernel parameters that are changed as long as we run, and restored at the end. The value to restore (`restored`) is the one that
 * others want: the value from before, or the one that another program has set since, whichever is newer. A file keeps these
 * values, so that they are restored even if the process was killed. Everything else works without the file.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readRegularFileSync } from '../read-file.ts';
import { bootId, sysctlReader, writeSysctl } from '../sysctl.ts';
import type { SysctlItem } from './items.ts';

/** Reads a parameter; undefined when there is none. */
type Read = (name: string) => string | undefined;

export interface BorrowedSysctls {
  /**
   * The value that a parameter should have, computed from the value that others want; undefined when there is no such
   * parameter. `restoredFrom` derives the value that others want from one that another program wrote over ours, if the two differ.
   */
  want(
    name: string,
    read: Read,
    valueFor: (restored: string) => string,
    restoredFrom?: (found: string, ours: string, restored: string) => string,
  ): SysctlItem | undefined;
  /** Whether we have changed it. */
  has(name: string): boolean;
  /** Call before they are written: saves the values that others want to the file. Skips parameters for which `want` was not called. */
  note(items: readonly SysctlItem[]): void;
  /** Writes the file again if the last write failed. */
  retry(): void;
  /** Restores the parameters that still have our value, in reverse order, and forgets everything. */
  restore(): void;
}

interface Borrowed {
  restored: string;
  /** The value that we set; undefined before that. */
  ours: string | undefined;
}

/**
 * Starts with what an earlier process of this boot left in `file`. `onFile` receives the result of each write of the file: the
 * error, or undefined. Without a file (as when it belongs to another process), nothing is read or written.
 */
export function borrowSysctls(file: string | undefined, onFile: (error: unknown) => void): BorrowedSysctls {
  const borrowed = file === undefined ? new Map<string, Borrowed>() : readBorrowed(file);
  let written = '';
  let isUnwritten = false;

  function save(): void {
    if (file === undefined) return;
    const kept = [...borrowed].filter(([, { restored, ours }]) => ours !== undefined && ours !== restored);
    const text = JSON.stringify({
      boot: bootId(),
      borrowed: kept.map(([name, { restored, ours }]) => [name, restored, ours]),
    });
    if (text === written) return;
    isUnwritten = true;
    try {
      // Write a new file and rename it: the existing path may be a pipe, and writing to it would block.
      rmSync(`${file}.tmp`, { force: true });
      writeFileSync(`${file}.tmp`, text, { mode: 0o600, flag: 'wx' });
      renameSync(`${file}.tmp`, file);
      written = text;
      isUnwritten = false;
      onFile(undefined);
    } catch (error) {
      onFile(error);
    }
  }

  return {
    want(name, read, valueFor, restoredFrom = (found) => found) {
      const found = read(name);
      if (found === undefined) {
        borrowed.delete(name);
        return undefined;
      }
      const known = borrowed.get(name) ?? { restored: found, ours: undefined };
      borrowed.set(name, known);
      if (known.ours === undefined) known.restored = found;
      else if (found !== known.ours) known.restored = restoredFrom(found, known.ours, known.restored);
      const value = valueFor(known.restored);
      // Another program set exactly the value that we want now. There is nothing to write, but we restore it at the end.
      if (known.ours !== undefined && known.ours !== value && value === found) {
        known.ours = value;
        save();
      }
      return { kind: 'sysctl', name, value };
    },
    has: (name) => borrowed.get(name)?.ours !== undefined,
    note(items) {
      for (const { name, value } of items) {
        const known = borrowed.get(name);
        if (known !== undefined) known.ours = value;
      }
      save();
    },
    retry() {
      if (isUnwritten) save();
    },
    restore() {
      isUnwritten = false;
      const read = sysctlReader();
      for (const [name, { restored, ours }] of [...borrowed].reverse()) {
        // Any other value was set by another program since: leave it.
        if (ours === undefined || restored === ours || read(name) !== ours) continue;
        try {
          writeSysctl(name, restored);
        } catch {
          // Its interface has gone.
        }
      }
      borrowed.clear();
      written = '';
      if (file === undefined) return;
      try {
        rmSync(file, { force: true });
      } catch {
        // The directory is read-only. The file holds values of this boot that are restored by now; the next process will not
        // find our values and so restores nothing.
      }
    },
  };
}

/** By name; empty when there is no file, when it is incomplete, or when it is of another boot. */
function readBorrowed(file: string): Map<string, Borrowed> {
  const borrowed = new Map<string, Borrowed>();
  const read = sysctlReader();
  try {
    const content = JSON.parse(readRegularFileSync(file).toString('utf8')) as {
      boot: string;
      borrowed?: [string, string, string][];
      /** Versions before 1.0 did not save our value: it is the current one. */
      originals?: [string, string][];
    };
    if (content.boot !== bootId()) return borrowed;
    const rows =
      content.borrowed ?? content.originals?.map(([name, restored]) => [name, restored, read(name)]) ?? [];
    for (const [name, restored, ours] of rows) {
      const isValid = [name, restored, ours].every((field) => typeof field === 'string');
      if (isValid && read(name!) === ours) borrowed.set(name!, { restored: restored!, ours });
    }
  } catch {
    borrowed.clear();
  }
  return borrowed;
}
