/**
 * What is wrong with parts of the process that are no service: the file of the configuration, the state directory, what is
 * finite and nearly used up, what the checks that run by themselves have measured. Each part reports as a service does, so that the page, the screen, the command line, metrics
 * and health say the same of it by the same code.
 */
import { type Text, listOf } from '../texts/text.ts';
import type { ServiceStatus, ServiceReport } from './report.ts';

/** Parts of the process, by the name of their report. */
export const CONDITION_PARTS = ['configuration', 'storage', 'limits', 'checks'] as const;
export type ConditionPart = (typeof CONDITION_PARTS)[number];

/** Parts whose state is not known before it was measured for the first time. */
const MEASURED_PARTS: readonly ConditionPart[] = ['checks'];

export interface Conditions {
  /** One problem of a part, under a key of its own, or none any more. A problem says what is wrong and how to fix it. */
  set(part: ConditionPart, key: string, problem: Text | undefined): void;
  /** A part has been measured: where nothing was found, it is well. */
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
