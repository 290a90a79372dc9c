/** How a service, or another part of the process, is: what status, page, screen, metrics and health show. */
import type { Text, Value } from '../texts/text.ts';
import type { CounterTable } from './counters.ts';
import type { HostTraffic } from './host-traffic.ts';
import type { KernelContest } from './kernel-trouble.ts';

/** running: all it was asked to do; degraded: some of it (`problem` says what); disabled: by configuration. */
export type ServiceState = 'running' | 'degraded' | 'disabled';

/**
 * failed: could not be started, `problem` says why; it is tried again by itself. unknown: of what is measured, and has not been
 * yet.
 */
export type ReportState = ServiceState | 'failed' | 'unknown';

export interface ServiceStatus {
  readonly state: ServiceState;
  /** What is wrong and how to mend it, when degraded. */
  readonly problem?: Text;
  /** How often its worker threads died and were started again. */
  readonly restarts: number;
  /** Figures worth a line on the status page, by their unit-bearing name ("sessions", "cacheEntries", ...). */
  readonly figures: Readonly<Record<string, Value>>;
}

/** A service as the admin API shows it. */
export interface ServiceReport {
  readonly name: string;
  readonly status: Omit<ServiceStatus, 'state'> & { readonly state: ReportState };
  readonly counterTable: CounterTable;
  readonly counters: Readonly<Record<string, number>>;
  /** By server, where the service tells them apart. */
  readonly hosts?: Readonly<Record<string, HostTraffic>> | undefined;
  readonly kernelContests?: readonly KernelContest[] | undefined;
}
