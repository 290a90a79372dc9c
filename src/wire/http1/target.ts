/** The target of a request (RFC 9112 section 3.2): origin-form, absolute-form or asterisk-form. */
import { findHostEnd } from './authority.ts';
import { RequestFault } from './fault.ts';
import { reject } from './fields.ts';
import { type MessageHead, Method } from './head.ts';
import { COLON, equalsWord, isDigit, octetsOf } from './octets.ts';

const SLASH = 47;
const ASTERISK = 42;
const QUESTION = 63;
const HTTP = octetsOf('http');

/** The form of the target; false when it is refused. */
export function judgeTarget(head: MessageHead, bytes: Uint8Array): boolean {
  const { targetStart, targetEnd, method } = head;
  const first = bytes[targetStart];
  if (method === Method.connect) return reject(head, RequestFault.connect);
  if (first === SLASH) return true;
  if (first === ASTERISK && targetEnd === targetStart + 1 && method === Method.options) return true;
  return judgeAbsoluteForm(head, bytes);
}

/** Section 3.2.2: "http://authority/path". The part behind the authority becomes the target. */
function judgeAbsoluteForm(head: MessageHead, bytes: Uint8Array): boolean {
  const { targetStart, targetEnd } = head;
  const colon = schemeEnd(bytes, targetStart, targetEnd);
  if (colon === -1) return reject(head, RequestFault.target);
  // RFC 9110 section 7.4: a scheme that this connection does not serve.
  if (!equalsWord(bytes, targetStart, colon, HTTP)) return reject(head, RequestFault.scheme);
  const start = colon + 3;
  let end = start;
  while (end < targetEnd && bytes[end] !== SLASH && bytes[end] !== QUESTION) end++;
  if (end === start) return reject(head, RequestFault.noHost);
  if (!setAuthority(head, bytes, start, end)) return false;
  head.isAbsolute = true;
  head.targetStart = end;
  // Section 3.2.4: OPTIONS without a path becomes "*".
  if (end === targetEnd) head.targetPrefix = head.method === Method.options ? ASTERISK : SLASH;
  else if (bytes[end] === QUESTION) head.targetPrefix = SLASH;
  return true;
}

/** Where the colon of "scheme://" is, or -1. */
function schemeEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at < end && bytes[at] !== COLON; at++) {
    const byte = bytes[at];
    const isLetter = (byte | 32) >= 97 && (byte | 32) <= 122;
    // A letter, then also digits, "+", "-" and "." (RFC 3986 section 3.1).
    const isOther = isDigit(byte) || byte === 43 || byte === 45 || byte === 46;
    if (!isLetter && (at === start || !isOther)) return -1;
  }
  return at > start && at + 2 < end && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH ? at : -1;
}

/** Takes the authority that a request is for; false when it is malformed. */
export function setAuthority(head: MessageHead, bytes: Uint8Array, start: number, end: number): boolean {
  const hostEnd = findHostEnd(bytes, start, end);
  if (hostEnd === -1) return reject(head, RequestFault.host);
  head.authorityStart = start;
  head.authorityEnd = end;
  head.hostStart = start;
  head.hostEnd = hostEnd;
  return true;
}
