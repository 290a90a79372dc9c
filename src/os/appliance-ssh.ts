/**
 * Who may log in to the appliance by SSH, as root. This process keeps the list. Root, asked through a file, checks it and
 * passes it to sshd, which runs as long as the list is not empty (the firmware's install-ssh-keys).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatAuthorizedKeys, parseSshPublicKey, type SshPublicKey } from '../wire/ssh-public-key.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { runCommand } from './command.ts';
import { readRegularFileSync } from './read-file.ts';
import { createInTurn } from './in-turn.ts';

/** More keys are a mistake, or the machine is used as something else than an appliance. */
export const MOST_SSH_KEYS = 50;

export interface ApplianceSsh {
  /** In the order in which they were added. */
  keys(): SshPublicKey[];
  /** "full": there are MOST_SSH_KEYS; "known": the key is already on the list. */
  add(key: SshPublicKey): Promise<'added' | 'known' | 'full'>;
  /** Resolves with false when no key has this fingerprint. */
  remove(fingerprint: string): Promise<boolean>;
  /** Whether sshd runs: from shortly after the first key was added until the last one is removed. */
  isRunning(): Promise<boolean>;
  /** Undefined until SSH has been on once. */
  hostKey(): SshPublicKey | undefined;
}

/** As `ssh-keygen -l` shows it: "SHA256:" and 43 characters of base64. */
export const sshFingerprint = ({ blob }: SshPublicKey): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** `actions`: the directory for requests to root; `hostKey`: the file where root puts sshd's public key. */
export function openApplianceSsh(places: {
  readonly actions: string;
  readonly stateDirectory: string;
  readonly hostKey: string;
}): ApplianceSsh {
  const path = join(places.stateDirectory, 'authorized_keys');
  const read = (file: string): SshPublicKey[] =>
    existsSync(file)
      ? readRegularFileSync(file)
          .toString('utf8')
          .split('\n')
          .map(parseSshPublicKey)
          .filter((key) => typeof key !== 'string')
      : [];
  const write = async (keys: readonly SshPublicKey[]) => {
    await writeFileAtomically(path, formatAuthorizedKeys(keys), 0o600);
    await writeFileAtomically(join(places.actions, 'ssh-keys'), '', 0o600);
  };
  // One change at a time: each reads what the one before has written.
  const inTurn = createInTurn();
  return {
    keys: () => read(path),
    add: (key) =>
      inTurn(async () => {
        const keys = read(path);
        if (keys.length >= MOST_SSH_KEYS) return 'full';
        if (keys.some((each) => sshFingerprint(each) === sshFingerprint(key))) return 'known';
        await write([...keys, key]);
        return 'added';
      }),
    remove: (fingerprint) =>
      inTurn(async () => {
        const keys = read(path);
        const rest = keys.filter((key) => sshFingerprint(key) !== fingerprint);
        if (rest.length === keys.length) return false;
        await write(rest);
        return true;
      }),
    isRunning: () =>
      runCommand('systemctl', ['is-active', 'ssh.service']).then(
        () => true,
        () => false,
      ),
    hostKey: () => read(places.hostKey)[0],
  };
}
