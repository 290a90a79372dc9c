/** Judges the certificate that a server presents. Pure. */
import type { FindingState, ProbeReport } from '../contract/checks.ts';
import { type Text, say } from '../../texts/text.ts';

export interface CertificateFacts {
  readonly names: readonly string[];
  readonly issuer: string;
  readonly validFrom: Date;
  readonly expiresAt: Date;
  readonly trust: 'trusted' | 'self-signed' | 'untrusted';
  /** Those names of the server that the certificate is valid for. */
  readonly matching: readonly string[];
}

const DAY_MS = 86_400_000;
/** Renewal is overdue by then: ACME clients renew with a third of the lifetime left. */
const WARN_BEFORE_MS = 14 * DAY_MS;
const WARN_LIFETIME_SHARE = 0.25;

/**
 * `hostname` is the name that was requested. `alternatives`: names of which one is enough, for protocols (IMAP, SMTP) whose
 * clients are configured with any one of them.
 */
export function judgeCertificate(
  facts: CertificateFacts,
  hostname: string,
  alternatives: readonly string[],
  now: Date,
): { state: FindingState; detail: Text; matches: boolean } {
  const { names, matching, expiresAt, validFrom, trust } = facts;
  const matches = matching.includes(hostname) || alternatives.some((name) => matching.includes(name));
  const leftMs = expiresAt.getTime() - now.getTime();
  const verdict = (state: FindingState, detail: Text) => ({ state, detail, matches });
  if (leftMs <= 0)
    return verdict(
      'fail',
      say('The certificate expired {age} ago ({date}).', { age: lengthOf(-leftMs), date: dateOf(expiresAt) }),
    );
  if (validFrom > now)
    return verdict('fail', say('The certificate is not valid before {date}.', { date: dateOf(validFrom) }));
  if (!matches) {
    const others = names.length === 0 ? say('no name') : names.join(', ');
    return verdict(
      'fail',
      say('The certificate is not for {hostname}: it names {others}.', { hostname, others }),
    );
  }
  const until = say('valid for another {time} (until {date})', {
    time: lengthOf(leftMs),
    date: dateOf(expiresAt),
  });
  const lifetimeMs = expiresAt.getTime() - validFrom.getTime();
  if (leftMs < Math.min(WARN_BEFORE_MS, lifetimeMs * WARN_LIFETIME_SHARE)) {
    return verdict('warn', say('The certificate is only {until}: its renewal is overdue.', { until }));
  }
  if (trust === 'self-signed')
    return verdict(
      'warn',
      say('The certificate is self-signed: clients warn of it. It is {until}.', { until }),
    );
  if (trust === 'untrusted') {
    return verdict(
      'warn',
      say('The certificate is not from an authority that clients trust (issuer: {issuer}). It is {until}.', {
        issuer: facts.issuer,
        until,
      }),
    );
  }
  return verdict('ok', say('The certificate is trusted and {until}.', { until }));
}

export const toCertificateReport = (
  { names, issuer, expiresAt, trust }: CertificateFacts,
  matches: boolean,
): NonNullable<ProbeReport['certificate']> => ({
  names: [...names],
  issuer,
  expiresAt: expiresAt.toISOString(),
  matches,
  trust,
});

/** The host names of a certificate's `subjectAltName` in Node's format: "DNS:example.com, DNS:*.example.com". */
export const namesOf = (subjectAltName: string | undefined): string[] =>
  (subjectAltName ?? '').split(', ').flatMap((part) => (part.startsWith('DNS:') ? [part.slice(4)] : []));

const dateOf = (date: Date) => date.toISOString().slice(0, 10);

function lengthOf(ms: number): Text {
  const count = Math.floor(ms / DAY_MS);
  if (count > 0) return count === 1 ? say('1 day') : say('{count} days', { count });
  const hours = Math.floor(ms / 3_600_000);
  return hours === 1 ? say('1 hour') : say('{hours} hours', { hours });
}
