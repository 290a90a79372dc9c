/** Writes the history of the configuration, and tells whoever keeps an audit trail. */
import { type Text, say } from '../texts/text.ts';
import { type Difference, diffDocuments } from './diff.ts';
import { type ConfigDocument, fillDefaults } from './load.ts';
import { type Recovery, documentOf } from './pending.ts';
import type { NewRevision, RevisionWhy, Revisions } from './revisions.ts';
import { type ConfigStore, revisionOf } from './store.ts';

/** For the audit trail. */
export interface ConfigEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly action: 'confirm' | RevisionWhy;
  /** Of the configuration that is in force then. */
  readonly revision: string;
  readonly reason: Text | string;
}

export interface Recorder {
  /** Hears of everything from the start on, also of what happened before it listened. */
  onEvent(listener: (event: ConfigEvent) => void): void;
  tell(event: Omit<ConfigEvent, 'at'>): void;
  /**
   * Adds a revision: the document in force if no other is given. The history is worth less than the change: resolves with
   * whether it is on the disk. Never rejects.
   */
  record(entry: NewEntry, document?: ConfigDocument): Promise<boolean>;
  /** Takes note of what happened while the process was away; resolves as `record`. */
  recordStart(recovery: Recovery | undefined): Promise<boolean>;
}

type NewEntry = Pick<NewRevision, 'by' | 'why' | 'reason' | 'rolledBack'> & { readonly at?: string };

/** Differences of what is in force, whatever of it is written down. */
export const diffOf = (from: ConfigDocument, to: ConfigDocument): Difference[] =>
  diffDocuments(fillDefaults(from), fillDefaults(to));

export function createRecorder(store: ConfigStore, history: Revisions): Recorder {
  let listener: ((event: ConfigEvent) => void) | undefined;
  let unheard: ConfigEvent[] = [];

  function emit(event: ConfigEvent): void {
    if (listener === undefined) unheard.push(event);
    else listener(event);
  }

  async function record(entry: NewEntry, document: ConfigDocument = store.document): Promise<boolean> {
    const { newest } = history;
    const fields = { at: new Date().toISOString(), ...entry, revision: revisionOf(document) };
    const { at, by, why, revision, reason } = fields;
    emit({ at, by, action: why, revision, reason });
    const before = newest === undefined ? undefined : await history.documentOf(newest.id);
    const changes = before === undefined ? 0 : diffOf(before, document).length;
    return history.append({ ...fields, changes, document });
  }

  async function recordRecovery({ change, outcome }: Recovery): Promise<boolean> {
    const { newest } = history;
    // Ended between the history and the mark: all is written down already.
    if (newest?.rolledBack?.revision === change.revision && newest.revision === store.revision) return true;
    const lost = documentOf(change);
    if (newest?.revision !== change.revision && lost !== undefined) {
      const { by, why, reason, appliedAt } = change;
      await record({ by, why, reason, at: appliedAt }, lost);
    }
    if (outcome === 'edited' || outcome === 'unreadable') return true;
    return record({
      by: 'appliance',
      why: 'rollback',
      reason: say('The process ended before the change was confirmed.'),
      rolledBack: { revision: change.revision, reason: 'restarted' },
    });
  }

  return {
    onEvent(newListener) {
      listener = newListener;
      for (const event of unheard) listener(event);
      unheard = [];
    },
    tell: (event) => emit({ at: new Date().toISOString(), ...event }),
    record,
    async recordStart(recovery) {
      const isRecorded = recovery === undefined || (await recordRecovery(recovery));
      const { newest } = history;
      // What only stands in for a file that was refused is nobody's word, and mostly in the history already.
      if (store.fileProblem !== undefined) return isRecorded;
      if (newest === undefined) {
        return record({
          by: 'appliance',
          why: 'first',
          reason: say('The configuration of the first start.'),
        });
      }
      if (newest.revision === store.revision) return isRecorded;
      return record({ by: 'file', why: 'file', reason: say('Edited while the appliance was not running.') });
    },
  };
}
