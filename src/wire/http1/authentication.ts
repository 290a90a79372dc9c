/**
 * Schemes that authenticate the connection instead of the request (RFC 9110 section 3.3 names RFC 4559): NTLM and Negotiate. A
 * connection that may be authenticated so must not carry requests of another client.
 */
import { FIELD_SHIFT, Field, type MessageHead, latin1Text } from './head.ts';
import { FieldName } from './names.ts';

const CONNECTION_SCHEME = /(?:^|,)[ \t]*(?:ntlm|negotiate)(?:[ \t,]|$)/i;
const LOWER = 32;
const N = 110;

/** The client of the request authenticates itself so. */
export function authenticatesConnection({ fields, fieldCount }: MessageHead, bytes: Uint8Array): boolean {
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] !== FieldName.authorization) continue;
    const start = fields[row + Field.valueStart];
    // Other schemes, with each request of a program, cost no string.
    if ((bytes[start] | LOWER) !== N) continue;
    if (CONNECTION_SCHEME.test(latin1Text(bytes, start, fields[row + Field.valueEnd]))) return true;
  }
  return false;
}

/** The server of the response offers such a scheme (401). */
export function offersConnectionScheme({ fields, fieldCount }: MessageHead, bytes: Uint8Array): boolean {
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] !== FieldName.wwwAuthenticate) continue;
    const value = latin1Text(bytes, fields[row + Field.valueStart], fields[row + Field.valueEnd]);
    if (CONNECTION_SCHEME.test(value)) return true;
  }
  return false;
}
