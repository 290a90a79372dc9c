/**
 * The only way to change the configuration at run time: a change is checked against its assertions, activated, stored in the
 * history, and rolled back if nobody confirms it in time.
 */
import { createInTurn } from '../os/in-turn.ts';
import type { AssertionResult } from '../runtime/explain.ts';
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../runtime/storage.ts';
import { type Text, asIs, english, say } from '../texts/text.ts';
import { type Difference, diffDocuments } from './diff.ts';
import { type ConfigDocument, type LoadedConfig, checkedHere, loadConfig, loadDocument } from './load.ts';
import { type PendingChange, type Recovery, removePending, writePending } from './pending.ts';
import type { ConfigProblem } from './problem.ts';
import { type ConfigEvent, type Recorder, createRecorder, diffOf } from './recorder.ts';
import { type Revision, type RevisionWhy, type Revisions, openRevisions } from './revisions.ts';
import type { Config } from './schema.ts';
import { type ChangeResult, type ConfigStore, formatDocument, revisionOf } from './store.ts';
import { type Unconfirmed, createUnconfirmed } from './unconfirmed.ts';

/** Evaluates the assertions of a configuration that is not active yet. */
export type Assess = (config: Config) => Promise<readonly AssertionResult[]>;

export interface ApplyRequest {
  /** A document, or its text. */
  readonly document: unknown;
  /** The revision that the change is based on. Without it, the change is made whatever is active. */
  readonly revision?: string | undefined;
  /** 0: final at once. */
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
  /** Another change is waiting for confirmation. */
  | { readonly outcome: 'change-pending'; readonly pending: PendingChange }
  | { readonly outcome: 'assertions-failed'; readonly failed: readonly AssertionResult[] };

export interface CheckedConfig {
  readonly problems: readonly ConfigProblem[];
  /** From the active configuration; empty while there are problems. */
  readonly diff: readonly Difference[];
  /** The assertions that did not pass. */
  readonly assertions: readonly AssertionResult[];
}

export interface ConfigChanges extends Disposable {
  /** Sets the function that evaluates assertions. Until then, none are evaluated. */
  onAssess(assess: Assess): void;
  /** The listener gets every change, including those since the start before it was added. */
  onEvent(listener: (event: ConfigEvent) => void): void;
  /** Changes nothing. */
  check(document: unknown): Promise<CheckedConfig>;
  /** One change at a time. Never rejects. */
  apply(request: ApplyRequest): Promise<ApplyResult>;
  /** Reverts to a document of the history; undefined if that does not exist (any more). */
  revert(id: number, request: Omit<ApplyRequest, 'document'>): Promise<ApplyResult | undefined>;
  /** Makes the pending change final. False if there is none. Rejects, with the change still pending, if it cannot be stored. */
  confirm(by: string): Promise<boolean>;
  /** Rolls back the pending change; undefined if there is none. */
  rollback(by: string): Promise<ChangeResult | undefined>;
  /** Reads the file again, for SIGHUP. An edit of the file is newer than a pending change, so it ends its countdown. */
  reload(): Promise<ChangeResult>;
  readonly pending: (PendingChange & { readonly secondsLeft: number }) | undefined;
  /** The differences of the pending change. */
  pendingDiff(): readonly Difference[];
  /** The newest revision, if it was a rollback. */
  readonly lastRollback: Revision | undefined;
  revisions(before: number, limit: number): readonly Revision[];
  /** A revision with its document and differences: from the previous revision, and from the active configuration. */
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
  /** Passed if it is open already, because the store may have needed it. */
  readonly history?: Revisions;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** The result of `recoverPending`. */
  readonly recovery?: Recovery | undefined;
}

/** Opens the history, and records what happened while the process was not running. */
export async function openConfigChanges(options: ChangesOptions): Promise<ConfigChanges> {
  const { store, storage, log, recovery } = options;
  const history = options.history ?? (await openRevisions(storage, log));
  const { record, recordStart, report, onEvent } = createRecorder(store, history);
  const inTurn = createInTurn();
  const unconfirmed = createUnconfirmed({ store, storage, log, record, inTurn });
  let assess: Assess = async () => [];
  const parts: Parts = { store, storage, unconfirmed, record, assess: (config) => assess(config) };

  const inOrder = (request: ApplyRequest) =>
    inTurn(() => apply(parts, request)).catch((error) => failed(log, error));

  const isRecorded = await recordStart(recovery);
  if (recovery?.outcome === 'unwritten') unconfirmed.writeBack();
  else if (recovery !== undefined && (isRecorded || recovery.outcome !== 'file-refused'))
    await unconfirmed.dropMark();

  return {
    onAssess: (newAssess) => void (assess = newAssess),
    onEvent,
    async check(document) {
      const next = loadHere(document);
      if ('problems' in next) return { problems: next.problems, diff: [], assertions: [] };
      const diff = diffDocuments(store.current, next.config);
      const assertions = (await assess(next.config)).filter(({ state }) => state !== 'passed');
      return { problems: [], diff, assertions };
    },
    apply: inOrder,
    async revert(id, request) {
      const document = await history.documentOf(id);
      if (document === undefined) return undefined;
      return inOrder({ why: 'revert', reason: say('Back to revision {id}.', { id }), ...request, document });
    },
    confirm: (by) =>
      inTurn(async () => {
        if (unconfirmed.change === undefined) return false;
        const { revision } = unconfirmed.change;
        await removePending(storage);
        unconfirmed.end();
        log.info({ revision, by }, 'configuration: change confirmed');
        report({ by, action: 'confirm', revision, reason: '' });
        return true;
      }),
    rollback: (by) =>
      inTurn(async () =>
        unconfirmed.change === undefined
          ? undefined
          : unconfirmed.goBack(by, 'asked', say('{by} rolled the change back.', { by: asIs(by) })),
      ),
    reload: () =>
      inTurn(async () => {
        const result = await reload(parts);
        if (result.outcome === 'changed') warnOfAssertions(log, await assess(store.current));
        return result;
      }).catch((error) => failed(log, error)),
    get pending() {
      const { change, secondsLeft } = unconfirmed;
      return change && { ...change, secondsLeft };
    },
    pendingDiff() {
      if (unconfirmed.change === undefined) return [];
      const before = loadConfig(unconfirmed.change.previousText ?? '');
      return 'problems' in before ? [] : diffDocuments(before.config, store.current);
    },
    get lastRollback() {
      return history.newest?.rolledBack === undefined ? undefined : history.newest;
    },
    revisions: (before, limit) => history.list(before, limit),
    revision: (id) => detailOf(store, history, id),
    [Symbol.dispose]: () => unconfirmed[Symbol.dispose](),
  };
}

/** The parts that a change needs. */
interface Parts {
  readonly store: ConfigStore;
  readonly storage: Storage;
  readonly unconfirmed: Unconfirmed;
  readonly record: Recorder['record'];
  readonly assess: Assess;
}

async function apply(
  { store, storage, unconfirmed, record, assess }: Parts,
  request: ApplyRequest,
): Promise<ApplyResult> {
  const { by, why = 'apply', reason = '', confirmSeconds } = request;
  storage.assertOurs();
  if (unconfirmed.change !== undefined) return { outcome: 'change-pending', pending: unconfirmed.change };
  const previousRevision = store.revision;
  if ((request.revision ?? previousRevision) !== previousRevision)
    return { outcome: 'stale', revision: previousRevision };
  const next = loadHere(request.document);
  if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
  const revision = revisionOf(next.document);
  // The configuration that replaces a refused file is not stored yet.
  if (revision === previousRevision && store.fileProblem === undefined)
    return { outcome: 'unchanged', revision };
  if (!request.ignoreAssertions) {
    const failed = (await assess(next.config)).filter(({ state }) => state === 'failed');
    if (failed.length > 0) return { outcome: 'assertions-failed', failed };
  }
  const appliedAtMs = Date.now();
  const change: PendingChange = {
    version: 1,
    previousText: store.fileText ?? null,
    previousRevision,
    text: formatDocument(next.document),
    revision,
    by,
    why,
    reason,
    appliedAt: new Date(appliedAtMs).toISOString(),
    confirmBy: new Date(appliedAtMs + confirmSeconds * 1000).toISOString(),
  };
  if (confirmSeconds > 0) await writePending(storage, change);
  // A mark that could not be removed earlier must not roll back this change.
  else await unconfirmed.dropMark();
  const result = await store.replace(next, previousRevision);
  if (result.outcome !== 'changed') {
    if (confirmSeconds > 0) await removePending(storage);
    return result;
  }
  if (confirmSeconds > 0) unconfirmed.begin(change, confirmSeconds);
  await record({ by, why, reason });
  return { outcome: 'changed', revision, confirmBy: confirmSeconds > 0 ? change.confirmBy : null };
}

/** An edit ends the countdown of the pending change. */
async function reload({ store, unconfirmed, record }: Parts): Promise<ChangeResult> {
  const result = await store.reload();
  if (result.outcome !== 'changed') return result;
  const ended = unconfirmed.change;
  unconfirmed.end();
  const reason =
    ended === undefined
      ? say('Edited by hand.')
      : say('Edited by hand; this ended the countdown of the change of {by}.', { by: asIs(ended.by) });
  await record({ by: 'file', why: 'file', reason });
  if (ended !== undefined) await unconfirmed.dropMark();
  return result;
}

/** A document, or its text, for activation on this machine. */
function loadHere(document: unknown): LoadedConfig | { readonly problems: readonly ConfigProblem[] } {
  if (typeof document !== 'string') return checkedHere(loadDocument(document));
  if (document.trim() !== '') return checkedHere(loadConfig(document));
  // An empty file is valid, but an empty request is probably a mistake.
  const expected = say('a configuration; {} is the shortest');
  return {
    problems: [{ path: '', expected, message: say('is empty; expected {expected}', { expected }) }],
  };
}

/** An edit of the file is always accepted, but a failed assertion is logged. */
function warnOfAssertions(log: ChangesOptions['log'], results: readonly AssertionResult[]): void {
  for (const { state, message } of results)
    if (state === 'failed') log.warn({ message: english(message) }, 'configuration: an assertion fails');
}

function failed(log: ChangesOptions['log'], error: unknown): { outcome: 'failed'; error: Error } {
  const failure = error instanceof Error ? error : new Error(String(error));
  log.error({ err: failure }, 'configuration: change failed');
  return { outcome: 'failed', error: failure };
}

async function detailOf(
  store: ConfigStore,
  history: Revisions,
  id: number,
): Promise<RevisionDetail | undefined> {
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
}
