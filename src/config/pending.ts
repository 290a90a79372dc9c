/**
 * The mark of a change that waits for its confirmation: written before the change, taken away by the confirmation. A
 * start that finds it goes back, because whoever made the change may no longer reach the appliance.
 */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFileDurably, writeFileAtomically } from '../os/atomic-write.ts';
import type { Logger } from '../runtime/log.ts';
import { type Text, tell } from '../texts/text.ts';
import { type ConfigDocument, loadConfig } from './load.ts';
import type { RevisionWhy } from './revisions.ts';
import { readText, writeFileText } from './store.ts';

const FILE_NAME = 'pending-change.json';
const VERSION = 1;

export interface PendingChange {
  readonly version: typeof VERSION;
  /** The configuration file before, to the byte; null when there was none. */
  readonly previousText: string | null;
  readonly previousRevision: string;
  /** The file with the change. */
  readonly text: string;
  readonly revision: string;
  readonly by: string;
  readonly why: RevisionWhy;
  /** Text, or what an older version wrote. */
  readonly reason: Text | string;
  /** ISO 8601. */
  readonly appliedAt: string;
  readonly confirmBy: string;
}

/** What a start found and did. */
export interface Recovery {
  readonly change: PendingChange;
  /** edited: by hand, after the change; the file was left as it is. unreadable: what was before is no valid configuration any more. */
  readonly outcome: 'rolled-back' | 'edited' | 'unreadable';
}

const pathIn = (stateDirectory: string): string => join(stateDirectory, FILE_NAME);

export const writePending = (stateDirectory: string, change: PendingChange): Promise<void> =>
  writeFileAtomically(pathIn(stateDirectory), `${JSON.stringify(change)}\n`, 0o600);

export const removePending = (stateDirectory: string): Promise<void> =>
  removeFileDurably(pathIn(stateDirectory));

/** The mark; undefined when there is none. One that cannot be understood is kept aside, with an error in the log. */
async function readPending(
  stateDirectory: string,
  log: Pick<Logger, 'error'>,
): Promise<PendingChange | undefined> {
  const path = pathIn(stateDirectory);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`could not read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const change = JSON.parse(text) as PendingChange | null;
    if (change?.version !== VERSION)
      throw new Error(`version ${String(change?.version)}, expected ${VERSION}`);
    return change;
  } catch (error) {
    const aside = `${path}.corrupt`;
    await rename(path, aside);
    log.error(
      { err: error, aside },
      'configuration: the mark of a pending change is corrupt and was kept aside',
    );
    return undefined;
  }
}

/**
 * At the start, before the configuration is read: goes back to the file before an unconfirmed change. The mark stays until
 * `removePending`, so that a crash from here on only does the same again.
 */
export async function recoverPending(
  configPath: string,
  stateDirectory: string,
  log: Pick<Logger, 'warn' | 'error'>,
): Promise<Recovery | undefined> {
  const change = await readPending(stateDirectory, log);
  if (change === undefined) return undefined;
  const { appliedAt, by, revision } = change;
  const fields = { revision, by, appliedAt, file: configPath };
  const previous = change.previousText ?? undefined;
  const present = readText(configPath);
  if (present !== change.text && present !== previous) {
    log.warn(
      fields,
      'configuration: the file was edited by hand after a change that nobody confirmed; the edit stays',
    );
    return { change, outcome: 'edited' };
  }
  const loaded = loadConfig(previous ?? '');
  if ('problems' in loaded) {
    log.error(
      { ...fields, problems: tell(loaded.problems) },
      'configuration: a change was not confirmed, but what was before is refused; the change stays',
    );
    return { change, outcome: 'unreadable' };
  }
  if (present !== previous) await writeFileText(configPath, previous);
  log.warn(
    fields,
    'configuration: a change was not confirmed before the process ended; back to the one before',
  );
  return { change, outcome: 'rolled-back' };
}

/** The document of the change. */
export const documentOf = ({ text }: PendingChange): ConfigDocument | undefined => {
  const loaded = loadConfig(text);
  return 'problems' in loaded ? undefined : loaded.document;
};
