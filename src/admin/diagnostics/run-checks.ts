/** Runs the checks, keeps what they found, and puts it into the words of the API. */

import { listOf, reasonOf, say, type Text, TextError } from '../../texts/text.ts';
import type { Check, CheckDeps, Finding } from './check.ts';
import type { ChecksFound } from './found.ts';
import { createLimit } from './limit.ts';
import { type SharedRun, sharedRun } from './shared-run.ts';

export interface CheckRunnerOptions {
  readonly checks: readonly Check[];
  /** For one run; `only` and `countersBefore` are the runner's. */
  readonly deps: () => Omit<CheckDeps, 'only' | 'countersBefore'>;
  readonly now: () => Date;
  /** Identifies the configuration: after a change, what was found is old. */
  readonly revision: () => string;
  /** Something new is known. */
  readonly onFound?: () => void;
  /** A run that nobody waits for failed, by a defect of ours: what a check throws is a finding. */
  readonly onError: (error: unknown) => void;
}

export interface CheckRunner {
  answer(): ChecksFound;
  /** Starts a run when what is known is old; does not wait for it. */
  refresh(): void;
  /**
   * Runs all, or the one item of this id and what was put down to it; undefined when there is no such check. What it tells was
   * looked at after the call.
   */
  run(id?: string): Promise<ChecksFound | undefined>;
  /** One check by itself. */
  runAlone(check: Check): Promise<void>;
  /** Whether something of it failed when it ran last, whatever explains that. */
  hasFailed(check: Check): boolean;
  /** Of a check: undefined before it ran for the first time; otherwise what fails and is not explained by another failure. */
  failures(check: Check): readonly Text[] | undefined;
}

/** How old what is shown may become while somebody looks. */
export const REFRESH_AFTER_MS = 300_000;
const MAX_CONCURRENT = 4;
const CHECK_TIMEOUT_MS = 30_000;

interface DatedFinding extends Finding {
  readonly checkedAt: Date | undefined;
  /** Which look found it: looks are counted as they begin. */
  readonly look: number;
}
type Results = ReadonlyMap<string, readonly DatedFinding[]>;

const NOT_YET: readonly DatedFinding[] = [
  { state: 'unknown', what: say('Not looked at yet.'), checkedAt: undefined, look: 0 },
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
  /** By id of the check: the last look that was for all of it. */
  const wholeLooks = new Map<string, number>();
  /** By id of the item. */
  const runsAgain = new Map<string, SharedRun<void>>();

  /** Several may look at the same time: a look that began earlier says nothing against one that began later. */
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

  /** One item, and what was explained by its failure: that may be right by now, or stand for itself. */
  async function runAgain(check: Check, only: string | undefined): Promise<void> {
    const runDeps = { ...deps(), countersBefore };
    await runOne(check, { ...runDeps, only });
    await runConsequences(check, runDeps);
  }

  /** A check, and when its failure is over, what that explained. */
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

/** Never rejects: a check that throws, or takes too long, cannot tell. */
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

/** What is known of the same key when that was looked at later. */
function newer(finding: DatedFinding, known: readonly DatedFinding[] = []): DatedFinding {
  return known.find(({ key, look }) => key === finding.key && look > finding.look) ?? finding;
}

/** The findings with that of one key exchanged; without it when it is found no more. */
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
      mend: cause === undefined ? (finding.mend ?? null) : null,
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

/** The id of the failing check that explains a finding; undefined when it stands for itself. */
function causeOf(check: Check, finding: Finding, results: Results): string | undefined {
  if (!isOpen(finding)) return undefined;
  const needs = [...(check.needs ?? []), ...(finding.needs ?? [])];
  return needs.find((id) => results.get(id)?.some(({ state }) => state === 'fail'));
}
