/** The configuration that runs when the file is refused: the last active one that is valid. */
import { type Text, minuteOf, say } from '../texts/text.ts';
import { type LoadedConfig, type ConfigDocument, loadConfig, loadDocument } from './load.ts';
import type { Recovery } from './pending.ts';
import type { Revisions } from './revisions.ts';
import { EMPTY_REVISION } from './revision-of.ts';

export interface LastGood extends LoadedConfig {
  /** For users: which one it is. */
  readonly origin: Text;
}

/** Whether a non-empty file must exist, because the last active configuration was not just the defaults. */
export const isFileExpected = ({ newest, isLost }: Revisions): boolean =>
  isLost || (newest !== undefined && newest.revision !== EMPTY_REVISION);

/**
 * The configuration before an unconfirmed change that the previous process left behind; otherwise the newest valid revision;
 * otherwise `fallback`, which must be valid. Never rejects.
 */
export async function findLastGood(
  history: Revisions,
  recovery: Recovery | undefined,
  fallback: ConfigDocument,
): Promise<LastGood> {
  if (recovery?.outcome === 'file-refused' || recovery?.outcome === 'unwritten') {
    const loaded = loadConfig(recovery.change.previousText ?? '');
    if (!('problems' in loaded))
      return { ...loaded, origin: say('The configuration before the unconfirmed change is running.') };
  }
  for (const { id, at } of history.list(Infinity, Infinity)) {
    const document = await history.documentOf(id);
    const loaded = document === undefined ? undefined : loadDocument(document);
    if (loaded === undefined || 'problems' in loaded) continue;
    return {
      ...loaded,
      origin: say('Revision {id} of {time}, the last good one, is running.', { id, time: minuteOf(at) }),
    };
  }
  const loaded = loadDocument(fallback);
  if ('problems' in loaded) throw new Error('the configuration for emergencies is refused');
  return {
    ...loaded,
    origin: say('The history has no good revision: the defaults are running, without any server.'),
  };
}
