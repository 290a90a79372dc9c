/** Reports state changes of services. */
import type { EventSink } from '../runtime/events.ts';
import type { ServiceReport } from '../runtime/report.ts';

/** Compares reports with the previous ones, and puts an event for each service whose state, problem or thread changed. */
export function watchServices(events: EventSink): (reports: readonly ServiceReport[], nowMs: number) => void {
  const known = new Map<string, string>();
  return (reports, nowMs) => {
    for (const { name, status } of reports) {
      const { state, restarts } = status;
      const problem = status.problem ?? null;
      const key = JSON.stringify([state, problem, restarts]);
      if (known.get(name) === key) continue;
      known.set(name, key);
      events.put({ kind: 'service', service: name, state, problem, restarts }, nowMs);
    }
  };
}
