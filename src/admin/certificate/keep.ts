/** The certificate of the admin page: made if there is none, kept in the state directory, renewed in time. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { interfaceAddresses } from '../../os/interfaces.ts';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../os/command.ts';
import { clockState } from '../../os/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Storage } from '../../runtime/storage.ts';
import { TextError, say } from '../../texts/text.ts';
import type { CertificateRequest } from './make.ts';
import { createInTurn } from '../../os/in-turn.ts';

const FILE = 'admin-certificate.pem';
const DAY_MS = 86_400_000;
/** Apple's limit for a certificate that the user trusts. Each new certificate makes every browser ask again. */
const VALID_DAYS = 825;
const RENEW_DAYS = 30;
/** A client whose clock is slightly behind ours must accept it too. */
const MARGIN_DAYS = 2;
/** At a busy start, a slow card and processor need far more than a second. */
const MAKING_MS = 90_000;

export interface Certificate {
  /** Private key and certificate, PEM. */
  readonly pem: string;
  /** SHA-256, "AB:CD:...". */
  readonly fingerprint: string;
}

export interface CertificateKeeper {
  /** undefined until `refresh` has resolved once. */
  current(): Certificate | undefined;
  /**
   * Reads the certificate. Makes a new one if there is no usable one, if it ends soon, or if it lacks one of these names.
   * Returns true if the certificate has changed. One that cannot be stored is used until the next start. Rejects if it can be
   * neither read nor made; the previous one stays.
   */
  refresh(hostnames: readonly string[]): Promise<boolean>;
}

/** `isTimeKnown`: whether the clock is synchronised; false after a start without RTC, until a time server has answered. */
export function keepCertificate(
  storage: Storage,
  now: () => number,
  log: Logger,
  isTimeKnown = () => clockState().isSynchronised !== false,
): CertificateKeeper {
  const file = storage.file(FILE);
  let current: Certificate | undefined;
  const inTurn = createInTurn();

  async function readKept(): Promise<string | undefined> {
    const found = await file.read(parseCertificate);
    return found.verdict === 'good' ? found.value : undefined;
  }

  async function refresh(hostnames: readonly string[]): Promise<boolean> {
    const before = current?.fingerprint;
    const names = ['localhost', ...hostnames].map((name) => name.toLowerCase());
    const kept = current?.pem ?? (await readKept());
    if (kept !== undefined && isFit(kept, names, isTimeKnown() ? now() : undefined)) {
      current = describe(kept);
    } else {
      const pem = await make(hostnames, now());
      await file.write(pem);
      current = describe(pem);
      log.info({ fingerprint: current.fingerprint }, 'admin: made a new certificate');
    }
    return current.fingerprint !== before;
  }

  return {
    current: () => current,
    refresh(hostnames) {
      return inTurn(() => refresh(hostnames));
    },
  };
}

const describe = (pem: string): Certificate => ({
  pem,
  fingerprint: new X509Certificate(pem).fingerprint256,
});

/** Private key and certificate of a file. Throws if they are incomplete or do not belong together. */
export function parseCertificate(content: Buffer): string {
  const pem = content.toString('latin1');
  if (!new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem)))
    throw new TextError(say('its key is of another certificate'));
  return pem;
}

/**
 * Whether it is valid for a while, and has every name. Addresses are not checked: they change often, and a new certificate each
 * time would teach people to ignore warnings. While the clock is not synchronised (`nowMs` undefined), no certificate is
 * discarded for its dates: in 1970 it would not be valid yet, in 2100 it would have expired, and people know us by its
 * fingerprint.
 */
function isFit(pem: string, hostnames: readonly string[], nowMs: number | undefined): boolean {
  const certificate = new X509Certificate(pem);
  const names = (certificate.subjectAltName ?? '').split(', ');
  return (
    (nowMs === undefined ||
      (certificate.validFromDate.getTime() <= nowMs &&
        certificate.validToDate.getTime() - nowMs > RENEW_DAYS * DAY_MS)) &&
    hostnames.every((name) => names.includes(`DNS:${name}`))
  );
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

/** Of every interface, without link-local ones: a URL with a zone is invalid. */
const ownAddresses = (): string[] =>
  Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !/^fe[89ab]/i.test(address));
