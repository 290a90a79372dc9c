/**
 * Counts how often an item in the kernel had to be repaired, and decides when it may be repaired again. The first few repairs
 * are made at once, later ones after growing waits: two programs must not fight for ever.
 */
import type { Program } from '../os/network-changes.ts';
import { type Text, listOf, say, unique } from '../texts/text.ts';

/** This many repairs are made at once. The count restarts after a calm period. */
export const FREE_REPAIRS = 5;
export const FIRST_WAIT_MS = 60_000;
export const LONGEST_WAIT_MS = 900_000;
/** An item that the kernel refuses is retried after a second, then less often. */
const FIRST_RETRY_MS = 1000;
export const LONGEST_RETRY_MS = 60_000;
/** An item that stayed in place for this time, and for twice its last wait, starts again from zero. */
export const CALM_MS = 600_000;
const MOST_NAMED = 4;

export interface Trouble {
  readonly what: Text;
  /** The wanted value at the last repair or refusal. A different wanted value is our own change and does not wait. */
  spec: string;
  who: Text;
  /** Repairs since the last calm period. */
  times: number;
  /** Failed attempts since it was last in place. */
  refusals: number;
  lastMs: number;
  waitMs: number;
  /** Why it is not in place: undefined when it is. */
  missing: 'contested' | { readonly reason: Text } | undefined;
}

/** An item that another program removes or changes repeatedly, or that the kernel refuses. */
export interface KernelContest {
  readonly what: Text;
  readonly who: Text;
  /** How often it was put back. */
  readonly times: number;
  /** It is not in place now. */
  readonly isMissing: boolean;
}

export const newTrouble = (what: Text): Trouble => ({
  what,
  spec: '',
  who: say('Another program'),
  times: 0,
  refusals: 0,
  lastMs: -Infinity,
  waitMs: 0,
  missing: undefined,
});

/** How long to wait before the next repair, after this many repairs. */
export const waitAfterRepairsMs = (times: number): number =>
  times < FREE_REPAIRS ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (times - FREE_REPAIRS), LONGEST_WAIT_MS);

/** Records a repair. Returns true for the repair after which the waits begin. `nowMs`: of a monotonic clock. */
export function noteRepair(trouble: Trouble, who: Text, nowMs: number): boolean {
  trouble.who = who;
  trouble.lastMs = nowMs;
  trouble.times++;
  trouble.refusals = 0;
  trouble.waitMs = waitAfterRepairsMs(trouble.times);
  trouble.missing = undefined;
  return trouble.times === FREE_REPAIRS;
}

/** Records a failed attempt. */
export function noteRefusal(trouble: Trouble, who: Text, reason: Text, nowMs: number): void {
  trouble.who = who;
  trouble.lastMs = nowMs;
  trouble.refusals++;
  trouble.waitMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(trouble.refusals - 1, 16), LONGEST_RETRY_MS);
  trouble.missing = { reason };
}

/** Whether the next repair must still wait. */
export const isWaiting = ({ lastMs, waitMs }: Trouble, nowMs: number): boolean => nowMs - lastMs < waitMs;

/** Whether the trouble is over and can be forgotten. */
export const isCalm = ({ lastMs, waitMs, missing }: Trouble, nowMs: number): boolean =>
  missing === undefined && nowMs - lastMs > Math.max(CALM_MS, 2 * waitMs);

/** What the checks report. Items that were repaired only once or twice are left out. */
export const contestsOf = (troubles: Iterable<Trouble>): KernelContest[] =>
  [...troubles]
    .filter(({ times, missing }) => times >= FREE_REPAIRS || missing !== undefined)
    .map(({ what, who, times, missing }) => ({ what, who, times, isMissing: missing !== undefined }));

export const fights = (contested: readonly Trouble[]): Text =>
  say(
    '{who} removes or changes {items} again and again. It is put back after longer and longer waits; stop that program, or configure it to leave this alone.',
    {
      who: listOf(unique(contested.map(({ who }) => who))),
      items: listed(contested.map(({ what }) => what)),
    },
  );

/** The program that changed something, as far as it is known. */
export function programText(program: Program | undefined): Text {
  if (program === undefined) return say('Another program');
  const { pid, name } = program;
  return name === undefined
    ? say('Process {pid}', { pid })
    : say('The program {name} (process {pid})', { name, pid });
}

/** The first few items. */
export const listed = (items: readonly Text[]): Text =>
  items.length <= MOST_NAMED
    ? listOf(items)
    : say('{items} and {count} more', {
        items: listOf(items.slice(0, MOST_NAMED)),
        count: items.length - MOST_NAMED,
      });
