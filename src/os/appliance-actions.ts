/**
 * What only root may do, asked for by a file: the appliance's units watch a directory that this process alone may write
 * to, and do one thing each. Elsewhere there is no such directory, and nothing can be asked for.
 */
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-write.ts';

export interface ApplianceActions {
  /** Undefined where it is not possible. Resolves when it has been asked for. */
  readonly reboot: (() => Promise<void>) | undefined;
  /** Reboots into an appliance that knows nothing of the one before. */
  readonly factoryReset: (() => Promise<void>) | undefined;
}

/** `directory`: what firmware's unit sets as TOMBOLO_ACTIONS; `stateDirectory`: where the next start looks for a reset. */
export function applianceActions(directory: string | undefined, stateDirectory: string): ApplianceActions {
  if (directory === undefined) return { reboot: undefined, factoryReset: undefined };
  const reboot = () => writeFileAtomically(join(directory, 'reboot'), '', 0o600);
  return {
    reboot,
    async factoryReset() {
      await writeFileAtomically(join(stateDirectory, 'factory-reset'), '', 0o600);
      await reboot();
    },
  };
}
