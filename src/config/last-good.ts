/** What runs when the configuration file is refused: the last that was in force and is good. */
import { type Text, minuteOf, say } from '../texts/text.ts';
import { type LoadedConfig, type ConfigDocument, loadConfig, loadDocument } from './load.ts';
import type { Recovery } from './pending.ts';
import type { Revisions } from './revisions.ts';
import { EMPTY_REVISION } from './revision-of.ts';

export interface LastGood extends LoadedConfig {
  /** For people: which one it is. */
  readonly origin: Text;
}

/** Whether there must be a file with something in it: what was in force last was more than every default. */
export const isFileExpected = ({ newest, isLost }: Revisions): boolean =>
  isLost || (newest !== undefined && newest.revision !== EMPTY_REVISION);

/**
 * What was before an unconfirmed change that the process before left behind; else the newest revision that is valid; else
 * `fallback`, which must be valid. Never rejects.
 */
export async function findLastGood(
  history: Revisions,
  recovery: Recovery | undefined,
  fallback: ConfigDocument,
): Promise<LastGood> {
  if (recovery?.outcome === 'file-refused' || recovery?.outcome === 'unwritten') {
    const loaded = loadConfig(recovery.change.previousText ?? '');
    if (!('problems' in loaded))
      return { ...loaded, origin: say('What was before the unconfirmed change runs.') };
  }
  for (const { id, at } of history.list(Infinity, Infinity)) {
    const document = await history.documentOf(id);
    const loaded = document === undefined ? undefined : loadDocument(document);
    if (loaded === undefined || 'problems' in loaded) continue;
    return {
      ...loaded,
      origin: say('Revision {id} of {time} runs, the last that was good.', { id, time: minuteOf(at) }),
    };
  }
  const loaded = loadDocument(fallback);
  if ('problems' in loaded) throw new Error('the configuration for emergencies is refused');
  return {
    ...loaded,
    origin: say('The history holds no good one: defaults run, without any server.'),
  };
}
