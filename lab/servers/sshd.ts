/** OpenSSH's server, in the foreground, with temporary keys: root may run commands with the key that it returns. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../host.ts';
import type { Child, Host } from '../host.ts';

export interface SshServer {
  readonly child: Child;
  /** Private key for `ssh -i`. */
  readonly identity: string;
  /** File for `UserKnownHostsFile`, under the alias "HOST-NAME.lab" (`HostKeyAlias`). */
  readonly knownHosts: string;
}

/** Privilege separation needs this directory, which does not exist on a system without a running init. */
const RUN_DIRECTORY = '/run/sshd';
/** The first version that penalises addresses; here, many clients share one address. */
const PENALTIES_SINCE = 9.8;

export async function startSshd(host: Host, address: string, directory: string): Promise<SshServer> {
  mkdirSync(directory, { recursive: true });
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  const file = (name: string) => join(directory, name);
  for (const name of ['host_key', 'identity']) {
    const made = await runCommand('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      name,
      '-f',
      file(name),
    ]);
    if (made.code !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  }
  const [type, key] = readFileSync(file('host_key.pub'), 'utf8').split(' ');
  writeFileSync(file('known_hosts'), `${host.name}.lab ${type} ${key}\n`);
  const { stderr: versionText } = await runCommand('ssh', ['-V']);
  const version = Number(/OpenSSH_([0-9]+\.[0-9]+)/.exec(versionText)?.[1]);
  writeFileSync(
    file('sshd_config'),
    [
      `ListenAddress [${address}]:22`,
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('identity.pub')}`,
      `PidFile ${file('sshd.pid')}`,
      // The work files are below /tmp, which every user may write to.
      'StrictModes no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      // Without PAM, sshd refuses root if its password is locked; PAM's account check allows root's key.
      `UsePAM ${isRootLocked() ? 'yes' : 'no'}`,
      'PrintMotd no',
      'PrintLastLog no',
      ...(version >= PENALTIES_SINCE ? ['PerSourcePenalties no'] : []),
      '',
    ].join('\n'),
  );
  // sshd restarts itself for each connection, so it needs its absolute path.
  const child = host.spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')]);
  await child.waitForListener('tcp', 22);
  return { child, identity: file('identity'), knownHosts: file('known_hosts') };
}

function isRootLocked(): boolean {
  return /^root:!/m.test(readFileSync('/etc/shadow', 'utf8'));
}
