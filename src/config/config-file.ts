/** The configuration file: reading it, the reasons to refuse it, and replacing it without losing a refused one. */
import { realpathSync, statSync } from 'node:fs';
import { removeFileDurably, writeFileAtomically } from '../os/atomic-write.ts';
import { readRegularFileSync } from '../os/read-file.ts';
import { copyAside, setAside } from '../os/set-aside.ts';
import { type Text, listOf, reasonOf, say } from '../texts/text.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { type ConfigProblem, escapeControls, missing } from './problem.ts';

const NEW_FILE_MODE = 0o600;

export type FileState =
  /** `text` is undefined if there is no file, and never was one. */
  | { readonly state: 'good'; readonly text: string | undefined; readonly loaded: LoadedConfig }
  /** `text` is undefined when nothing could be read. */
  | {
      readonly state: 'refused';
      readonly text: string | undefined;
      readonly problems: readonly ConfigProblem[];
    };

/**
 * Reads the file. On a new appliance, a missing or empty file means the defaults. If another configuration was active before
 * (`isExpected`), the file was lost by a power failure or a mistake, and is refused. Never throws.
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

/** The text of the file, undefined if it is missing. Throws when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readRegularFileSync(path).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`could not read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Keeps the permissions of the file, and writes to the target of a symbolic link instead of replacing the link; undefined
 * removes the file.
 */
export async function writeFileText(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) return removeFileDurably(path);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing === undefined) return writeFileAtomically(path, text, NEW_FILE_MODE);
  return writeFileAtomically(realpathSync(path), text, existing.mode & 0o777);
}

/**
 * Called before a refused file is overwritten: copies it aside, or moves it aside if it cannot be copied (a directory, an
 * unreadable file). Resolves with the new path, or undefined when the file is empty. Rejects when the content would be lost.
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

/** A problem of the file as one sentence: where it is, and what would be valid. `more`: the number of further problems. */
export function describeProblem(problems: readonly ConfigProblem[], file: string): Text {
  const [{ path, line, column, message }] = problems;
  const position = line === undefined ? '' : `:${line}:${column}`;
  const place = escapeControls(`${file}${position}:${path === '' ? '' : ` ${path}:`}`);
  const first = listOf([place, message], ' ');
  const more = problems.length - 1;
  return more === 0 ? first : say('{problem} (and {more} more)', { problem: first, more });
}
