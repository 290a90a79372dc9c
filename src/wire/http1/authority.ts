/** The authority of a request (RFC 9112 section 3.2), on bytes. */
import { parseIpv6 } from '../ip-address.ts';
import { MAX_AUTHORITY_BYTES, latin1Text } from './head.ts';
import { COLON, isDigit } from './octets.ts';

const OPENING_BRACKET = 91;
const CLOSING_BRACKET = 93;
const DOT = 46;
const MAX_PORT_DIGITS = 5;
const MAX_PORT = 65_535;

/** 1 for the bytes of a host name; "_" is used although no standard allows it. */
const IS_HOST = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9._-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** Where the host of "host[:port]" ends, without a final dot; -1 when the authority is malformed (user info included). */
export function findHostEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_AUTHORITY_BYTES) return -1;
  let at = start;
  if (bytes[at] === OPENING_BRACKET) {
    while (at < end && bytes[at] !== CLOSING_BRACKET) at++;
    if (at === end || parseIpv6(latin1Text(bytes, start + 1, at)) === undefined) return -1;
    at++;
    return isPort(bytes, at, end) ? at : -1;
  }
  while (at < end && IS_HOST[bytes[at]] === 1) at++;
  if (!isPort(bytes, at, end)) return -1;
  const hostEnd = at > start && bytes[at - 1] === DOT ? at - 1 : at;
  return hostEnd > start ? hostEnd : -1;
}

/** Nothing, or a colon and up to five digits; none is allowed (RFC 3986 section 3.2.3). */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  if (bytes[start] !== COLON || end - start > 1 + MAX_PORT_DIGITS) return false;
  let port = 0;
  for (let i = start + 1; i < end; i++) {
    if (!isDigit(bytes[i])) return false;
    port = port * 10 + bytes[i] - 48;
  }
  return port <= MAX_PORT;
}
