/**
 * Compiles the kernel's part of NAT64 (`npm run build:bpf`): fast-path.bpf.c to the object beside it, which is committed, so that
 * no machine needs a compiler to run or to test it. The sums of source and object are committed too; a unit test holds them against
 * the files.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MACHINE, PACKAGES, ensurePackages, hasPackages } from '../lab/packages.ts';
import { OBJECT_FILE } from '../src/services/nat64/kernel/fast-path-record.ts';

export const SOURCE_FILE = OBJECT_FILE.replace(/\.o$/, '.c');
/** As `sha256sum` writes and checks it; a comment names the compiler. */
export const SUMS_FILE = OBJECT_FILE.replace(/\.o$/, '.sha256');

const COMPILE = [
  '-target',
  'bpfel',
  // Linux 5.1; tcx needs 6.6.
  '-mcpu=v3',
  '-O2',
  // For BTF, which describes the maps; what else it makes is stripped.
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
  // No path of this machine, nor where in the tree it is.
  `-ffile-prefix-map=${dirname(SOURCE_FILE)}=nat64`,
  // The headers that differ between processors.
  `-I/usr/include/${MACHINE}`,
];

export const mayCompile = (): boolean => hasPackages(PACKAGES.bpf);

/** Compiles to a file; rejects with what the compiler says. */
export function compileBpf(objectFile: string): void {
  execute('clang', ...COMPILE, '-c', SOURCE_FILE, '-o', objectFile);
  // Source lines for the verifier's log would be half of the object.
  execute('llvm-strip', '--strip-unneeded', '--remove-section=.BTF.ext', objectFile);
}

/** What the first line of the sums says. */
export const compilerVersion = (): string => execute('clang', '--version').split('\n')[0];

/** The source, and what it includes of ours. */
export const sourceFiles = (): string[] => [
  SOURCE_FILE,
  ...Array.from(readFileSync(SOURCE_FILE, 'utf8').matchAll(/^#include "(.*)"$/gm), ([, name]) =>
    join(dirname(SOURCE_FILE), name),
  ),
];

export const sumLine = (file: string): string =>
  `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}`;

function execute(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: dirname(SOURCE_FILE),
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`${command} failed:\n${stderr ?? ''}`, error === undefined ? {} : { cause: error });
  return stdout;
}

if (import.meta.main) {
  ensurePackages(PACKAGES.bpf, console.log);
  compileBpf(OBJECT_FILE);
  const lines = [`# ${compilerVersion()}`, ...[...sourceFiles(), OBJECT_FILE].map(sumLine)];
  writeFileSync(SUMS_FILE, `${lines.join('\n')}\n`);
}
