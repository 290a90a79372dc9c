/** The admin token: made at the first start, kept in the state directory, compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../os/atomic-write.ts';
import { mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';
import { formatIpPrefix, maskAddress } from '../wire/ip-prefix.ts';

const TOKEN_FILE = 'admin-token';
const TOKEN_BYTES = 32;
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** Where the token is kept; only root and the service may read it. */
export const tokenPath = (stateDirectory: string): string => join(stateDirectory, TOKEN_FILE);

/**
 * The token of this appliance, made when there is none. Throws when the file holds something else: a token that is
 * shorter than ours would be a guessable one.
 */
export async function loadOrCreateToken(stateDirectory: string): Promise<string> {
  const path = tokenPath(stateDirectory);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(`could not read the admin token ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await writeFileAtomically(path, `${token}\n`, 0o600);
    return token;
  }
  const token = text.trim();
  if (!TOKEN_PATTERN.test(token)) {
    throw new Error(
      `${path}: expected 43 characters of base64url; remove the file and a new token is made at the next start`,
    );
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  return token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A check for the token. Digests are compared, so that neither content nor length shows in the time it takes. */
export function tokenVerifier(token: string): (candidate: string) => boolean {
  const expected = digest(token);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}

/** The credentials of an Authorization header (RFC 6750 section 2.1), undefined when there are none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer +(\S{1,256})$/i.exec(header ?? '')?.[1];

const FREE_FAILURES = 5;
const LONGEST_WAIT_MS = 60_000;
const FORGET_AFTER_MS = 600_000;
const MAX_SOURCES = 1000;

/**
 * Slows down who guesses: after FREE_FAILURES wrong tokens a source waits 1 s, then twice as long after each further one.
 * The right token is never made to wait: with 256 bits it cannot be guessed, and a neighbour in the same /64 must not
 * be able to lock its owner out.
 */
export class BackOff {
  readonly #sources = new Map<string, { failures: number; lastMs: number; untilMs: number }>();

  /** Records a wrong token; the milliseconds still to wait when this one came too early, else 0. */
  fail(remoteAddress: string, nowMs: number): number {
    const source = sourceKey(remoteAddress);
    const known = this.#sources.get(source);
    if (known !== undefined && nowMs < known.untilMs) return known.untilMs - nowMs;
    const remembered = known !== undefined && nowMs - known.lastMs < FORGET_AFTER_MS ? known.failures : 0;
    const failures = remembered + 1;
    const excess = failures - FREE_FAILURES;
    const waitMs = excess < 0 ? 0 : Math.min(1000 * 2 ** Math.min(excess, 10), LONGEST_WAIT_MS);
    this.#sources.delete(source); // set again below: the map's order is that of the last failure
    this.#sources.set(source, { failures, lastMs: nowMs, untilMs: nowMs + waitMs });
    if (this.#sources.size > MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
    return 0;
  }

  succeed(remoteAddress: string): void {
    this.#sources.delete(sourceKey(remoteAddress));
  }
}

/** One IPv4 address, or one IPv6 /64: what a single machine can choose its addresses from. */
function sourceKey(remoteAddress: string): string {
  const address = parseIpAddress(remoteAddress.split('%')[0]);
  if (address === undefined) return remoteAddress;
  const prefixBits = mappedIpv4(address) === undefined ? 64 : 128;
  return formatIpPrefix({ address: maskAddress(address, prefixBits), prefixBits });
}
