/** What becomes of the configuration without anybody asking through the API goes into the audit log too. */
import type { ConfigChanges } from '../config/changes.ts';
import type { ConfigEvent } from '../config/recorder.ts';
import type { AuditLog } from './auth/audit-log.ts';

const SUMMARIES: Partial<Record<ConfigEvent['action'], string>> = {
  rollback: 'Takes an unconfirmed change of the configuration back',
  file: 'Reads the configuration file, which was edited',
};

/** From now on, and what happened at the start. */
export function auditChanges(changes: ConfigChanges, audit: AuditLog): void {
  changes.onEvent(({ by, action, revision, reason }) => {
    const summary = SUMMARIES[action];
    // Everybody else came through a route, which is in the log.
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
