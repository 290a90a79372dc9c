/** The dependencies of the routes for live data, history, system and backup. */
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
  /** Informs the event log when the state of a service changes. */
  readonly noteServices: (reports: readonly ServiceReport[], nowMs: number) => void;
  readonly history: History;
  readonly logs: LogRing;
  readonly machine: Machine;
  /** Facts about the machine that do not change. Takes seconds at the first call; never rejects. */
  readonly hardware: () => Promise<Hardware>;
  readonly places: Places;
  /** The active content of a file in the state directory that could not be written yet. */
  readonly unwritten: (name: string) => Uint8Array | string | undefined;
  /** For the backup entries of the services. */
  readonly parsers: EntryParsers;
  readonly actions: ApplianceActions;
  /** Ends the process in order, so that its supervisor starts it again; undefined if there is no supervisor. */
  readonly restart: (() => void) | undefined;
  /** Aborted when the process is about to stop, so that long answers end. */
  readonly stopping: AbortSignal;
}
