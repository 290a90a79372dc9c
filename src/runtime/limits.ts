/**
 * Tells when something finite is nearly used up: the condition "limits", from 90 % of it on until it is below 80 % again, so
 * that status, page, screen, metrics and health say it. What costs nobody anything, though anybody on the Internet can use it up, is a line of the
 * timeline instead: a port scan must not make an appliance unwell. What happens at each limit is in docs/limits.md.
 */
import { type Text, english, say } from '../texts/text.ts';
import type { Conditions } from './conditions.ts';

/** Something finite: how much of it is in use at the moment. */
export interface Limit {
  /** What there are so many of, in the plural: "sessions". */
  readonly what: Text;
  readonly used: number;
  readonly size: number;
  /** What may be done, as a whole sentence. */
  readonly advice: Text;
  /** Who is refused at the limit loses nothing that he needs. */
  readonly isHarmless?: boolean;
}

const TELL_FROM = 0.9;
const TELL_UNTIL = 0.8;
const LOOK_INTERVAL_MS = 5000;
/** The same line again: whoever comes and goes must not fill the timeline. */
const NOTE_AGAIN_MS = 3_600_000;

/** Puts a line into the timeline. */
type Note = (service: string, text: Text) => void;

/** Looks once; returns what is told now, to be given back the next time. */
export function tellLimits(
  limits: Readonly<Record<string, readonly Limit[]>>,
  told: ReadonlySet<string>,
  conditions: Pick<Conditions, 'set'>,
  note: Note,
): Set<string> {
  const next = new Set<string>();
  for (const [service, ofService] of Object.entries(limits)) {
    for (const { what, used, size, advice, isHarmless = false } of ofService) {
      const key = `${service} ${english(what)}`;
      if (size === 0 || used < size * (told.has(key) ? TELL_UNTIL : TELL_FROM)) continue;
      next.add(key);
      // Without the present figure: a text that changes would be news each time.
      const values = { service, size, what, advice };
      const text = say('{service}: 90 % of {size} {what} are in use. {advice}', values);
      if (!isHarmless) conditions.set('limits', key, text);
      else if (!told.has(key)) note(service, text);
    }
  }
  for (const key of told) if (!next.has(key)) conditions.set('limits', key, undefined);
  return next;
}

/** Leaves out what was noted less than an hour ago. */
export function seldom(note: Note, nowMs: () => number): Note {
  const noted = new Map<string, number>();
  return (service, text) => {
    const key = `${service} ${english(text)}`;
    if (nowMs() - (noted.get(key) ?? -Infinity) < NOTE_AGAIN_MS) return;
    noted.set(key, nowMs());
    note(service, text);
  };
}

/** Looks every few seconds, until it is disposed. `limits`: by service; none of one that does not run. */
export function watchLimits(
  limits: () => Readonly<Record<string, readonly Limit[]>>,
  conditions: Pick<Conditions, 'set'>,
  note: Note,
): Disposable {
  let told = new Set<string>();
  const noteSeldom = seldom(note, () => performance.now());
  const timer = setInterval(() => {
    told = tellLimits(limits(), told, conditions, noteSeldom);
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
