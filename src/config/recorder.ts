/** Writes the history of the configuration, and passes events to the audit trail. */
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
  /** The revision of the configuration that is active then. */
  readonly revision: string;
  readonly reason: Text | string;
}

export interface Recorder {
  /** Receives everything since the start, including events from before this call. */
  onEvent(listener: (event: ConfigEvent) => void): void;
  report(event: Omit<ConfigEvent, 'at'>): void;
  /**
   * Adds a revision: the given document, or the active one. A failure does not undo the change, which is more important than
   * its history: resolves with whether the revision is on disk. Never rejects.
   */
  record(entry: NewEntry, document?: ConfigDocument): Promise<boolean>;
  /** Records what happened while the process was not running; resolves as `record` does. */
  recordStart(recovery: Recovery | undefined): Promise<boolean>;
}

type NewEntry = Pick<NewRevision, 'by' | 'why' | 'reason' | 'rolledBack'> & { readonly at?: string };

/** The changes of the active configuration, even if a revision could not be written. */
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
    // The process ended after it wrote the history and before it removed the marker: everything is recorded already.
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
    report: (event) => emit({ at: new Date().toISOString(), ...event }),
    record,
    async recordStart(recovery) {
      const isRecorded = recovery === undefined || (await recordRecovery(recovery));
      const { newest } = history;
      // A replacement for a refused file was not chosen by anybody, and is usually in the history already.
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
