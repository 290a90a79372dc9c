/**
 * Actions that only root may do, requested through a file. The appliance's units watch a directory that only this process may
 * write to, and each unit does one thing. On other machines there is no such directory, and nothing can be requested.
 */
import { join } from 'node:path';
import { openApplianceSsh, type ApplianceSsh } from './appliance-ssh.ts';
import { writeFileAtomically } from './atomic-write.ts';

export interface ApplianceActions {
  /** Undefined where it is not possible. Resolves when the request has been written. */
  readonly reboot: (() => Promise<void>) | undefined;
  /** Reboots into an appliance without any earlier settings. */
  readonly factoryReset: (() => Promise<void>) | undefined;
  readonly ssh: ApplianceSsh | undefined;
}

/** For machines where none of it is possible. */
export const NO_ACTIONS: ApplianceActions = { reboot: undefined, factoryReset: undefined, ssh: undefined };

/**
 * Uses the variables that the firmware's unit sets: TOMBOLO_ACTIONS is the directory, TOMBOLO_SSH_HOST_KEY the file where root
 * puts sshd's public key. The next start looks for a reset in `stateDirectory`.
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
