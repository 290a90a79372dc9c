/**
 * The one way to change the configuration while the process runs: checked against its assertions, put into force, kept in
 * the history, and taken back when nobody confirms it in time.
 */
import type { AssertionResult } from '../runtime/explain.ts';
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../runtime/storage.ts';
import { type Text, asIs, english, secondOf, say } from '../texts/text.ts';
import { type Difference, diffDocuments } from './diff.ts';
import { type ConfigDocument, type LoadedConfig, checkedHere, loadConfig, loadDocument } from './load.ts';
import { type PendingChange, type Recovery, removePending, writePending } from './pending.ts';
import type { ConfigProblem } from './problem.ts';
import { type ConfigEvent, createRecorder, diffOf } from './recorder.ts';
import {
  type Revision,
  type RevisionWhy,
  type Revisions,
  type RollbackReason,
  openRevisions,
} from './revisions.ts';
import type { Config } from './schema.ts';
import { type ChangeResult, type ConfigStore, formatDocument, revisionOf } from './store.ts';
import { createInTurn } from '../os/in-turn.ts';

/** Looks at the assertions of a configuration that is not in force yet. */
export type Assess = (config: Config) => Promise<readonly AssertionResult[]>;

export interface ApplyRequest {
  /** A document, or the text of one. */
  readonly document: unknown;
  /** What the change was made from; without it the change is made whatever is in force. */
  readonly revision?: string | undefined;
  /** 0: for good at once. */
  readonly confirmSeconds: number;
  readonly ignoreAssertions: boolean;
  /** Session or token. */
  readonly by: string;
  readonly why?: RevisionWhy;
  readonly reason?: Text;
}

export type ApplyResult =
  | { readonly outcome: 'changed'; readonly revision: string; readonly confirmBy: string | null }
  | Exclude<ChangeResult, { outcome: 'changed' | 'unchanged' }>
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** Another change waits for its confirmation. */
  | { readonly outcome: 'change-pending'; readonly pending: PendingChange }
  | { readonly outcome: 'assertions-failed'; readonly failed: readonly AssertionResult[] };

export interface CheckedConfig {
  readonly problems: readonly ConfigProblem[];
  /** From the configuration in force; empty while there are problems. */
  readonly diff: readonly Difference[];
  /** Those that did not pass. */
  readonly assertions: readonly AssertionResult[];
}

export interface ConfigChanges extends Disposable {
  /** What judges the assertions; before it is set, none is looked at. */
  onAssess(assess: Assess): void;
  /** Hears of every change, also of those since the start that nobody listened to. */
  onEvent(listener: (event: ConfigEvent) => void): void;
  /** Changes nothing. */
  check(document: unknown): Promise<CheckedConfig>;
  /** One change at a time. Never rejects. */
  apply(request: ApplyRequest): Promise<ApplyResult>;
  /** Back to a document of the history; undefined when that is not (or no longer) there. */
  revert(id: number, request: Omit<ApplyRequest, 'document'>): Promise<ApplyResult | undefined>;
  /** Makes the pending change last. False when there is none. Rejects, with the change still pending, when it cannot be kept. */
  confirm(by: string): Promise<boolean>;
  /** Takes the pending change back; undefined when there is none. */
  rollback(by: string): Promise<ChangeResult | undefined>;
  /** Reads the file again, for SIGHUP. An edit ends the countdown of a pending change: it is the later word. */
  reload(): Promise<ChangeResult>;
  readonly pending: (PendingChange & { readonly secondsLeft: number }) | undefined;
  /** The differences that the pending change made. */
  pendingDiff(): readonly Difference[];
  /** The newest revision, if it took a change back. */
  readonly lastRollback: Revision | undefined;
  revisions(before: number, limit: number): readonly Revision[];
  /** A revision with its document and differences: to the one before, and from what is in force. */
  revision(id: number): Promise<RevisionDetail | undefined>;
}

export interface RevisionDetail {
  readonly revision: Revision;
  readonly document: ConfigDocument;
  readonly diff: readonly Difference[];
  readonly diffFromCurrent: readonly Difference[];
}

export interface ChangesOptions {
  readonly store: ConfigStore;
  readonly storage: Storage;
  /** Opened already, because the store may have needed it. */
  readonly history?: Revisions;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** What `recoverPending` found. */
  readonly recovery?: Recovery | undefined;
}

/** How long after a failed rollback it is tried again. */
const ROLLBACK_RETRY_MS = 10_000;

/** Opens the history and takes note of what happened while the process was away. */
export async function openConfigChanges(options: ChangesOptions): Promise<ConfigChanges> {
  const { store, storage, log, recovery } = options;
  const history = options.history ?? (await openRevisions(storage, log));
  const { record, recordStart, tell, onEvent } = createRecorder(store, history);
  let waiting: { readonly change: PendingChange; readonly endsAtMs: number } | undefined;
  let countdown: NodeJS.Timeout | undefined;
  let assess: Assess = async () => [];
  const inTurn = createInTurn();

  const dropMark = () =>
    removePending(storage).catch((error: unknown) =>
      log.error({ err: error }, 'configuration: the mark of a change that is over could not be removed'),
    );

  /** What went back, and could not be written to the file: the mark stays until it is, for a start that comes before. */
  const writingBack = storage.retried(store.path, () =>
    inTurn(async () => {
      await store.writeBack();
      if (waiting === undefined) await dropMark();
    }),
  );

  function load(document: unknown): LoadedConfig | { readonly problems: readonly ConfigProblem[] } {
    if (typeof document !== 'string') return checkedHere(loadDocument(document));
    if (document.trim() !== '') return checkedHere(loadConfig(document));
    // As a file it would be valid, but here it is hardly meant.
    const expected = say('a configuration; {} is the shortest');
    return {
      problems: [{ path: '', expected, message: say('is empty; expected {expected}', { expected }) }],
    };
  }

  async function failedAssertions(config: Config): Promise<readonly AssertionResult[]> {
    return (await assess(config)).filter(({ state }) => state !== 'passed');
  }

  /** Whoever edits the file has the last word, but should know. */
  async function warnOfAssertions(): Promise<void> {
    const failed = (await assess(store.current)).filter(({ state }) => state === 'failed');
    for (const { message } of failed)
      log.warn({ message: english(message) }, 'configuration: an assertion fails');
  }

  async function apply(request: ApplyRequest): Promise<ApplyResult> {
    const { by, why = 'apply', reason = '', confirmSeconds } = request;
    storage.assertOurs();
    if (waiting !== undefined) return { outcome: 'change-pending', pending: waiting.change };
    const previousRevision = store.revision;
    if ((request.revision ?? previousRevision) !== previousRevision)
      return { outcome: 'stale', revision: previousRevision };
    const next = load(request.document);
    if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
    const revision = revisionOf(next.document);
    // What runs in the place of a file that was refused is not kept yet.
    if (revision === previousRevision && store.fileProblem === undefined)
      return { outcome: 'unchanged', revision };
    if (!request.ignoreAssertions) {
      const failed = (await assess(next.config)).filter(({ state }) => state === 'failed');
      if (failed.length > 0) return { outcome: 'assertions-failed', failed };
    }
    const text = formatDocument(next.document);
    const appliedAtMs = Date.now();
    const change: PendingChange = {
      version: 1,
      previousText: store.fileText ?? null,
      previousRevision,
      text,
      revision,
      by,
      why,
      reason,
      appliedAt: new Date(appliedAtMs).toISOString(),
      confirmBy: new Date(appliedAtMs + confirmSeconds * 1000).toISOString(),
    };
    if (confirmSeconds > 0) await writePending(storage, change);
    // A mark that could not be removed when it should have been must not take this change back.
    else await dropMark();
    const result = await store.replace(text, previousRevision);
    if (result.outcome !== 'changed') {
      if (confirmSeconds > 0) await removePending(storage);
      return result;
    }
    if (confirmSeconds > 0) {
      waiting = { change, endsAtMs: performance.now() + confirmSeconds * 1000 };
      startCountdown(confirmSeconds * 1000);
    }
    await record({ by, why, reason });
    return { outcome: 'changed', revision, confirmBy: confirmSeconds > 0 ? change.confirmBy : null };
  }

  function startCountdown(milliseconds: number): void {
    clearTimeout(countdown);
    const { change } = waiting!;
    countdown = setTimeout(() => {
      void inTurn(async () => {
        if (waiting?.change !== change) return;
        const reason = say('What {by} had changed was not confirmed before {time}.', {
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
    stopWaiting();
    log.warn({ revision, by, why }, 'configuration: a change was taken back');
    const isRecorded = await record({
      by,
      why: 'rollback',
      reason,
      rolledBack: { revision, reason: why },
    });
    if (result.unwritten !== undefined) keepWritingBack(result.unwritten);
    // A file that was refused stays; then the history has to say what runs at the next start.
    else if (isRecorded || store.fileProblem === undefined) await dropMark();
    return result;
  }

  function stopWaiting(): void {
    clearTimeout(countdown);
    waiting = undefined;
  }

  function keepWritingBack(error: Error): void {
    storage.note(store.path, 'write', error);
    // Not now: it is this change's turn.
    setImmediate(() => void writingBack.run());
  }

  const failed = (error: unknown): { outcome: 'failed'; error: Error } => {
    const failure = error instanceof Error ? error : new Error(String(error));
    log.error({ err: failure }, 'configuration: change failed');
    return { outcome: 'failed', error: failure };
  };

  const isRecorded = await recordStart(recovery);
  if (recovery?.outcome === 'unwritten') void writingBack.run();
  else if (recovery !== undefined && (isRecorded || recovery.outcome !== 'file-refused')) await dropMark();

  return {
    onAssess(newAssess) {
      assess = newAssess;
    },
    onEvent,
    async check(document) {
      const next = load(document);
      if ('problems' in next) return { problems: next.problems, diff: [], assertions: [] };
      const diff = diffDocuments(store.current, next.config);
      return { problems: [], diff, assertions: await failedAssertions(next.config) };
    },
    apply: (request) => inTurn(() => apply(request)).catch(failed),
    async revert(id, request) {
      const document = await history.documentOf(id);
      if (document === undefined) return undefined;
      const reverted = {
        why: 'revert',
        reason: say('Back to revision {id}.', { id }),
        ...request,
        document,
      } as const;
      return inTurn(() => apply(reverted)).catch(failed);
    },
    confirm: (by) =>
      inTurn(async () => {
        if (waiting === undefined) return false;
        const { revision } = waiting.change;
        await removePending(storage);
        stopWaiting();
        log.info({ revision, by }, 'configuration: change confirmed');
        tell({ by, action: 'confirm', revision, reason: '' });
        return true;
      }),
    rollback: (by) =>
      inTurn(async () =>
        waiting === undefined
          ? undefined
          : goBack(by, 'asked', say('{by} took the change back.', { by: asIs(by) })),
      ),
    reload: () =>
      inTurn(async () => {
        const result = await store.reload();
        if (result.outcome !== 'changed') return result;
        const ended = waiting?.change;
        stopWaiting();
        const reason =
          ended === undefined
            ? say('Edited by hand.')
            : say('Edited by hand; this ended the countdown of the change of {by}.', { by: asIs(ended.by) });
        await record({ by: 'file', why: 'file', reason });
        if (ended !== undefined) await dropMark();
        await warnOfAssertions();
        return result;
      }).catch(failed),
    get pending() {
      if (waiting === undefined) return undefined;
      const secondsLeft = Math.max(0, Math.ceil((waiting.endsAtMs - performance.now()) / 1000));
      return { ...waiting.change, secondsLeft };
    },
    pendingDiff() {
      if (waiting === undefined) return [];
      const before = loadConfig(waiting.change.previousText ?? '');
      return 'problems' in before ? [] : diffDocuments(before.config, store.current);
    },
    get lastRollback() {
      return history.newest?.rolledBack === undefined ? undefined : history.newest;
    },
    revisions: (before, limit) => history.list(before, limit),
    async revision(id) {
      const [revision] = history.list(id + 1, 1);
      const document = revision?.id === id ? await history.documentOf(id) : undefined;
      if (document === undefined) return undefined;
      const before = await history.documentOf(id - 1);
      return {
        revision,
        document,
        diff: before === undefined ? [] : diffOf(before, document),
        diffFromCurrent: diffOf(store.document, document),
      };
    },
    [Symbol.dispose]() {
      clearTimeout(countdown);
      writingBack.cancel();
    },
  };
}
