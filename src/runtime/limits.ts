/**
 * Reports when a limited resource is nearly used up: the condition "limits", from 90 % of it until it is below 80 % again, in
 * status, page, screen, metrics and health. Some resources can be used up by anybody on the Internet without harm to others.
 * Those get a line in the timeline instead: a port scan must not make the appliance unhealthy. docs/limits.md says what happens
 * at each limit.
 */
import { type Text, english, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';

/** A limited resource, and how much of it is in use now. */
export interface Limit {
  /** What is counted, in the plural: "sessions". */
  readonly what: Text;
  readonly used: number;
  readonly size: number;
  /** What the user can do, as a whole sentence. */
  readonly advice: Text;
  /** Whoever is refused at this limit loses nothing important. */
  readonly isHarmless?: boolean;
}

const WARN_FROM = 0.9;
const WARN_UNTIL = 0.8;
const LOOK_INTERVAL_MS = 5000;
/** Minimum time before the same line may be repeated: a client that comes and goes must not fill the timeline. */
const NOTE_AGAIN_MS = 3_600_000;

/** Adds a line to the timeline. */
type Note = (service: string, text: Text) => void;

/** Checks once; returns the limits that are reported now, to be passed in the next time. */
export function reportLimits(
  limits: Readonly<Record<string, readonly Limit[]>>,
  reported: ReadonlySet<string>,
  conditions: Pick<Conditions, 'set'>,
  note: Note,
): Set<string> {
  const next = new Set<string>();
  for (const [service, ofService] of Object.entries(limits)) {
    for (const { what, used, size, advice, isHarmless = false } of ofService) {
      const key = `${service} ${english(what)}`;
      if (size === 0 || used < size * (reported.has(key) ? WARN_UNTIL : WARN_FROM)) continue;
      next.add(key);
      // Without the current figure: a text that changes would count as a new problem each time.
      const values = { service, size, what, advice };
      const text = say('{service}: 90 % of {size} {what} are in use. {advice}', values);
      if (!isHarmless) conditions.set('limits', key, text);
      else if (!reported.has(key)) note(service, text);
    }
  }
  for (const key of reported) if (!next.has(key)) conditions.set('limits', key, undefined);
  return next;
}

/** Leaves out lines that were noted less than an hour ago. */
export function seldom(note: Note, nowMs: () => number): Note {
  const noted = new Map<string, number>();
  return (service, text) => {
    const key = `${service} ${english(text)}`;
    if (nowMs() - (noted.get(key) ?? -Infinity) < NOTE_AGAIN_MS) return;
    noted.set(key, nowMs());
    note(service, text);
  };
}

/** Checks every few seconds, until disposed. `limits`: by service; none for a service that does not run. */
export function watchLimits(
  limits: () => Readonly<Record<string, readonly Limit[]>>,
  conditions: Pick<Conditions, 'set'>,
  note: Note,
): Disposable {
  let reported = new Set<string>();
  const noteSeldom = seldom(note, () => performance.now());
  const timer = setInterval(() => {
    reported = reportLimits(limits(), reported, conditions, noteSeldom);
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
