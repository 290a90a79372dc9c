/** The cookies of the page: the session cookie, and one that marks browsers that have signed in before. */
import { parseCookie, stringifySetCookie } from 'cookie';
import { SESSION_COOKIE } from '../contract/auth.ts';
import { ABSOLUTE_LIMIT_MS } from './sessions.ts';
import { isSameSecret, keyed, newId } from './secrets.ts';

const DEVICE_COOKIE = 'tombolo_device';
/** Set by the page itself. */
const LANGUAGE_COOKIE = 'tombolo_language';
const DEVICE_SECONDS = 400 * 86_400;

const attributes = (isEncrypted: boolean) =>
  ({ httpOnly: true, sameSite: 'strict', path: '/', secure: isEncrypted }) as const;

/**
 * Over HTTPS each cookie has a different name. A browser accepts that name only from a page that came over TLS, and a page over
 * plain HTTP never overwrites a Secure cookie. With the same name for both, nobody could sign in after HTTPS was switched off.
 */
const nameOver = (isEncrypted: boolean, name: string) => (isEncrypted ? `__Host-${name}` : name);

function read(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const cookies = parseCookie(header);
  return cookies[nameOver(true, name)] ?? cookies[name];
}

/** The session token in a Cookie header. */
export const sessionTokenOf = (header: string | undefined): string | undefined =>
  read(header, SESSION_COOKIE);

/** The language that was chosen on the page. */
export const languageCookieOf = (header: string | undefined): string | undefined =>
  read(header, LANGUAGE_COOKIE);

export const sessionCookie = (token: string, isEncrypted: boolean): string =>
  stringifySetCookie({
    name: nameOver(isEncrypted, SESSION_COOKIE),
    value: token,
    maxAge: ABSOLUTE_LIMIT_MS / 1000,
    ...attributes(isEncrypted),
  });

/** Makes the browser delete the session cookies. */
export const noSessionCookies = (isEncrypted: boolean): string[] =>
  [nameOver(isEncrypted, SESSION_COOKIE), SESSION_COOKIE].map((name) =>
    stringifySetCookie({ name, value: '', maxAge: 0, ...attributes(isEncrypted) }),
  );

/**
 * The device of a Cookie header, if we issued that cookie. It gives no access. It only spares its owner the wait that is caused
 * when others in the same network guess passwords (OWASP, "Device cookies").
 */
export function deviceOf(header: string | undefined, deviceKey: string): string | undefined {
  const [id, mark] = (read(header, DEVICE_COOKIE) ?? '').split('.');
  return mark !== undefined && isSameSecret(mark, keyed(deviceKey, id)) ? id : undefined;
}

export function deviceCookie(deviceKey: string, isEncrypted: boolean): string {
  const id = newId();
  return stringifySetCookie({
    name: nameOver(isEncrypted, DEVICE_COOKIE),
    value: `${id}.${keyed(deviceKey, id)}`,
    maxAge: DEVICE_SECONDS,
    ...attributes(isEncrypted),
  });
}
