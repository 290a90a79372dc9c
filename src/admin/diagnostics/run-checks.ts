/** Runs the checks, stores their findings, and returns them in the shape of the API. */

import { listOf, reasonOf, say, type Text, TextError } from '../../texts/text.ts';
import type { Check, CheckDeps, Finding } from './check.ts';
import type { ChecksFound } from './found.ts';
import { createLimit } from './limit.ts';
import { type SharedRun, sharedRun } from './shared-run.ts';

export interface CheckRunnerOptions {
  readonly checks: readonly Check[];
  /** For one run; `only` and `countersBefore` are set by the runner. */
  readonly deps: () => Omit<CheckDeps, 'only' | 'countersBefore'>;
  readonly now: () => Date;
  /** Identifies the configuration: after a change, earlier findings are out of date. */
  readonly revision: () => string;
  /** There are new findings. */
  readonly onFound?: () => void;
  /** A run that nobody waits for failed because of a bug of ours. (If a check throws, that is a finding.) */
  readonly onError: (error: unknown) => void;
}

export interface CheckRunner {
  answer(): ChecksFound;
  /** Starts a run if the findings are old; does not wait for it. */
  refresh(): void;
  /**
   * Runs all checks, or the one item of this id and the items that it explained. undefined if there is no such check. The
   * result was measured after the call.
   */
  run(id?: string): Promise<ChecksFound | undefined>;
  /** Runs one check alone. */
  runAlone(check: Check): Promise<void>;
  /** Whether some item of it failed in its last run, whether or not another failure explains it. */
  hasFailed(check: Check): boolean;
  /** The failures of a check that no other failure explains; undefined before its first run. */
  failures(check: Check): readonly Text[] | undefined;
}

/** How old the shown findings may become while a page is open. */
export const REFRESH_AFTER_MS = 300_000;
const MAX_CONCURRENT = 4;
const CHECK_TIMEOUT_MS = 30_000;

interface DatedFinding extends Finding {
  readonly checkedAt: Date | undefined;
  /** The look that found it: looks are numbered in the order in which they begin. */
  readonly look: number;
}
type Results = ReadonlyMap<string, readonly DatedFinding[]>;

const NOT_YET: readonly DatedFinding[] = [
  { state: 'unknown', what: say('Not checked yet.'), checkedAt: undefined, look: 0 },
];

export function createCheckRunner({
  checks,
  deps,
  now,
  revision,
  onFound,
  onError,
}: CheckRunnerOptions): CheckRunner {
  const results = new Map<string, readonly DatedFinding[]>();
  let countersBefore: CheckDeps['countersBefore'];
  let lastRun: { readonly at: Date; readonly revision: string } | undefined;
  let looks = 0;
  /** By id of the check: the last look that covered the whole check. */
  const wholeLooks = new Map<string, number>();
  /** By id of the item. */
  const runsAgain = new Map<string, SharedRun<void>>();

  /** Several looks may run at the same time. A look that began earlier never overrides one that began later. */
  async function runOne(check: Check, runDeps: CheckDeps): Promise<void> {
    const look = ++looks;
    const found = await performCheck(check, runDeps);
    const checkedAt = now();
    const findings = found.map((finding): DatedFinding => ({ ...finding, checkedAt, look }));
    if (look < (wholeLooks.get(check.id) ?? 0)) return;
    const { only } = runDeps;
    const known = results.get(check.id);
    if (only !== undefined && known !== undefined) {
      results.set(check.id, replaceFinding(known, findings, only));
    } else {
      wholeLooks.set(check.id, look);
      results.set(
        check.id,
        findings.map((finding) => newer(finding, known)),
      );
    }
    onFound?.();
  }

  async function runAll(): Promise<void> {
    const startedAt = { at: now(), revision: revision() };
    const runDeps: CheckDeps = { ...deps(), countersBefore, only: undefined };
    const limit = createLimit(MAX_CONCURRENT);
    await Promise.all(checks.map((check) => limit(() => runOne(check, runDeps))));
    countersBefore = Object.fromEntries(runDeps.services.map(({ name, counters }) => [name, counters]));
    lastRun = startedAt;
  }

  const all = sharedRun(runAll);

  const hasFailed = (check: Check): boolean =>
    results.get(check.id)?.some(({ state }) => state === 'fail') ?? false;

  /** Runs one item, and the items that its failure explained: they may be well by now, or be failures of their own. */
  async function runAgain(check: Check, only: string | undefined): Promise<void> {
    const runDeps = { ...deps(), countersBefore };
    await runOne(check, { ...runDeps, only });
    await runConsequences(check, runDeps);
  }

  /** Runs a check. If its failure is over, also runs the items that it explained. */
  async function runAlone(check: Check): Promise<void> {
    const runDeps = { ...deps(), countersBefore };
    const hadFailed = hasFailed(check);
    await runOne(check, { ...runDeps, only: undefined });
    if (hadFailed && !hasFailed(check)) await runConsequences(check, runDeps);
  }

  async function runConsequences(check: Check, runDeps: Omit<CheckDeps, 'only'>): Promise<void> {
    const seen = new Set([check]);
    for (const cause of seen) {
      const consequences = checks.filter((each) => !seen.has(each) && isOpenFor(each, cause.id, results));
      await Promise.all(consequences.map((each) => runOne(each, { ...runDeps, only: undefined })));
      for (const each of consequences) seen.add(each);
    }
  }

  const answer = (): ChecksFound => {
    const items = checks.flatMap((check) => itemsOf(check, results));
    const open = items.filter(isOpen).length;
    return { open, isRunning: all.isRunning, items };
  };

  return {
    answer,
    refresh() {
      const isOld =
        lastRun === undefined ||
        lastRun.revision !== revision() ||
        now().getTime() - lastRun.at.getTime() > REFRESH_AFTER_MS;
      if (isOld) all.current().catch(onError);
    },
    runAlone,
    hasFailed,
    failures: (check) =>
      results.has(check.id)
        ? itemsOf(check, results)
            .filter((item) => item.state === 'fail')
            .map(({ title, what }) => listOf([title, what], ': '))
        : undefined,
    async run(id) {
      if (id === undefined) {
        await all.fresh();
        return answer();
      }
      const [checkId, only] = id.split('/');
      const check = checks.find((each) => each.id === checkId);
      if (check === undefined) return undefined;
      const again = runsAgain.get(id) ?? sharedRun(() => runAgain(check, only));
      runsAgain.set(id, again);
      await again.fresh().finally(() => {
        if (!again.isRunning) runsAgain.delete(id);
      });
      return answer();
    },
  };
}

/** Never rejects: if a check throws or takes too long, the finding is "unknown". */
async function performCheck(check: Check, deps: CheckDeps): Promise<readonly Finding[]> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const seconds = CHECK_TIMEOUT_MS / 1000;
  const timer = setTimeout(
    () => reject(new TextError(say('it took longer than {seconds} s', { seconds }))),
    CHECK_TIMEOUT_MS,
  );
  try {
    const found = await Promise.race([(async () => check.run(deps))(), late]);
    return Array.isArray(found) ? found : [found as Finding];
  } catch (error) {
    const reason = reasonOf(error);
    return [{ state: 'unknown', what: say('This could not be checked: {reason}.', { reason }) }];
  } finally {
    clearTimeout(timer);
  }
}

/** The known finding with the same key, if it was measured later. */
function newer(finding: DatedFinding, known: readonly DatedFinding[] = []): DatedFinding {
  return known.find(({ key, look }) => key === finding.key && look > finding.look) ?? finding;
}

/** Replaces the finding with this key; removes it if it is no longer found. */
function replaceFinding(
  known: readonly DatedFinding[],
  found: readonly DatedFinding[],
  key: string,
): DatedFinding[] {
  const same = found.find((finding) => finding.key === key);
  const fresh = same && newer(same, known);
  if (fresh !== undefined && !known.some((finding) => finding.key === key)) return [...known, fresh];
  return known.flatMap((finding) => (finding.key === key ? (fresh ?? []) : finding));
}

function itemsOf(check: Check, results: Results): ChecksFound['items'] {
  return (results.get(check.id) ?? NOT_YET).map((finding) => {
    const cause = causeOf(check, finding, results);
    return {
      id: finding.key === undefined ? check.id : `${check.id}/${finding.key}`,
      area: finding.area ?? check.area,
      state: cause === undefined ? finding.state : 'unknown',
      title: finding.title ?? check.title,
      what:
        cause === undefined
          ? finding.what
          : say('{what} This follows from another failure ({cause}).', { what: finding.what, cause }),
      why: check.why,
      remedy: cause === undefined ? (finding.remedy ?? null) : null,
      server: finding.server ?? null,
      checkedAt: finding.checkedAt?.toISOString() ?? null,
    };
  });
}

/** Whether a check has an open finding that a failure of the check `id` would explain. */
const isOpenFor = (check: Check, id: string, results: Results): boolean =>
  (results.get(check.id) ?? []).some(
    (finding) => isOpen(finding) && (check.needs?.includes(id) || finding.needs?.includes(id)),
  );

const isOpen = ({ state }: { readonly state: Finding['state'] }) => state === 'fail' || state === 'warn';

/** The id of the failing check that explains a finding; undefined if none does. */
function causeOf(check: Check, finding: Finding, results: Results): string | undefined {
  if (!isOpen(finding)) return undefined;
  const needs = [...(check.needs ?? []), ...(finding.needs ?? [])];
  return needs.find((id) => results.get(id)?.some(({ state }) => state === 'fail'));
}
