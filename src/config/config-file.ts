/** The configuration file: what it says, why it is refused, and how another one takes its place without losing it. */
import { realpathSync, statSync } from 'node:fs';
import { removeFileDurably, writeFileAtomically } from '../os/atomic-write.ts';
import { readRegularFileSync } from '../os/read-file.ts';
import { copyAside, setAside } from '../os/set-aside.ts';
import { type Text, listOf, reasonOf, say } from '../texts/text.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { type ConfigProblem, escapeControls, missing } from './problem.ts';

const NEW_FILE_MODE = 0o600;

export type FileState =
  /** `text` is undefined where there is no file, and never was one. */
  | { readonly state: 'good'; readonly text: string | undefined; readonly loaded: LoadedConfig }
  /** `text` is undefined when nothing could be read. */
  | {
      readonly state: 'refused';
      readonly text: string | undefined;
      readonly problems: readonly ConfigProblem[];
    };

/**
 * What the file says. A missing or empty one is every default on a new appliance; where something else was in force
 * (`isExpected`), it is what a power failure or a mistake has left, and is refused. Never throws.
 */
export function readConfigFile(path: string, isExpected: boolean): FileState {
  let text: string | undefined;
  try {
    text = readText(path);
  } catch (error) {
    const expected = say('a file that this process may read');
    const message = say('cannot be read: {reason}', { reason: reasonOf((error as Error).cause ?? error) });
    return { state: 'refused', text: undefined, problems: [{ path: '', expected, message }] };
  }
  const expected = say('a configuration; {} is the shortest');
  if (isExpected && text === undefined) return { state: 'refused', text, problems: [missing('', expected)] };
  if (isExpected && text?.trim() === '') {
    const message = say('is empty; expected {expected}', { expected });
    return { state: 'refused', text, problems: [{ path: '', expected, message }] };
  }
  const loaded = loadConfig(text ?? '');
  return 'problems' in loaded
    ? { state: 'refused', text, problems: loaded.problems }
    : { state: 'good', text, loaded };
}

/** The text of the file, undefined when there is none. Throws when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readRegularFileSync(path).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`could not read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Keeps the permissions of the file, and writes through a symbolic link rather than over it; undefined removes it. */
export async function writeFileText(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) return removeFileDurably(path);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing === undefined) return writeFileAtomically(path, text, NEW_FILE_MODE);
  return writeFileAtomically(realpathSync(path), text, existing.mode & 0o777);
}

/**
 * Before a file that was refused is written over: copies it aside, or moves aside what cannot be copied (a directory, a file
 * that cannot be read). Resolves with where it is, undefined when it holds nothing. Rejects when it would be lost.
 */
export async function keepRefused(path: string): Promise<string | undefined> {
  let text: string | undefined;
  try {
    text = readText(path);
  } catch {
    return setAside(path);
  }
  return text === undefined || text.trim() === '' ? undefined : copyAside(path);
}

/** A problem of the file as one sentence: where, and what would be right. `more`: how many others there are. */
export function describeProblem(problems: readonly ConfigProblem[], file: string): Text {
  const [{ path, line, column, message }] = problems;
  const position = line === undefined ? '' : `:${line}:${column}`;
  const place = escapeControls(`${file}${position}:${path === '' ? '' : ` ${path}:`}`);
  const first = listOf([place, message], ' ');
  const more = problems.length - 1;
  return more === 0 ? first : say('{problem} (and {more} more)', { problem: first, more });
}
