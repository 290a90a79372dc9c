/** Postfix, in the foreground: SMTP over TLS on port 465. It accepts no mail; the lab only runs a dialogue with it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificates.ts';
import { runCommand } from '../host.ts';
import type { Child, Host } from '../host.ts';

export async function startPostfix(
  host: Host,
  address: string,
  hostname: string,
  certificate: CertificateFiles,
  directory: string,
): Promise<Child> {
  const configuration = join(directory, 'etc');
  // A file, because /dev/stdout cannot be opened again when it is a socket, as in children of Node.js.
  const log = join(directory, 'postfix.log');
  mkdirSync(configuration, { recursive: true });
  // Only the part of Debian's master.cf that an SMTP dialogue up to RCPT needs.
  writeFileSync(
    join(configuration, 'master.cf'),
    `465       inet  n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
`,
  );
  writeFileSync(
    join(configuration, 'main.cf'),
    `compatibility_level = 3.6
queue_directory = ${join(directory, 'queue')}
data_directory = ${join(directory, 'data')}
maillog_file = ${log}
maillog_file_prefixes = ${directory}
myhostname = ${hostname}
mydestination =
inet_interfaces = ${address}
inet_protocols = ipv6
smtpd_tls_cert_file = ${certificate.certificate}
smtpd_tls_key_file = ${certificate.key}
smtpd_relay_restrictions = reject
default_transport = discard
alias_maps =
alias_database =
`,
  );
  mkdirSync(join(directory, 'queue'));
  mkdirSync(join(directory, 'data'));
  await runCommand('chown', ['postfix', join(directory, 'data')]);
  const child = host.spawn('postfix', ['-c', configuration, 'start-fg']);
  await child.waitForListener('tcp', 465).catch((cause) => {
    throw new Error(`postfix does not start\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`, { cause });
  });
  return child;
}
