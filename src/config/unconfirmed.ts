/**
 * The change that waits for its confirmation while the process runs: its countdown and its rollback. The marker on disk
 * (pending.ts) is for the case that the process restarts before either.
 */
import type { InTurn } from '../os/in-turn.ts';
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../runtime/storage.ts';
import { type Text, asIs, say, secondOf } from '../texts/text.ts';
import { type PendingChange, removePending } from './pending.ts';
import type { Recorder } from './recorder.ts';
import type { RollbackReason } from './revisions.ts';
import type { ChangeResult, ConfigStore } from './store.ts';

/** How long after a failed rollback it is tried again. */
const ROLLBACK_RETRY_MS = 10_000;

export interface UnconfirmedOptions {
  readonly store: ConfigStore;
  readonly storage: Storage;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly record: Recorder['record'];
  /** The queue of all changes. Callers of the functions here already have their turn in it; automatic steps wait for theirs. */
  readonly inTurn: InTurn;
}

export interface Unconfirmed extends Disposable {
  readonly change: PendingChange | undefined;
  readonly secondsLeft: number;
  /** The change is active, and is rolled back when the time is over. */
  begin(change: PendingChange, confirmSeconds: number): void;
  /** No change waits any more. The caller removes the marker. */
  end(): void;
  /** Rolls back the waiting change. */
  goBack(by: string, why: RollbackReason, reason: Text): Promise<ChangeResult>;
  /** Removes the marker. Never rejects: a marker that remains is reported, but must not stop the next step. */
  dropMark(): Promise<void>;
  /** The rolled-back configuration could not be written to the file: retries until it is written. The marker stays meanwhile. */
  writeBack(): void;
}

export function createUnconfirmed({ store, storage, log, record, inTurn }: UnconfirmedOptions): Unconfirmed {
  let waiting: { readonly change: PendingChange; readonly endsAtMs: number } | undefined;
  let countdown: NodeJS.Timeout | undefined;

  const dropMark = () =>
    removePending(storage).catch((error: unknown) =>
      log.error({ err: error }, 'configuration: the mark of a change that is over could not be removed'),
    );

  const writingBack = storage.retried(store.path, () =>
    inTurn(async () => {
      await store.writeBack();
      if (waiting === undefined) await dropMark();
    }),
  );

  function startCountdown(milliseconds: number): void {
    clearTimeout(countdown);
    const { change } = waiting!;
    countdown = setTimeout(() => {
      void inTurn(async () => {
        if (waiting?.change !== change) return;
        const reason = say('The change by {by} was not confirmed before {time}.', {
          by: asIs(change.by),
          time: secondOf(change.confirmBy),
        });
        const result = await goBack('appliance', 'not-confirmed', reason);
        if (result.outcome !== 'changed') startCountdown(ROLLBACK_RETRY_MS);
      }).catch((error: unknown) => log.error({ err: error }, 'configuration: the rollback failed'));
    }, milliseconds);
  }

  async function goBack(by: string, why: RollbackReason, reason: Text): Promise<ChangeResult> {
    const { change } = waiting!;
    const { revision } = change;
    const result = await store.restore(change.previousText ?? undefined);
    if (result.outcome !== 'changed') {
      log.error(
        { result, revision },
        'configuration: the change could not be taken back, it will be tried again',
      );
      return result;
    }
    end();
    log.warn({ revision, by, why }, 'configuration: a change was taken back');
    const rolledBack = { revision, reason: why };
    const isRecorded = await record({ by, why: 'rollback', reason, rolledBack });
    if (result.unwritten !== undefined) {
      storage.note(store.path, 'write', result.unwritten);
      // Not now: the current change has its turn.
      setImmediate(() => void writingBack.run());
    }
    // A refused file stays; the history must then say what runs at the next start.
    else if (isRecorded || store.fileProblem === undefined) await dropMark();
    return result;
  }

  function end(): void {
    clearTimeout(countdown);
    waiting = undefined;
  }

  return {
    get change() {
      return waiting?.change;
    },
    get secondsLeft() {
      return waiting === undefined
        ? 0
        : Math.max(0, Math.ceil((waiting.endsAtMs - performance.now()) / 1000));
    },
    begin(change, confirmSeconds) {
      waiting = { change, endsAtMs: performance.now() + confirmSeconds * 1000 };
      startCountdown(confirmSeconds * 1000);
    },
    end,
    goBack,
    dropMark,
    writeBack: () => void writingBack.run(),
    [Symbol.dispose]() {
      clearTimeout(countdown);
      writingBack.cancel();
    },
  };
}
