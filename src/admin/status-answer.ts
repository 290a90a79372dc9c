/** The state of process and services that GET status and the live stream show. */
import type { ServiceReport } from '../runtime/report.ts';
import { processFigures } from '../state/process.ts';
import { overallState } from '../state/summary.ts';
import type { Text, Value } from '../texts/text.ts';
import type { StatusAnswer } from './contract/status.ts';

type ServiceAnswer = StatusAnswer['services'][number];

/** The answer before it is translated. */
export type StatusFound = Omit<StatusAnswer, 'services'> & {
  readonly services: readonly (Omit<ServiceAnswer, 'problem' | 'figures'> & {
    readonly problem: Text | null;
    readonly figures: Readonly<Record<string, Value>>;
  })[];
};

export function toStatusAnswer(
  reports: readonly ServiceReport[],
  { version, startedAt }: { readonly version: string; readonly startedAt: Date },
): StatusFound {
  return {
    status: overallState(reports),
    version,
    startedAt: startedAt.toISOString(),
    process: processFigures(),
    services: reports.map(({ name, status }) => ({
      name,
      state: status.state,
      problem: status.problem ?? null,
      restarts: status.restarts,
      figures: { ...status.figures },
    })),
  };
}
