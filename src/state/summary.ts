/** Summarises the reports of all services. */
import { type Text, asIs, listOf } from '../texts/text.ts';
import type { ServiceReport } from '../runtime/report.ts';

export type OverallState = 'ok' | 'degraded' | 'failed';

/** The worst state of all parts, services or not: failed when one could not start, degraded when one only partly works. */
export function overallState(reports: readonly Pick<ServiceReport, 'status'>[]): OverallState {
  const states = new Set(reports.map(({ status }) => status.state));
  if (states.has('failed')) return 'failed';
  return states.has('degraded') ? 'degraded' : 'ok';
}

/** A text for each part with a problem, preceded by the name of the part. */
export const problemsOf = (reports: readonly Pick<ServiceReport, 'name' | 'status'>[]): Text[] =>
  reports.flatMap(({ name, status: { problem } }) =>
    problem === undefined ? [] : [listOf([name, problem], ': ')],
  );

export interface ExplainedCounter {
  readonly name: string;
  readonly value: number;
  readonly explanation: Text;
}

/** A service's counters in the order of its table, each with its explanation. */
export const explainCounters = ({
  counters,
  counterTable,
}: Pick<ServiceReport, 'counters' | 'counterTable'>): ExplainedCounter[] =>
  Object.entries(counterTable).map(([name, explanation]) => ({
    name,
    value: counters[name] ?? 0,
    explanation: asIs(explanation),
  }));
