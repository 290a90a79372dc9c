/**
 * Keeps a service's kernel state as wanted. It reads the state back, repairs what another program changed or removed, reports
 * this in the timeline, and says what is missing while a repair fails. The service calls `look` when the kernel reports a
 * change (`os/network-changes.ts`), once a minute, and when `isDue`.
 */
import type { applyState } from '../os/kernel-state/apply.ts';
import {
  type Difference,
  type FoundState,
  type KernelItem,
  compareState,
  itemKey,
  itemName,
} from '../os/kernel-state/items.ts';
import type { Changes } from '../os/network-changes.ts';
import { plainReasonOf, rootOf } from '../os/system-reason.ts';
import { type Text, english, say, sentences, unique } from '../texts/text.ts';
import type { EventSink } from './events.ts';
import {
  FREE_REPAIRS,
  type KernelContest,
  type Trouble,
  contestsOf,
  fights,
  isCalm,
  isWaiting,
  listed,
  newTrouble,
  noteRefusal,
  noteRepair,
  programText,
} from './kernel-trouble.ts';
import type { Logger } from './log.ts';

export interface KernelLook {
  readonly wanted: readonly KernelItem[];
  readonly found: FoundState;
}

export interface KeeperOptions {
  /** The name of the service's report. */
  readonly service: string;
  /** The wanted state and the state that was found, both as of now. */
  readonly read: () => KernelLook;
  /** Repairs the differences; returns the reasons for which the kernel refused, by key of the item. */
  readonly apply: (differences: readonly Difference[], found: FoundState) => ReturnType<typeof applyState>;
  readonly events?: Pick<EventSink, 'put'> | undefined;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A monotonic clock. */
  readonly monotonicMs: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface KernelKeeper {
  /**
   * Reads back and repairs. `by`: the programs that have changed something since the last look. Returns the reasons why newly
   * wanted items could not be set. Throws when the kernel cannot be read.
   */
  look(by: Changes['by']): Promise<readonly Text[]>;
  /** Whether a repair is waiting and its time has come. */
  isDue(): boolean;
  /** What is not in place, and why. */
  problem(): Text | undefined;
  contests(): readonly KernelContest[];
}

export function createKernelKeeper(options: KeeperOptions): KernelKeeper {
  const { read, apply, monotonicMs } = options;
  /**
   * By key: the wanted value of an item when it was last seen in place. If that value is still wanted and the item differs,
   * another program changed it.
   */
  const inPlace = new Map<string, string>();
  const troubles = new Map<string, Trouble>();

  const isForeign = ({ item }: Difference) => inPlace.get(itemKey(item)) === specOf(item);

  /** Also forgets items that are no longer wanted, and troubles that are over. */
  function noteInPlace(wanted: readonly KernelItem[], differences: readonly Difference[]): void {
    const differing = new Set(differences.map(({ item }) => itemKey(item)));
    const keys = new Set(wanted.map(itemKey));
    for (const key of inPlace.keys()) if (!keys.has(key)) inPlace.delete(key);
    for (const [key, trouble] of troubles) {
      if (!differing.has(key)) trouble.missing = undefined;
      if (!keys.has(key) || isCalm(trouble, monotonicMs())) troubles.delete(key);
    }
    for (const item of wanted) {
      const key = itemKey(item);
      if (!differing.has(key)) inPlace.set(key, specOf(item));
    }
  }

  function troubleOf({ item }: Difference): Trouble {
    const key = itemKey(item);
    const trouble = troubles.get(key) ?? newTrouble(itemName(item));
    trouble.spec = specOf(item);
    troubles.set(key, trouble);
    return trouble;
  }

  /**
   * Our own change succeeded, so refusals are over. The waits stay: a program that removed the item repeatedly may continue
   * with the new value.
   */
  function settleOwnChange({ item }: Difference): void {
    const trouble = troubles.get(itemKey(item));
    if (trouble === undefined) return;
    if (trouble.times === 0) troubles.delete(itemKey(item));
    trouble.spec = specOf(item);
    trouble.missing = undefined;
  }

  /** Returns the reasons why newly wanted items could not be set. */
  async function repair(due: readonly Difference[], found: FoundState, by: Changes['by']): Promise<Text[]> {
    const foreign = new Set(due.filter(isForeign));
    const culprit = (difference: Difference) => culpritOf(difference, due, by);
    const refused = await apply(due, found);
    const after = read();
    const left = compareState(after.wanted, after.found);
    const missing = new Set(left.map(({ item }) => itemKey(item)));
    const failures: Text[] = [];
    const repaired: Difference[] = [];
    /** Troubles for which the waits begin now. */
    const fought: Trouble[] = [];
    for (const difference of due) {
      const key = itemKey(difference.item);
      if (!missing.has(key)) {
        if (foreign.has(difference)) repaired.push(difference);
        else settleOwnChange(difference);
        continue;
      }
      const error = refused.get(key);
      const trouble = troubleOf(difference);
      const { missing: before } = trouble;
      if (error === undefined && foreign.has(difference)) {
        // Another program removed it before it was read back.
        if (noteRepair(trouble, culprit(difference), monotonicMs())) fought.push(trouble);
        trouble.missing = trouble.times < FREE_REPAIRS ? { reason: DOES_NOT_STAY } : 'contested';
        continue;
      }
      // The message already names the item.
      const reason = error === undefined ? DOES_NOT_STAY : plainReasonOf(rootOf(error));
      noteRefusal(trouble, culprit(difference), reason, monotonicMs());
      if (!foreign.has(difference)) failures.push(reason);
      const isReported = typeof before === 'object' && english(before.reason) === english(reason);
      if (!isReported) report(options, 'fail', cannotBeSet([trouble], reason));
    }
    noteInPlace(after.wanted, left);
    for (const each of repaired) {
      const trouble = troubleOf(each);
      if (noteRepair(trouble, culprit(each), monotonicMs())) fought.push(trouble);
    }
    reportRepairs(options, repaired, culprit);
    if (fought.length > 0) report(options, 'warn', fights(fought));
    return failures;
  }

  return {
    async look(by) {
      const { wanted, found } = read();
      const differences = compareState(wanted, found);
      noteInPlace(wanted, differences);
      const due: Difference[] = [];
      for (const difference of differences) {
        const trouble = troubles.get(itemKey(difference.item));
        const waits = trouble?.spec === specOf(difference.item) && isWaiting(trouble, monotonicMs());
        if (waits) trouble.missing ??= 'contested';
        else due.push(difference);
      }
      return due.length === 0 ? [] : await repair(due, found, by);
    },
    isDue() {
      const nowMs = monotonicMs();
      return [...troubles.values()].some((each) => each.missing !== undefined && !isWaiting(each, nowMs));
    },
    problem: () => problemOf([...troubles.values()]),
    contests: () => contestsOf(troubles.values()),
  };
}

const specOf = (item: KernelItem): string => JSON.stringify(item);

const DOES_NOT_STAY = say('it does not stay');

function problemOf(troubles: readonly Trouble[]): Text | undefined {
  const contested = troubles.filter(({ missing }) => missing === 'contested');
  const refused = troubles.flatMap((trouble) =>
    typeof trouble.missing === 'object' ? [{ trouble, reason: trouble.missing.reason }] : [],
  );
  const texts = unique(refused.map(({ reason }) => reason)).map((reason) =>
    cannotBeSet(
      refused.filter((each) => english(each.reason) === english(reason)).map(({ trouble }) => trouble),
      reason,
    ),
  );
  if (contested.length > 0) texts.push(fights(contested));
  return texts.length === 0 ? undefined : sentences(...texts);
}

const cannotBeSet = (troubles: readonly Trouble[], reason: Text): Text =>
  say('{items} cannot be set in the kernel: {reason}.', {
    items: listed(troubles.map(({ what }) => what)),
    reason,
  });

/** Adds a line to the timeline and the log. */
export function report(
  { service, events, log, now }: Pick<KeeperOptions, 'service' | 'events' | 'log' | 'now'>,
  severity: 'ok' | 'warn' | 'fail',
  text: Text,
): void {
  events?.put({ kind: 'notice', service, severity, text }, now());
  log[severity === 'ok' ? 'info' : 'warn']({}, `${service}: ${english(text)}`);
}

/** One line for each program and type of change. */
function reportRepairs(
  options: KeeperOptions,
  repaired: readonly Difference[],
  culprit: (difference: Difference) => Text,
): void {
  for (const how of ['removed', 'changed'] as const) {
    const all = repaired.filter((each) => each.how === how);
    for (const who of unique(all.map(culprit))) {
      const own = all.filter((each) => english(culprit(each)) === english(who));
      const items = listed(own.map(({ item }) => itemName(item)));
      report(options, 'ok', how === 'removed' ? wasRemoved(who, items) : wasChanged(who, items));
    }
  }
}

export const wasRemoved = (who: Text, items: Text): Text =>
  say('{who} removed {items}; put back.', { who, items });
const wasChanged = (who: Text, items: Text): Text => say('{who} changed {items}; put back.', { who, items });

/** Routes disappear with their device, so the program that changed the device has removed them. */
function culpritOf({ item }: Difference, due: readonly Difference[], by: Changes['by']): Text {
  const kind = item.kind === 'rule-order' ? 'rule' : item.kind;
  if (kind === 'program') return programText(undefined);
  const followsLink = kind === 'route' && due.some((each) => each.item.kind === 'link');
  return programText(by.get(kind) ?? (followsLink ? by.get('link') : undefined));
}
