/** What the routes of live data, history, system and backup stand on. */
import type { ApplianceActions } from '../os/appliance-actions.ts';
import type { ServiceReport } from '../runtime/report.ts';
import type { EntryParsers, Places } from '../state/backup.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Hardware } from '../state/hardware.ts';
import type { History } from '../state/history.ts';
import type { LogRing } from '../state/log-ring.ts';
import type { Machine } from '../state/machine.ts';

export interface LiveDeps {
  readonly events: EventLog;
  /** Tells the event log when a service has changed its state. */
  readonly noteServices: (reports: readonly ServiceReport[], nowMs: number) => void;
  readonly history: History;
  readonly logs: LogRing;
  readonly machine: Machine;
  /** What of the machine does not change. Takes seconds at first; never rejects. */
  readonly hardware: () => Promise<Hardware>;
  readonly places: Places;
  /** What of a file in the state directory is in force, and could not be written yet. */
  readonly unwritten: (name: string) => Uint8Array | string | undefined;
  /** Of what a backup holds for services. */
  readonly parsers: EntryParsers;
  readonly actions: ApplianceActions;
  /** Ends the process in order, for its supervisor to start it again; undefined where nobody would. */
  readonly restart: (() => void) | undefined;
  /** Aborted when the process is about to stop: long answers end. */
  readonly stopping: AbortSignal;
}
