/**
 * Who may log in to the appliance by SSH, as root. This process keeps the list; root, asked by a file, checks it and gives
 * it to sshd, which runs as long as somebody is on it (firmware's install-ssh-keys).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatAuthorizedKeys, parseSshPublicKey, type SshPublicKey } from '../wire/ssh-public-key.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { runCommand } from './command.ts';
import { readRegularFileSync } from './read-file.ts';
import { createInTurn } from './in-turn.ts';

/** More is a mistake, or no longer an appliance. */
export const MOST_SSH_KEYS = 50;

export interface ApplianceSsh {
  /** In the order in which they came. */
  keys(): SshPublicKey[];
  /** "full": there are MOST_SSH_KEYS; "known": it is there already. */
  add(key: SshPublicKey): Promise<'added' | 'known' | 'full'>;
  /** Resolves with false when there is none with this fingerprint. */
  remove(fingerprint: string): Promise<boolean>;
  /** Whether sshd runs: shortly after the first key came, and until the last is gone. */
  isRunning(): Promise<boolean>;
  /** Undefined as long as SSH has not been on. */
  hostKey(): SshPublicKey | undefined;
}

/** As `ssh-keygen -l` shows it: "SHA256:" and 43 characters of base64. */
export const sshFingerprint = ({ blob }: SshPublicKey): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** `actions`: the directory where root is asked; `hostKey`: where root leaves sshd's public key. */
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
  // One change after the other: each reads what the one before has written.
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
