/** What the app and the admin API know of a service, whichever it is. */
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
 * A running service. `startX(options, context)` makes one: a start that fails closes what it had opened, and disposing
 * ends every thread, socket, device, route and rule it made.
 */
export interface Service<Options> extends AsyncDisposable {
  readonly name: string;
  /** What its counters are called and mean. */
  readonly counterTable: CounterTable;
  /** Applies the difference; what the change does not touch goes on. On failure throws, with the old options in force. */
  reconfigure(options: Options): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  /** What passed to and from each server, where the service knows. */
  hosts?(): Readonly<Record<string, HostTraffic>>;
  /** Read-only questions about its inside (the service's own `contract.ts`); undefined while there is nothing to ask. */
  readonly queries?: unknown;
  /** What is finite, and how much of it is in use. */
  limits?(): readonly Limit[];
  /**
   * The process is about to end: takes nobody new, and resolves when what is open has finished or `signal` aborts. Disposing
   * comes next and cuts what is left. Without it, the service goes on as before until then.
   */
  drain?(signal: AbortSignal): Promise<void>;
  /** What of its state in the kernel other programs change again and again, or the kernel refuses. */
  kernelContests?(): readonly KernelContest[];
  /** Test hook: makes the worker thread throw, as a defect would. */
  failWorker(): void;
}

/** The storage of a service; one that tells nobody but the log where the service is started alone. */
export const storageOf = ({
  storage,
  stateDirectory,
  log,
}: Pick<ServiceContext, 'storage' | 'stateDirectory' | 'log'>): Storage =>
  storage ?? openStorage(stateDirectory, { log });

/** What every service is given at start. */
export interface ServiceContext {
  readonly log: Logger;
  /** Directory for what must survive a restart. It may be missing, full or not to be written to. */
  readonly stateDirectory: string;
  /** Directory for what is of this start only, where the service manager gives one; else that is in `stateDirectory`. */
  readonly runtimeDirectory?: string | undefined;
  /** Which addresses are this machine's own: no server may be at one. */
  readonly ourselves: FollowedOurselves;
  /** Where to tell what passes. */
  readonly events?: EventSink | undefined;
  /** Where to tell what is wrong with what is no service's own: storage, limits. */
  readonly conditions?: Conditions | undefined;
  /** What is kept in `stateDirectory`. */
  readonly storage?: Storage | undefined;
}
