/**
 * Compiles the kernel's part of NAT64 (`npm run build:bpf`): fast-path.bpf.c to the object beside it. The object is committed,
 * so that no machine needs a compiler to run or test it. The checksums of source and object are committed too; a unit test
 * compares them with the files.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MACHINE, PACKAGES, ensurePackages, hasPackages } from '../lab/packages.ts';
import { OBJECT_FILE } from '../src/services/nat64/kernel/fast-path-record.ts';

export const SOURCE_FILE = OBJECT_FILE.replace(/\.o$/, '.c');
/** In the format of `sha256sum`; a comment names the compiler. */
export const SUMS_FILE = OBJECT_FILE.replace(/\.o$/, '.sha256');

const COMPILE = [
  '-target',
  'bpfel',
  // Linux 5.1; tcx needs 6.6.
  '-mcpu=v3',
  '-O2',
  // For BTF, which describes the maps; other debug information is stripped.
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
  // Removes paths of this machine, and the folder of the source.
  `-ffile-prefix-map=${dirname(SOURCE_FILE)}=nat64`,
  // The headers that differ between processors.
  `-I/usr/include/${MACHINE}`,
];

export const mayCompile = (): boolean => hasPackages(PACKAGES.bpf);

/** Compiles to a file; rejects with the compiler's output. */
export function compileBpf(objectFile: string): void {
  execute('clang', ...COMPILE, '-c', SOURCE_FILE, '-o', objectFile);
  // Source lines for the verifier's log would take half of the object.
  execute('llvm-strip', '--strip-unneeded', '--remove-section=.BTF.ext', objectFile);
}

/** The first line of the checksums. */
export const compilerVersion = (): string => execute('clang', '--version').split('\n')[0];

/** The source, and our own files that it includes. */
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
