/** The interface of every service towards the app and the admin API. */
import type { HealthByServer } from './address-health.ts';
import type { Conditions } from './conditions.ts';
import type { CounterTable } from './counters.ts';
import type { EventSink } from './events.ts';
import type { HostTraffic } from './host-traffic.ts';
import type { Limit } from './limits.ts';
import type { KernelContest } from './kernel-trouble.ts';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import type { Logger } from './log.ts';
import type { ServiceStatus } from './report.ts';
import { type Storage, openStorage } from './storage.ts';

/**
 * A running service, made by `startX(options, context)`. A failed start closes everything that it opened. Disposing ends every
 * thread, socket, device, route and rule that it made.
 */
export interface Service<Options> extends AsyncDisposable {
  readonly name: string;
  /** The names and meanings of its counters. */
  readonly counterTable: CounterTable;
  /**
   * Applies the difference; everything that the change does not affect continues. On failure throws, and the old options stay
   * in force.
   */
  reconfigure(options: Options): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  /** Traffic to and from each server, if the service knows it. */
  hosts?(): Readonly<Record<string, HostTraffic>>;
  /** What its health checks know of the addresses of servers. */
  health?(): HealthByServer;
  /** Read-only queries about its inside (the service's own `contract.ts`); undefined while there is nothing to query. */
  readonly queries?: unknown;
  /** Its limited resources, and how much of them is in use. */
  limits?(): readonly Limit[];
  /**
   * The process is about to end: accepts no new clients, and resolves when open work has finished or `signal` aborts. Disposing
   * follows and cuts what is left. Without it, the service runs as before until then.
   */
  drain?(signal: AbortSignal): Promise<void>;
  /** Its kernel state that other programs change repeatedly, or that the kernel refuses. */
  kernelContests?(): readonly KernelContest[];
  /** Test hook: makes the worker thread throw, as a defect would. */
  failWorker(number?: number): void;
}

/** The storage of a service. Where a service is started alone, it reports to the log only. */
export const storageOf = ({
  storage,
  stateDirectory,
  log,
}: Pick<ServiceContext, 'storage' | 'stateDirectory' | 'log'>): Storage =>
  storage ?? openStorage(stateDirectory, { log });

/** What every service is given at start. */
export interface ServiceContext {
  readonly log: Logger;
  /** Directory for data that must survive a restart. It may be missing, full or read-only. */
  readonly stateDirectory: string;
  /** Directory for data of this start only, if the service manager provides one; otherwise that data is in `stateDirectory`. */
  readonly runtimeDirectory?: string | undefined;
  /** The addresses of this machine: no server may have one of them. */
  readonly ourselves: FollowedOurselves;
  /** Where to report events about traffic. */
  readonly events?: EventSink | undefined;
  /** Where to report problems that do not belong to a service: storage, limits. */
  readonly conditions?: Conditions | undefined;
  /** The files in `stateDirectory`. */
  readonly storage?: Storage | undefined;
}
