/**
 * Problems in parts of the process that are not services: the configuration file, the state directory, resources that are
 * nearly used up, the results of the automatic checks. Each part reports as a service does, so the page, the screen, the
 * command line, metrics and health show it with the same code.
 */
import { type Text, listOf } from '../texts/text.ts';
import type { ServiceStatus, ServiceReport } from './report.ts';

/** Parts of the process, by the name of their report. */
export const CONDITION_PARTS = ['configuration', 'storage', 'limits', 'checks'] as const;
export type ConditionPart = (typeof CONDITION_PARTS)[number];

/** Parts whose state is unknown until they have been measured once. */
const MEASURED_PARTS: readonly ConditionPart[] = ['checks'];

export interface Conditions {
  /** Sets one problem of a part under its own key, or removes it (undefined). A problem says what is wrong and how to fix it. */
  set(part: ConditionPart, key: string, problem: Text | undefined): void;
  /** A part has been measured: if no problem is set, it is well. */
  setMeasured(part: ConditionPart, figures: ServiceStatus['figures']): void;
  /** A report of each part: degraded while it has a problem. */
  reports(): ServiceReport[];
}

export function createConditions(): Conditions {
  const problems = new Map<ConditionPart, Map<string, Text>>(
    CONDITION_PARTS.map((part) => [part, new Map()]),
  );
  const figuresOf = new Map<ConditionPart, ServiceStatus['figures']>();
  return {
    setMeasured: (part, figures) => void figuresOf.set(part, figures),
    set(part, key, problem) {
      if (problem === undefined) problems.get(part)!.delete(key);
      else problems.get(part)!.set(key, problem);
    },
    reports: () =>
      Array.from(problems, ([name, found]) => {
        const figures = figuresOf.get(name);
        const rest = { restarts: 0, figures: figures ?? {} };
        const isKnown = figures !== undefined || !MEASURED_PARTS.includes(name);
        return {
          name,
          status:
            found.size === 0
              ? { state: isKnown ? 'running' : 'unknown', ...rest }
              : { state: 'degraded', problem: listOf([...found.values()], ' '), ...rest },
          counterTable: {},
          counters: {},
        };
      }),
  };
}
