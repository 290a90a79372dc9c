/** The cookies of the page: the session's, and one that tells browsers which have signed in before from others. */
import { parseCookie, stringifySetCookie } from 'cookie';
import { SESSION_COOKIE } from '../contract/auth.ts';
import { ABSOLUTE_LIMIT_MS } from './sessions.ts';
import { isSameSecret, keyed, newId } from './secrets.ts';

const DEVICE_COOKIE = 'tombolo_device';
const DEVICE_SECONDS = 400 * 86_400;

const attributes = (isEncrypted: boolean) =>
  ({ httpOnly: true, sameSite: 'strict', path: '/', secure: isEncrypted }) as const;

/** The session's token in a Cookie header. */
export const sessionTokenOf = (header: string | undefined): string | undefined =>
  header === undefined ? undefined : parseCookie(header)[SESSION_COOKIE];

export const sessionCookie = (token: string, isEncrypted: boolean): string =>
  stringifySetCookie({
    name: SESSION_COOKIE,
    value: token,
    maxAge: ABSOLUTE_LIMIT_MS / 1000,
    ...attributes(isEncrypted),
  });

/** Makes the browser forget the session's cookie. */
export const noSessionCookie = (isEncrypted: boolean): string =>
  stringifySetCookie({ name: SESSION_COOKIE, value: '', maxAge: 0, ...attributes(isEncrypted) });

/**
 * The device of a Cookie header, if we gave it that cookie. It opens nothing: it only spares its owner the waiting that
 * others cause who guess from the same network (OWASP, "Device cookies").
 */
export function deviceOf(header: string | undefined, deviceKey: string): string | undefined {
  const [id, mark] = (header === undefined ? '' : (parseCookie(header)[DEVICE_COOKIE] ?? '')).split('.');
  return mark !== undefined && isSameSecret(mark, keyed(deviceKey, id)) ? id : undefined;
}

export function deviceCookie(deviceKey: string, isEncrypted: boolean): string {
  const id = newId();
  return stringifySetCookie({
    name: DEVICE_COOKIE,
    value: `${id}.${keyed(deviceKey, id)}`,
    maxAge: DEVICE_SECONDS,
    ...attributes(isEncrypted),
  });
}
