/** Ways in which files are damaged: by a disk, a power failure, a person, another version. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

/** Another user: this process cannot read the files of that user. */
export const NOBODY = 65534;
export const GARBAGE = Buffer.from('\x00\xff\x17{"garbage\n\n\x80', 'latin1');

export type Damage =
  | 'missing'
  | 'empty'
  | 'half'
  | 'garbage'
  | 'directory'
  | 'pipe'
  | 'link to nothing'
  | 'read-only'
  | 'unreadable'
  | 'newer';

export function damage(path: string, how: Damage, newer: string | undefined): void {
  const before = existsSync(path) && lstatSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  if (how === 'read-only') chmodSync(path, lstatSync(path).isDirectory() ? 0o500 : 0o400);
  else if (how === 'unreadable') {
    chownSync(path, NOBODY, NOBODY);
    chmodSync(path, 0o600);
  } else {
    rmSync(path, { recursive: true, force: true });
    if (how === 'directory') mkdirSync(path);
    if (how === 'pipe') execFileSync('mkfifo', [path]);
    if (how === 'link to nothing') symlinkSync('/nowhere/at/all', path);
    if (how === 'empty') writeFileSync(path, '');
    if (how === 'half') writeFileSync(path, before.subarray(0, before.length / 2));
    if (how === 'garbage') writeFileSync(path, GARBAGE);
    if (how === 'newer') writeFileSync(path, newer ?? before);
  }
}

/** Undefined if it is not a file, or does not exist. */
export const contentOf = (path: string): Buffer | undefined =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
