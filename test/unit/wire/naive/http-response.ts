/**
 * The head of an HTTP/1.x response (RFC 9112 sections 4 to 6), parsed strictly, on strings: the reference for the parser on bytes.
 * A response that this side and the client could read differently is refused.
 */
import {
  type HttpField,
  fieldValues,
  latin1,
  listMembers,
  namedForEverybody,
  parseField,
} from './http-head.ts';

/** The maximum size of a head. */
export const MAX_RESPONSE_HEAD_BYTES = 16_384;

export interface ResponseHead {
  readonly minorVersion: 0 | 1;
  /** 100 to 599. */
  readonly status: number;
  /** May be empty; char codes 0 to 255. */
  readonly reason: string;
  readonly fields: readonly HttpField[];
  /** The options of all Connection fields, in lower case. */
  readonly connectionOptions: ReadonlySet<string>;
  /** Bytes of the body if the request was not HEAD, or how its end is found. */
  readonly body: number | 'chunked' | 'until-close';
}

/** Why a response is refused. */
export interface ResponseFault {
  readonly fault: string;
}

const STATUS_LINE = /^HTTP\/1\.([0-9]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
/** Section 5.1: a proxy MUST remove white space before the colon from a response. */
const SPACE_BEFORE_COLON = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+:/;

/** Parses a complete head, with its final empty line (findHeadEnd); at most MAX_RESPONSE_HEAD_BYTES. */
export function parseResponseHead(bytes: Uint8Array): ResponseHead | ResponseFault {
  const lines = latin1(bytes).split('\r\n');
  lines.length -= 2; // the empty line, and the empty rest after it
  const match = STATUS_LINE.exec(lines[0] ?? '');
  if (match === null) return { fault: 'the status line is malformed' };
  const minorVersion = match[1] === '0' ? 0 : 1;
  const status = Number(match[2]);
  const fields: HttpField[] = [];
  for (const line of lines.slice(1)) {
    // Section 5.2: a folded field MUST be refused with 502, or replaced.
    const field = parseField(line.replace(SPACE_BEFORE_COLON, '$1:'));
    if (typeof field === 'string') return { fault: field };
    fields.push(field);
  }
  const body = readFraming(fields, status, minorVersion);
  if (typeof body === 'object') return body;
  const connectionOptions = new Set(fieldValues(fields, 'connection').flatMap(listMembers));
  const nominated = namedForEverybody(connectionOptions);
  if (nominated !== undefined) return { fault: nominated };
  return { minorVersion, status, reason: match[3] ?? '', fields, connectionOptions, body };
}

/**
 * Section 6.3, for a request that was neither HEAD nor CONNECT. Lengths and codings are judged for a response without a body
 * too: they are passed on.
 */
function readFraming(
  fields: readonly HttpField[],
  status: number,
  minorVersion: 0 | 1,
): ResponseHead['body'] | ResponseFault {
  const lengthFields = fieldValues(fields, 'content-length');
  const codingFields = fieldValues(fields, 'transfer-encoding');
  const lengths = lengthFields.flatMap(listMembers);
  // Also of a field without any number.
  if (
    !lengths.every((length) => /^[0-9]{1,15}$/.test(length)) ||
    lengthFields.some((value) => !/[0-9]/.test(value))
  )
    return { fault: 'Content-Length is not a number of bytes' };
  if (new Set(lengths.map(Number)).size > 1) return { fault: 'there is more than one Content-Length' };
  if (codingFields.length > 0) {
    // Both fields together, or a transfer coding in HTTP/1.0, are used for smuggling and response splitting.
    if (lengths.length > 0) return { fault: 'Content-Length and Transfer-Encoding exclude each other' };
    if (minorVersion === 0) return { fault: 'Transfer-Encoding does not exist in HTTP/1.0' };
  }
  if (status < 200 || status === 204 || status === 304) return 0;
  if (codingFields.length > 0)
    return codingFields.flatMap(listMembers).at(-1) === 'chunked' ? 'chunked' : 'until-close';
  return lengths.length === 0 ? 'until-close' : Number(lengths[0]);
}
