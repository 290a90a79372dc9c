/** Codes of an authenticator app (TOTP, RFC 6238), as a second factor. The library is loaded when it is first needed. */

const PERIOD_SECONDS = 30;
/** The codes of the previous and the next period are accepted too (RFC 6238 section 5.2). */
const WINDOW = 1;
const SECRET_BYTES = 20;

const load = () => import('otpauth');

/** A new secret in base32, and the URI that authenticator apps read as a QR code. */
export async function newTotp(hostname: string): Promise<{ secret: string; uri: string }> {
  const { Secret, TOTP } = await load();
  const secret = new Secret({ size: SECRET_BYTES });
  const totp = new TOTP({ issuer: 'Tombolo', label: hostname, secret, period: PERIOD_SECONDS });
  return { secret: secret.base32, uri: totp.toString() };
}

/**
 * The period (Unix time / 30 s) that the code belongs to. undefined if the code is wrong, or if its period is not after
 * `lastStep`: a code is accepted once (RFC 6238 section 5.2), and then no older code is accepted. A `lastStep` in the future
 * comes from a clock that was ahead and has been corrected. It is ignored, because it would lock out the owner for years.
 */
export async function acceptedStep(
  secret: string,
  code: string,
  lastStep: number,
  nowMs: number,
): Promise<number | undefined> {
  const { Secret, TOTP } = await load();
  const totp = new TOTP({ secret: Secret.fromBase32(secret), period: PERIOD_SECONDS });
  const delta = totp.validate({ token: code, window: WINDOW, timestamp: nowMs });
  if (delta === null) return undefined;
  const nowStep = Math.floor(nowMs / 1000 / PERIOD_SECONDS);
  const step = nowStep + delta;
  return step > lastStep || lastStep > nowStep + WINDOW ? step : undefined;
}
