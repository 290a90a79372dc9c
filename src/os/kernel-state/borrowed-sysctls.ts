/**
 * Kernel parameters that are changed for as long as we run. What everybody else wants them to be (their "wish") is remembered and
 * given back at the end: what a parameter was before, or what another program set it to since, whichever is newer. A file keeps
 * the wishes, so that they come back even when a killed process left the parameters changed; without the file everything else works.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readRegularFileSync } from '../read-file.ts';
import { bootId, sysctlReader, writeSysctl } from '../sysctl.ts';
import type { SysctlItem } from './items.ts';

/** Reads a parameter; undefined when there is none. */
type Read = (name: string) => string | undefined;

export interface BorrowedSysctls {
  /**
   * What a parameter is to be, from what everybody else wants it to be; undefined when there is no such parameter.
   * `wishFrom`: the wish in a value that another program wrote over ours, where that is not the value itself.
   */
  want(
    name: string,
    read: Read,
    valueFor: (wish: string) => string,
    wishFrom?: (found: string, ours: string, wish: string) => string,
  ): SysctlItem | undefined;
  /** Whether it has been changed by us. */
  has(name: string): boolean;
  /** Before they are written: notes their wishes in the file. Parameters that nobody asked about with `want` are not noted. */
  note(items: readonly SysctlItem[]): void;
  /** Writes the file again that could not be written; nothing when it was. */
  retry(): void;
  /** Gives back what still has our value, in the opposite order, and forgets everything. */
  restore(): void;
}

interface Borrowed {
  wish: string;
  /** What we set it to; undefined before. */
  ours: string | undefined;
}

/**
 * Starts with what an earlier process of this boot left behind in `file`. `onFile` is told whether the file could be written:
 * the error, or undefined. Without a file, as where it is another process's, nothing is read or written.
 */
export function borrowSysctls(file: string | undefined, onFile: (error: unknown) => void): BorrowedSysctls {
  const borrowed = file === undefined ? new Map<string, Borrowed>() : readBorrowed(file);
  let written = '';
  let isUnwritten = false;

  function save(): void {
    if (file === undefined) return;
    const kept = [...borrowed].filter(([, { wish, ours }]) => ours !== undefined && ours !== wish);
    const text = JSON.stringify({
      boot: bootId(),
      borrowed: kept.map(([name, { wish, ours }]) => [name, wish, ours]),
    });
    if (text === written) return;
    isUnwritten = true;
    try {
      // Beside it, then in its place: what is there may be a pipe, which would be waited for.
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
    want(name, read, valueFor, wishFrom = (found) => found) {
      const found = read(name);
      if (found === undefined) {
        borrowed.delete(name);
        return undefined;
      }
      const known = borrowed.get(name) ?? { wish: found, ours: undefined };
      borrowed.set(name, known);
      if (known.ours === undefined) known.wish = found;
      else if (found !== known.ours) known.wish = wishFrom(found, known.ours, known.wish);
      const value = valueFor(known.wish);
      // Somebody wrote just what it is to be: nothing is put back, but at the end it is ours to take back.
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
      for (const [name, { wish, ours }] of [...borrowed].reverse()) {
        // Another value is a newer wish of somebody else.
        if (ours === undefined || wish === ours || read(name) !== ours) continue;
        try {
          writeSysctl(name, wish);
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
        // A read-only directory. What it says is of this boot and has been given back: `ours` is no longer found.
      }
    },
  };
}

/** By name; empty when there is no such file, when it was cut off while it was written, or when it is of another boot. */
function readBorrowed(file: string): Map<string, Borrowed> {
  const borrowed = new Map<string, Borrowed>();
  const read = sysctlReader();
  try {
    const content = JSON.parse(readRegularFileSync(file).toString('utf8')) as {
      boot: string;
      borrowed?: [string, string, string][];
      /** Of versions before 1.0: what we set is not noted, so it is what is there. */
      originals?: [string, string][];
    };
    if (content.boot !== bootId()) return borrowed;
    const rows = content.borrowed ?? content.originals?.map(([name, wish]) => [name, wish, read(name)]) ?? [];
    for (const [name, wish, ours] of rows) {
      const isValid = [name, wish, ours].every((field) => typeof field === 'string');
      if (isValid && read(name!) === ours) borrowed.set(name!, { wish: wish!, ours });
    }
  } catch {
    borrowed.clear();
  }
  return borrowed;
}
