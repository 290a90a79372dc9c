/** Dovecot, in the foreground: IMAPS on port 993. Versions 2.3 (Debian 12) and 2.4 (Debian 13) are configured differently. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificates.ts';
import { runCommand } from '../host.ts';
import type { Child, Host } from '../host.ts';

/** Every user may log in with this password. */
export const IMAP_PASSWORD = 'island';
/** Mail belongs to "nobody", a user that exists on every machine. */
const NOBODY_ID = 65534;

export async function startDovecot(
  host: Host,
  address: string,
  certificate: CertificateFiles,
  directory: string,
): Promise<Child> {
  const mail = join(directory, 'mail');
  mkdirSync(mail, { recursive: true });
  chmodSync(mail, 0o777);
  const { stdout: version } = await runCommand('dovecot', ['--version']);
  const user = { uid: NOBODY_ID, gid: NOBODY_ID, home: mail };
  const fields = Object.entries(user).map(([name, value]) => `${name}=${value}`);
  const dialect = version.startsWith('2.3')
    ? `ssl_cert = <${certificate.certificate}
ssl_key = <${certificate.key}
mail_location = maildir:${mail}
passdb {
  driver = static
  args = password=${IMAP_PASSWORD}
}
userdb {
  driver = static
  args = ${fields.join(' ')}
}`
    : `ssl_server_cert_file = ${certificate.certificate}
ssl_server_key_file = ${certificate.key}
mail_driver = maildir
mail_path = ${mail}
passdb static {
  password = ${IMAP_PASSWORD}
}
userdb static {
  fields {
    ${fields.join('\n    ')}
  }
}`;
  const isOld = version.startsWith('2.3');
  writeFileSync(
    join(directory, 'dovecot.conf'),
    `${isOld ? '' : 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n'}base_dir = ${join(directory, 'run')}
state_dir = ${join(directory, 'state')}
log_path = /dev/stderr
protocols = imap
listen = ${address}
ssl = required
first_valid_uid = ${NOBODY_ID}
${dialect}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
`,
  );
  const child = host.spawn('dovecot', ['-F', '-c', join(directory, 'dovecot.conf')]);
  await child.waitForListener('tcp', 993);
  return child;
}
