/** The lab's certification authority: made anew in each run, with the openssl command (Node.js reads certificates, but makes none). */
import { join } from 'node:path';
import { runCommand } from './host.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** File for `curl --cacert`. */
  readonly certificate: string;
  /** A certificate for these host names, as files called after `name`. */
  issue(name: string, hostnames: readonly string[]): Promise<CertificateFiles>;
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
  };
}

async function openssl(...args: string[][]): Promise<void> {
  const all = ['req', '-x509', '-sha256', '-days', VALID_DAYS, ...EC_KEY, ...args.flat()];
  const { code, stderr } = await runCommand('openssl', all);
  if (code !== 0) throw new Error(`openssl ${all.join(' ')}: ${stderr}`);
}
