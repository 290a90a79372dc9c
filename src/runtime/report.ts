/** The state of a service, or of another part of the process, as status, page, screen, metrics and health show it. */
import type { Text, Value } from '../texts/text.ts';
import type { HealthByServer } from './address-health.ts';
import type { CounterTable } from './counters.ts';
import type { HostTraffic } from './host-traffic.ts';
import type { KernelContest } from './kernel-trouble.ts';

/** running: everything works; degraded: only a part works (`problem` says what does not); disabled: by configuration. */
export type ServiceState = 'running' | 'degraded' | 'disabled';

/**
 * failed: could not be started, `problem` says why; it is retried automatically. unknown: a measured part that has not been
 * measured yet.
 */
export type ReportState = ServiceState | 'failed' | 'unknown';

export interface ServiceStatus {
  readonly state: ServiceState;
  /** What is wrong and how to fix it, when degraded. */
  readonly problem?: Text;
  /** How often its worker threads died and were restarted. */
  readonly restarts: number;
  /** Figures for the status page, by their name with unit ("sessions", "cacheEntries", ...). */
  readonly figures: Readonly<Record<string, Value>>;
}

/** A service as the admin API shows it. */
export interface ServiceReport {
  readonly name: string;
  readonly status: Omit<ServiceStatus, 'state'> & { readonly state: ReportState };
  readonly counterTable: CounterTable;
  readonly counters: Readonly<Record<string, number>>;
  /** By server, if the service counts them separately. */
  readonly hosts?: Readonly<Record<string, HostTraffic>> | undefined;
  /** Health checks of the addresses of servers, if the service makes them. */
  readonly health?: HealthByServer | undefined;
  readonly kernelContests?: readonly KernelContest[] | undefined;
}
