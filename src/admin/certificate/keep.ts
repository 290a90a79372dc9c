/** The certificate of the admin page: made when there is none, kept in the state directory, renewed in time. */
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
   * Reads the certificate, or makes a new one when there is none that can be used, it is about to end, or does not have these
   * names. True when it is another one than before. One that cannot be kept serves until the next start. Rejects when it can
   * neither be read nor made; the one before stays.
   */
  refresh(hostnames: readonly string[]): Promise<boolean>;
}

/** `isTimeKnown`: whether somebody keeps the clock right; false at a start without RTC, until a time server has answered. */
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

/** Private key and certificate of a file. Throws when they are not whole or do not belong together. */
export function parseCertificate(content: Buffer): string {
  const pem = content.toString('latin1');
  if (!new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem)))
    throw new TextError(say('its key is of another certificate'));
  return pem;
}

/**
 * Whether it is valid for a while, and has every name. Addresses are not asked for: they come and go, and a new
 * certificate each time would teach people to wave warnings away. By a clock that nobody keeps right (`nowMs` undefined) none is thrown
 * away: of 1970 it would be not yet valid, of 2100 have ended, and its fingerprint is what people know us by.
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

/** Of every interface, link-local ones aside: a URL with a zone is no URL. */
const ownAddresses = (): string[] =>
  Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !/^fe[89ab]/i.test(address));
