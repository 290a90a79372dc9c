/** Changes of the configuration that were not requested through the API also go into the audit log. */
import type { ConfigChanges } from '../config/changes.ts';
import type { ConfigEvent } from '../config/recorder.ts';
import type { AuditLog } from './auth/audit-log.ts';

const SUMMARIES: Partial<Record<ConfigEvent['action'], string>> = {
  rollback: 'Rolls an unconfirmed change of the configuration back',
  file: 'Reads the configuration file, which was edited',
};

/** Logs changes from now on, and what happened at the start. */
export function auditChanges(changes: ConfigChanges, audit: AuditLog): void {
  changes.onEvent(({ by, action, revision, reason }) => {
    const summary = SUMMARIES[action];
    // All other changes came through a route, which is in the log.
    if (summary === undefined || (by !== 'appliance' && by !== 'file')) return;
    audit.add({
      who: by,
      source: '',
      action,
      summary,
      target: revision,
      outcome: 'done',
      detail: reason === '' ? null : reason,
    });
  });
}
