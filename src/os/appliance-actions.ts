/**
 * What only root may do, asked for by a file: the appliance's units watch a directory that this process alone may write
 * to, and do one thing each. Elsewhere there is no such directory, and nothing can be asked for.
 */
import { join } from 'node:path';
import { openApplianceSsh, type ApplianceSsh } from './appliance-ssh.ts';
import { writeFileAtomically } from './atomic-write.ts';

export interface ApplianceActions {
  /** Undefined where it is not possible. Resolves when it has been asked for. */
  readonly reboot: (() => Promise<void>) | undefined;
  /** Reboots into an appliance that knows nothing of the one before. */
  readonly factoryReset: (() => Promise<void>) | undefined;
  readonly ssh: ApplianceSsh | undefined;
}

/** Where none of it is possible. */
export const NO_ACTIONS: ApplianceActions = { reboot: undefined, factoryReset: undefined, ssh: undefined };

/**
 * By what firmware's unit sets: TOMBOLO_ACTIONS is the directory, TOMBOLO_SSH_HOST_KEY where root leaves sshd's public key.
 * The next start looks for a reset in `stateDirectory`.
 */
export function applianceActions(
  { TOMBOLO_ACTIONS: actions, TOMBOLO_SSH_HOST_KEY: hostKey }: NodeJS.ProcessEnv,
  stateDirectory: string,
): ApplianceActions {
  if (actions === undefined) return NO_ACTIONS;
  const reboot = () => writeFileAtomically(join(actions, 'reboot'), '', 0o600);
  return {
    reboot,
    async factoryReset() {
      await writeFileAtomically(join(stateDirectory, 'factory-reset'), '', 0o600);
      await reboot();
    },
    ssh: hostKey === undefined ? undefined : openApplianceSsh({ actions, stateDirectory, hostKey }),
  };
}
