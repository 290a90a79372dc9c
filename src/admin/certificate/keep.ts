/** The certificate of the admin page: made when there is none, kept in the state directory, renewed in time. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { interfaceAddresses } from '../../os/interfaces.ts';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomically } from '../../os/atomic-write.ts';
import { runCommand } from '../../os/command.ts';
import type { Logger } from '../../runtime/log.ts';
import type { CertificateRequest } from './make.ts';

const FILE = 'admin-certificate.pem';
const DAY_MS = 86_400_000;
/** Apple's limit for a certificate that its user trusts; each new one makes every browser ask again. */
const VALID_DAYS = 825;
const RENEW_DAYS = 30;
/** A clock that is a little behind ours must accept it, too. */
const MARGIN_DAYS = 2;
/** A slow card and processor, at a start with much else to do, need far more than a second. */
const MAKING_MS = 90_000;

export interface Certificate {
  /** Private key and certificate, PEM. */
  readonly pem: string;
  /** SHA-256, "AB:CD:...". */
  readonly fingerprint: string;
}

export interface CertificateKeeper {
  /** Undefined until `refresh` has resolved once. */
  current(): Certificate | undefined;
  /**
   * Reads the certificate, or makes a new one when there is none, it is about to end, or does not have these names. True
   * when it is another one than before. Rejects when it can neither be read nor made; the one before stays.
   */
  refresh(hostnames: readonly string[]): Promise<boolean>;
}

export function keepCertificate(stateDirectory: string, now: () => number, log: Logger): CertificateKeeper {
  const path = join(stateDirectory, FILE);
  let current: Certificate | undefined;
  let refreshing: Promise<unknown> = Promise.resolve();

  async function refresh(hostnames: readonly string[]): Promise<boolean> {
    const before = current?.fingerprint;
    const names = ['localhost', ...hostnames].map((name) => name.toLowerCase());
    const kept = current?.pem ?? (await readFile(path, 'utf8').catch(() => undefined));
    if (kept !== undefined && isFit(kept, names, now())) {
      current = describe(kept);
    } else {
      const pem = await make(hostnames, now());
      await writeFileAtomically(path, pem, 0o600);
      current = describe(pem);
      log.info({ fingerprint: current.fingerprint }, 'admin: made a new certificate');
    }
    return current.fingerprint !== before;
  }

  return {
    current: () => current,
    refresh(hostnames) {
      const result = refreshing.then(() => refresh(hostnames));
      refreshing = result.catch(() => {});
      return result;
    },
  };
}

const describe = (pem: string): Certificate => ({
  pem,
  fingerprint: new X509Certificate(pem).fingerprint256,
});

/**
 * Whether it is whole, valid for a while, and has every name. Addresses are not asked for: they come and go, and a new
 * certificate each time would teach people to wave warnings away.
 */
function isFit(pem: string, hostnames: readonly string[], nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const names = (certificate.subjectAltName ?? '').split(', ');
    return (
      certificate.checkPrivateKey(createPrivateKey(pem)) &&
      certificate.validFromDate.getTime() <= nowMs &&
      certificate.validToDate.getTime() - nowMs > RENEW_DAYS * DAY_MS &&
      hostnames.every((name) => names.includes(`DNS:${name}`))
    );
  } catch {
    return false;
  }
}

function make(hostnames: readonly string[], nowMs: number): Promise<string> {
  const request: CertificateRequest = {
    hostnames: [...new Set([...hostnames, 'localhost'].map((name) => name.toLowerCase()))],
    addresses: ownAddresses(),
    notBeforeMs: nowMs - MARGIN_DAYS * DAY_MS,
    notAfterMs: nowMs + (VALID_DAYS - MARGIN_DAYS) * DAY_MS,
  };
  const program = fileURLToPath(new URL('make.ts', import.meta.url));
  return runCommand(process.execPath, [program], JSON.stringify(request), MAKING_MS);
}

/** Of every interface, link-local ones aside: a URL with a zone is no URL. */
const ownAddresses = (): string[] =>
  Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !/^fe[89ab]/i.test(address));
