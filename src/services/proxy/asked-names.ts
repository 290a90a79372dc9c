/** The host names that a server can be asked for, to see whether it is well. */
import type { HostConfig } from '../../config/schema.ts';

const MAIL_PORTS = new Set([465, 587, 993, 995]);
const MAIL_LABEL = /^(mail|imap|pop3?|smtp|mx|submission)[0-9]*\./;

/** Without wildcards, which nobody can request; at the ports of mail, the names that look like mail come first. */
export function askedNames({ hostnames }: Pick<HostConfig, 'hostnames'>, port: number): string[] {
  const concrete = hostnames.filter((name) => !name.startsWith('*'));
  return MAIL_PORTS.has(port) ? mailNamesFirst(concrete) : concrete;
}

const mailNamesFirst = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Number(MAIL_LABEL.test(b)) - Number(MAIL_LABEL.test(a)));
