/**
 * The marker of a change that waits for its confirmation. It is written before the change, and removed by the confirmation. A
 * start that finds it rolls back, because the user who made the change may no longer reach the appliance.
 */
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../runtime/storage.ts';
import { type Text, notAsWritten, translate } from '../texts/text.ts';
import { readConfigFile, writeFileText } from './config-file.ts';
import { isObject } from './json-schema.ts';
import { type ConfigDocument, loadConfig } from './load.ts';
import type { RevisionWhy } from './revisions.ts';

const FILE_NAME = 'pending-change.json';
const VERSION = 1;

export interface PendingChange {
  readonly version: typeof VERSION;
  /** The configuration file before the change, byte for byte; null when there was none. */
  readonly previousText: string | null;
  readonly previousRevision: string;
  /** The file with the change. */
  readonly text: string;
  readonly revision: string;
  readonly by: string;
  readonly why: RevisionWhy;
  /** A text, or the format of an older version. */
  readonly reason: Text | string;
  /** ISO 8601. */
  readonly appliedAt: string;
  readonly confirmBy: string;
}

/** What a start found and did. */
export interface Recovery {
  readonly change: PendingChange;
  /**
   * rolled-back: the file has the earlier content again. unwritten: the earlier content could not be written, but is active.
   * file-refused: the file is damaged and was left as it is; the earlier configuration is active. edited: the file was edited
   * by hand after the change and was left as it is. unreadable: the earlier content is no longer a valid configuration.
   */
  readonly outcome: 'rolled-back' | 'unwritten' | 'file-refused' | 'edited' | 'unreadable';
}

const fileIn = (storage: Storage) => storage.file(FILE_NAME);

/** Rejects when it cannot be written: then the change must not be made. */
export const writePending = (storage: Storage, change: PendingChange): Promise<void> =>
  fileIn(storage).commit(`${JSON.stringify(change)}\n`);

/** Rejects when it is still there. */
export async function removePending(storage: Storage): Promise<void> {
  const error = await fileIn(storage).remove();
  if (error !== undefined) throw error;
}

/** The marker, if the text is valid. Throws with the problem otherwise. */
export function parsePending(content: Buffer): PendingChange {
  const value: unknown = JSON.parse(content.toString('utf8'));
  if (!isObject(value) || value['version'] !== VERSION) return notAsWritten('version');
  const change = value as unknown as PendingChange;
  const { previousText, reason } = change;
  if (previousText !== null && typeof previousText !== 'string') notAsWritten('previousText');
  for (const name of ['previousRevision', 'text', 'revision', 'by', 'why', 'appliedAt', 'confirmBy'] as const)
    if (typeof change[name] !== 'string') notAsWritten(name);
  if (typeof reason !== 'string' && typeof reason?.say !== 'string') notAsWritten('reason');
  return change;
}

/**
 * At the start, before the configuration is read: restores the file from before an unconfirmed change. The marker stays until
 * `removePending`, so a crash in between only repeats the same steps. Never rejects.
 */
export async function recoverPending(
  configPath: string,
  storage: Storage,
  log: Pick<Logger, 'warn' | 'error'>,
): Promise<Recovery | undefined> {
  const found = await fileIn(storage).read(parsePending);
  // An unreadable marker says nothing: it is moved aside, so that it is examined only once.
  if (found.verdict === 'damaged') await fileIn(storage).remove();
  if (found.verdict !== 'good') return undefined;
  const change = found.value;
  const { appliedAt, by, revision } = change;
  const fields = { revision, by, appliedAt, file: configPath };
  const previous = change.previousText ?? undefined;
  const present = readConfigFile(configPath, previous !== undefined);
  const isAsWritten = present.text === change.text || (present.state === 'good' && present.text === previous);
  if (!isAsWritten && present.state === 'good') {
    log.warn(
      fields,
      'configuration: the file was edited by hand after a change that nobody confirmed; the edit stays',
    );
    return { change, outcome: 'edited' };
  }
  const loaded = loadConfig(previous ?? '');
  if ('problems' in loaded) {
    log.error(
      { ...fields, problems: translate(loaded.problems) },
      'configuration: a change was not confirmed, but what was before is refused; the change stays',
    );
    return { change, outcome: 'unreadable' };
  }
  log.warn(
    fields,
    'configuration: a change was not confirmed before the process ended; back to the one before',
  );
  if (!isAsWritten) return { change, outcome: 'file-refused' };
  if (present.text === previous) return { change, outcome: 'rolled-back' };
  try {
    await writeFileText(configPath, previous);
  } catch (error) {
    storage.note(configPath, 'write', error);
    return { change, outcome: 'unwritten' };
  }
  return { change, outcome: 'rolled-back' };
}

/** The document of the change. */
export const documentOf = ({ text }: PendingChange): ConfigDocument | undefined => {
  const loaded = loadConfig(text);
  return 'problems' in loaded ? undefined : loaded.document;
};
