/**
 * The lab's certification authority: created in each run with the openssl command (Node.js reads certificates, but cannot
 * create them).
 */
import { join } from 'node:path';
import { runCommand } from './host.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** File for `curl --cacert`. */
  readonly certificate: string;
  /** Issues a certificate for these host names, in files named after `name`. */
  issue(name: string, hostnames: readonly string[]): Promise<CertificateFiles>;
  /** The same, but expired. */
  issueExpired(name: string, hostnames: readonly string[]): Promise<CertificateFiles>;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
const VALID_DAYS = '30';

export async function createCertificateAuthority(directory: string): Promise<CertificateAuthority> {
  const files = (name: string): CertificateFiles => ({
    certificate: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  });
  const ca = files('ca');
  await openssl(['-subj', '/CN=Tombolo lab CA', '-out', ca.certificate, '-keyout', ca.key]);
  return {
    certificate: ca.certificate,
    async issue(name, hostnames) {
      const { certificate, key } = files(name);
      const names = hostnames.map((hostname) => `DNS:${hostname}`).join(',');
      await openssl(
        ['-subj', `/CN=${hostnames[0]}`, '-out', certificate, '-keyout', key],
        ['-CA', ca.certificate, '-CAkey', ca.key],
        ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
      );
      return { certificate, key };
    },
    async issueExpired(name, hostnames) {
      const { certificate, key } = files(name);
      const names = hostnames.map((hostname) => `DNS:${hostname}`).join(',');
      const request = `${certificate}.csr`;
      await run(
        ['req', '-new', ...EC_KEY, '-subj', `/CN=${hostnames[0]}`],
        ['-addext', `subjectAltName=${names}`, '-out', request, '-keyout', key],
      );
      const sign = ['x509', '-req', '-in', request, '-CA', ca.certificate, '-CAkey', ca.key];
      const to = ['-copy_extensions', 'copy', '-out', certificate];
      // OpenSSL 3.0 accepts no dates, and later versions no negative lifetime.
      await run(sign, to, ['-days', '-1']).catch(() =>
        run(sign, to, ['-not_before', '20200101000000Z', '-not_after', '20200201000000Z']),
      );
      return { certificate, key };
    },
  };
}

const openssl = (...args: string[][]): Promise<void> =>
  run(['req', '-x509', '-sha256', '-days', VALID_DAYS, ...EC_KEY], ...args);

async function run(...args: string[][]): Promise<void> {
  const all = args.flat();
  const { code, stderr } = await runCommand('openssl', all);
  if (code !== 0) throw new Error(`openssl ${all.join(' ')}: ${stderr}`);
}
