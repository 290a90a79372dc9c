/**
 * The active configuration, and the draft: changes collect in the draft, in this tab, until they are applied or discarded. No
 * other code of the page writes configuration.
 */
import { computed, effect, signal } from '@preact/signals';
import { api, messageOf } from './api.ts';
import type {
  Config,
  ConfigApplyAnswer,
  ConfigCheckAnswer,
  ConfigPendingAnswer,
  DiffEntry,
} from './contract.ts';
import { locale } from './locale.ts';

/** The configuration as a user writes it: fields with defaults may be left out. */
export type ConfigDocument = { [key: string]: unknown };

interface ConfigAnswer {
  readonly revision: string;
  readonly document: ConfigDocument;
  readonly effective: Config;
}
interface Draft {
  readonly baseRevision: string;
  readonly document: ConfigDocument;
}

const DRAFT_KEY = 'tombolo-draft';
const CHECK_DELAY_MS = 250;
/** How long an applied change waits for its confirmation. */
export const CONFIRM_SECONDS = 60;

export const config = signal<ConfigAnswer | undefined>(undefined);
export const draft = signal<Draft | undefined>(restore());
export const draftCheck = signal<ConfigCheckAnswer | undefined>(undefined);
export const pending = signal<ConfigPendingAnswer | undefined>(undefined);

/** The configuration if the draft were applied: forms edit this. */
export const edited = computed<ConfigDocument>(() => draft.value?.document ?? config.value?.document ?? {});
/** Whether the configuration was changed elsewhere since the draft was started. */
export const isDraftStale = computed(
  () =>
    draft.value !== undefined &&
    config.value !== undefined &&
    draft.value.baseRevision !== config.value.revision,
);

function restore(): Draft | undefined {
  const text = sessionStorage.getItem(DRAFT_KEY);
  return text === null ? undefined : (JSON.parse(text) as Draft);
}

effect(() => {
  if (draft.value === undefined) sessionStorage.removeItem(DRAFT_KEY);
  else sessionStorage.setItem(DRAFT_KEY, JSON.stringify(draft.value));
});

/** Throws ApiProblem. */
export async function loadConfig(): Promise<void> {
  const [next, waiting] = await Promise.all([
    api.get<ConfigAnswer>('config'),
    api.get<ConfigPendingAnswer>('config/pending'),
  ]);
  config.value = next;
  pending.value = waiting;
}

const configProblem = signal<string | undefined>(undefined);
/** The first load, for pages that wait for it. `reload` never rejects. */
export const configLoad = {
  problem: configProblem,
  async reload(): Promise<void> {
    configProblem.value = undefined;
    await loadConfig().catch((error: unknown) => (configProblem.value = messageOf(error)));
  },
};

export async function loadPending(): Promise<void> {
  const before = pending.value?.pending?.revision;
  const next = await api.get<ConfigPendingAnswer>('config/pending');
  pending.value = next;
  if (next.pending?.revision !== before) await loadConfig();
}

/** Changes the draft; `change` receives a copy of the whole document. */
export function edit(change: (document: ConfigDocument) => void): void {
  const document = structuredClone(edited.value);
  change(document);
  setDraft(document);
}

export function setDraft(document: ConfigDocument): void {
  const base = config.value;
  if (base === undefined) return;
  const isSame = JSON.stringify(document) === JSON.stringify(base.document);
  draft.value = isSame ? undefined : { baseRevision: draft.value?.baseRevision ?? base.revision, document };
}

export function discardDraft(): void {
  draft.value = undefined;
}

export const checkDocument = (document: unknown, abort?: AbortSignal): Promise<ConfigCheckAnswer> =>
  api.post<ConfigCheckAnswer>('config/check', { document }, abort);

// The appliance computes the diff of the draft: it knows defaults and references.
let checking: AbortController | undefined;
effect(() => {
  const document = draft.value?.document;
  void config.value?.revision;
  void locale.value;
  checking?.abort();
  if (document === undefined) {
    draftCheck.value = undefined;
    return;
  }
  const mine = (checking = new AbortController());
  setTimeout(() => {
    if (mine.signal.aborted) return;
    checkDocument(document, mine.signal).then(
      (answer) => {
        if (!mine.signal.aborted) draftCheck.value = answer;
      },
      () => {},
    );
  }, CHECK_DELAY_MS);
});

/**
 * If the last change moved the page to another port, opens that: the current port no longer answers. Returns true when it did
 * so. `isBack`: the change was rolled back.
 */
export function followPort(diff: readonly DiffEntry[] | undefined, isBack = false): boolean {
  const change = diff?.find(({ path }) => path === '/admin/port');
  const [from, to] = isBack ? [change?.to, change?.from] : [change?.from, change?.to];
  // A user who came through another port, such as one of a router, stays there.
  if (typeof to !== 'number' || location.port !== String(from)) return false;
  location.port = String(to);
  return true;
}

/** Activates a document, with a countdown unless `confirmSeconds` is 0. Throws ApiProblem. */
export async function apply(
  document: ConfigDocument,
  { confirmSeconds = CONFIRM_SECONDS, revision = config.value?.revision, ignoreAssertions = false } = {},
): Promise<ConfigApplyAnswer> {
  const answer = await api.post<ConfigApplyAnswer>('config/apply', {
    document,
    revision,
    confirmSeconds,
    ignoreAssertions,
  });
  const diff = draftCheck.value?.diff;
  draft.value = undefined;
  if (!followPort(diff)) await loadConfig();
  return answer;
}

export async function confirm(): Promise<void> {
  await api.post('config/confirm');
  await loadConfig();
}

export async function rollBack(): Promise<void> {
  await api.post('config/rollback');
  if (!followPort(pending.value?.pending?.diff, true)) await loadConfig();
}
