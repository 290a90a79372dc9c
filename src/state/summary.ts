/** What the services report, as one picture. */
import { type Text, asIs, listOf } from '../texts/text.ts';
import type { ServiceReport } from '../runtime/report.ts';

export type OverallState = 'ok' | 'degraded' | 'failed';

/** The worst of the states of all parts, services or not: failed when one could not start, degraded when one does less than asked. */
export function overallState(reports: readonly Pick<ServiceReport, 'status'>[]): OverallState {
  const states = new Set(reports.map(({ status }) => status.state));
  if (states.has('failed')) return 'failed';
  return states.has('degraded') ? 'degraded' : 'ok';
}

/** What is wrong, a text for each part that has a problem, with the name of the part before it. */
export const problemsOf = (reports: readonly Pick<ServiceReport, 'name' | 'status'>[]): Text[] =>
  reports.flatMap(({ name, status: { problem } }) =>
    problem === undefined ? [] : [listOf([name, problem], ': ')],
  );

export interface ExplainedCounter {
  readonly name: string;
  readonly value: number;
  readonly explanation: Text;
}

/** A service's counters in the order of its table, each with what it counts. */
export const explainCounters = ({
  counters,
  counterTable,
}: Pick<ServiceReport, 'counters' | 'counterTable'>): ExplainedCounter[] =>
  Object.entries(counterTable).map(([name, explanation]) => ({
    name,
    value: counters[name] ?? 0,
    explanation: asIs(explanation),
  }));
