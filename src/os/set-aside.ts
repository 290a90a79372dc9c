/** Keeps damaged files beside their old place: somebody may still be able to recover their content. */
import { lstatSync } from 'node:fs';
import { readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory, writeFileAtomically } from './atomic-write.ts';

/** The number of copies kept per file; the oldest is removed first. */
export const MOST_ASIDES = 5;

/** The first unused name: `config.json.damaged-1`, -2, ... */
async function newAside(path: string, suffixes: readonly string[]): Promise<string> {
  const prefix = `${basename(path)}.damaged-`;
  const numbers = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((text) => /^[1-9][0-9]{0,8}$/.test(text))
    .map(Number)
    .sort((a, b) => a - b);
  for (const number of numbers.slice(0, Math.max(0, numbers.length - MOST_ASIDES + 1))) {
    for (const suffix of ['', ...suffixes])
      await rm(join(dirname(path), `${prefix}${number}${suffix}`), { recursive: true, force: true });
  }
  return join(dirname(path), `${prefix}${(numbers.at(-1) ?? 0) + 1}`);
}

/**
 * Moves a file or directory aside, together with the files that belong to it (`suffixes`, as of a database), and resolves with
 * its new path. Never overwrites anything. Rejects when it cannot be moved.
 */
export async function setAside(path: string, suffixes: readonly string[] = []): Promise<string> {
  const aside = await newAside(path, suffixes);
  await rename(path, aside);
  for (const suffix of suffixes) {
    if (lstatSync(path + suffix, { throwIfNoEntry: false }) !== undefined)
      await rename(path + suffix, aside + suffix);
  }
  await syncDirectory(dirname(path));
  return aside;
}

/** Copies a file aside, for its owner only, and resolves with the path of the copy, which survives a power failure. */
export async function copyAside(path: string): Promise<string> {
  const aside = await newAside(path, []);
  await writeFileAtomically(aside, await readFile(path), 0o600);
  return aside;
}
