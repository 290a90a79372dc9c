/** The cookies of the page: the session's, and one that tells browsers which have signed in before from others. */
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
 * Over HTTPS a cookie has a name of its own. A browser accepts that name only from a page that came over TLS, and never
 * overwrites a Secure cookie from one that did not: with one name nobody could sign in after HTTPS was switched off.
 */
const nameOver = (isEncrypted: boolean, name: string) => (isEncrypted ? `__Host-${name}` : name);

function read(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const cookies = parseCookie(header);
  return cookies[nameOver(true, name)] ?? cookies[name];
}

/** The session's token in a Cookie header. */
export const sessionTokenOf = (header: string | undefined): string | undefined =>
  read(header, SESSION_COOKIE);

/** The language that the page was set to. */
export const languageCookieOf = (header: string | undefined): string | undefined =>
  read(header, LANGUAGE_COOKIE);

export const sessionCookie = (token: string, isEncrypted: boolean): string =>
  stringifySetCookie({
    name: nameOver(isEncrypted, SESSION_COOKIE),
    value: token,
    maxAge: ABSOLUTE_LIMIT_MS / 1000,
    ...attributes(isEncrypted),
  });

/** Makes the browser forget the session's cookies. */
export const noSessionCookies = (isEncrypted: boolean): string[] =>
  [nameOver(isEncrypted, SESSION_COOKIE), SESSION_COOKIE].map((name) =>
    stringifySetCookie({ name, value: '', maxAge: 0, ...attributes(isEncrypted) }),
  );

/**
 * The device of a Cookie header, if we gave it that cookie. It opens nothing: it only spares its owner the waiting that
 * others cause who guess from the same network (OWASP, "Device cookies").
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
