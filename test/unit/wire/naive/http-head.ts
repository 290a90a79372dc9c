/**
 * The head of an HTTP/1.x request (RFC 9112 sections 2 to 6), parsed strictly, on strings: the reference for the parser on bytes.
 * A request that two implementations could read differently is refused: if this side and the server see different requests, one can be smuggled.
 */
import { parseIpv6 } from '../../../../src/wire/ip-address.ts';

/** The maximum size of a head. */
export const MAX_REQUEST_HEAD_BYTES = 16_384;

export interface HttpField {
  /** As the client wrote it. */
  readonly name: string;
  readonly value: string;
}

export interface RequestHead {
  readonly method: string;
  /** In origin-form, or "*": an absolute-form target is split into this and `authority`. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  /** The authority as the client wrote it: from the target if that has one, otherwise from the Host field. */
  readonly authority: string;
  /** The host in `authority`: lower case, without port and final dot. */
  readonly host: string;
  readonly fields: readonly HttpField[];
  /** The options of all Connection fields, in lower case. */
  readonly connectionOptions: ReadonlySet<string>;
  /** Bytes of the body; undefined when it is chunked. */
  readonly contentLength: number | undefined;
}

/** Why a request is refused: the status of the response, and a sentence for its body. */
export interface RequestFault {
  readonly kind: 'malformed' | 'no-host' | 'oversized' | 'unsupported';
  readonly status: 400 | 405 | 421 | 431 | 501 | 505;
  readonly reason: string;
}

const CR = 13;
const LF = 10;

/**
 * Offset just after the empty line that ends the head, or -1. Scans from `from`: pass the length of what an earlier call has
 * seen, minus 3, so that a slow client's bytes are not scanned twice.
 */
export function findHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, Math.max(from, 3)); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
  }
  return -1;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/([0-9])\.([0-9])$/;
/** RFC 9110 section 5.5: no control characters except HTAB. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const ABSOLUTE_FORM = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/;
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{0,5}))?$/;

const bad = (reason: string): RequestFault => ({ kind: 'malformed', status: 400, reason });

/** Bytes as a string of the same char codes: field values may contain obs-text, which must pass through unchanged. */
export const latin1 = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(null, bytes as unknown as number[]);

const FOR_EVERYBODY = ['host', 'content-length', 'transfer-encoding', 'expect', 'max-forwards'];

/**
 * RFC 9110 section 7.6.1: Connection must not name fields that are meant for every recipient. Removing them would change the
 * message.
 */
export function namedForEverybody(connectionOptions: ReadonlySet<string>): string | undefined {
  const name = FOR_EVERYBODY.find((each) => connectionOptions.has(each));
  return name && `Connection names the field ${name}`;
}

/** Parses a complete head, with its final empty line; at most MAX_REQUEST_HEAD_BYTES. */
export function parseRequestHead(bytes: Uint8Array): RequestHead | RequestFault {
  const lines = latin1(bytes).split('\r\n');
  lines.length -= 2; // the empty line, and the empty rest after it
  // RFC 9112 section 2.2: a server SHOULD ignore at least one empty line before the request line.
  const first = lines[0] === '' ? 1 : 0;
  const requestLine = REQUEST_LINE.exec(lines[first] ?? '');
  if (requestLine === null) return bad('the request line is malformed');
  const [, method, rawTarget, major, minor] = requestLine;
  if (major !== '1') {
    const reason = `HTTP/${major}.${minor} is not spoken here; use HTTP/1.1`;
    return { kind: 'unsupported', status: 505, reason };
  }
  const fields: HttpField[] = [];
  for (const line of lines.slice(first + 1)) {
    const field = parseField(line);
    if (typeof field === 'string') return bad(field);
    fields.push(field);
  }
  // Section 2.3: a higher minor version is treated like the one that we know.
  const minorVersion = minor === '0' ? 0 : 1;
  const framing = readFraming(fields, minorVersion);
  if (typeof framing === 'object') return framing;
  const destination = readDestination(method, rawTarget, fields, minorVersion);
  if ('status' in destination) return destination;
  const connectionOptions = new Set(fieldValues(fields, 'connection').flatMap(listMembers));
  const nominated = namedForEverybody(connectionOptions);
  if (nominated !== undefined) return bad(nominated);
  return {
    method,
    ...destination,
    minorVersion,
    fields,
    connectionOptions,
    contentLength: framing === 'chunked' ? undefined : framing,
  };
}

/** A field line, or the reason why it is invalid. */
export function parseField(line: string): HttpField | string {
  // Section 5.2: obs-fold MUST be refused (or replaced); section 5.1: no white space before the colon.
  if (line.startsWith(' ') || line.startsWith('\t')) return 'a header field is folded over two lines';
  const colon = line.indexOf(':');
  if (colon === -1) return 'a header field has no colon';
  const name = line.slice(0, colon);
  if (!TOKEN.test(name)) return 'a header field has a malformed name';
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  // This also refuses a bare CR or LF, and NUL.
  if (!FIELD_VALUE.test(value)) return `the header field ${name} holds a control character`;
  return { name, value };
}

/** The values of all fields of a name, in their order. */
export const fieldValues = (fields: readonly HttpField[], lowerName: string): string[] =>
  fields.filter(({ name }) => name.toLowerCase() === lowerName).map(({ value }) => value);

/** The members of a comma-separated list, in lower case. White space is SP and HTAB alone: trim() takes NBSP (0xa0) too. */
export const listMembers = (value: string): string[] =>
  value
    .toLowerCase()
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');

/** Section 6: the length of the body. Conflicting lengths, the basis of request smuggling, are refused. */
function readFraming(fields: readonly HttpField[], minorVersion: 0 | 1): number | 'chunked' | RequestFault {
  const lengths = fieldValues(fields, 'content-length');
  const codings = fieldValues(fields, 'transfer-encoding');
  if (codings.length > 0) {
    if (lengths.length > 0) return bad('Content-Length and Transfer-Encoding exclude each other');
    if (minorVersion === 0) return bad('Transfer-Encoding does not exist in HTTP/1.0');
    if (codings.length > 1 || codings[0].toLowerCase() !== 'chunked') {
      // Section 6.1: a transfer coding that is not understood SHOULD be answered with 501.
      return {
        kind: 'unsupported',
        status: 501,
        reason: 'the only transfer coding spoken here is "chunked"',
      };
    }
    return 'chunked';
  }
  if (lengths.length === 0) return 0;
  if (lengths.length > 1) return bad('there is more than one Content-Length');
  if (!/^[0-9]{1,15}$/.test(lengths[0])) return bad('Content-Length is not a number of bytes');
  return Number(lengths[0]);
}

const NO_HOST: RequestFault = {
  kind: 'no-host',
  status: 400,
  reason: 'the request has no Host field: it names no server',
};

type Destination = Pick<RequestHead, 'target' | 'authority' | 'host'>;

/** Section 3.2: the authority that the request is for. */
function readDestination(
  method: string,
  rawTarget: string,
  fields: readonly HttpField[],
  minorVersion: 0 | 1,
): Destination | RequestFault {
  const hosts = fieldValues(fields, 'host');
  // Section 3.2: more than one Host, an invalid one, or none in HTTP/1.1, whatever the target, MUST be answered with 400.
  if (hosts.length > 1) return bad('there is more than one Host field');
  if (hosts.length === 0 && minorVersion === 1) return NO_HOST;
  if (method === 'CONNECT') {
    return { kind: 'unsupported', status: 501, reason: 'CONNECT is not offered: this is no forward proxy' };
  }
  let target = rawTarget;
  let authority = hosts[0] ?? '';
  const absolute = ABSOLUTE_FORM.exec(rawTarget);
  if (absolute !== null) {
    // RFC 9110 section 7.4: a scheme that this connection does not serve.
    if (absolute[1].toLowerCase() !== 'http') {
      return {
        kind: 'unsupported',
        status: 421,
        reason: `the scheme ${absolute[1]} is not served on this port`,
      };
    }
    // Section 3.2.2: the target's authority replaces the received Host field.
    if (authority !== '' && readAuthority(authority) === undefined) return bad('the Host field is malformed');
    authority = absolute[2];
    target = absolute[3].startsWith('/') ? absolute[3] : `/${absolute[3]}`;
    // Section 3.2.4: OPTIONS without a path becomes "*".
    if (method === 'OPTIONS' && absolute[3] === '') target = '*';
  } else if (!rawTarget.startsWith('/') && !(rawTarget === '*' && method === 'OPTIONS')) {
    return bad('the request target is malformed');
  }
  if (target.includes('#')) return bad('the request target is malformed');
  if (authority === '') return NO_HOST;
  const host = readAuthority(authority);
  return host === undefined ? bad('the Host field is malformed') : { target, authority, host };
}

/** The host of "host[:port]" in lower case without a final dot; undefined when malformed (user info included). */
function readAuthority(authority: string): string | undefined {
  const match = AUTHORITY.exec(authority);
  if (match === null || Number(match[3] ?? 0) > 65535) return undefined;
  if (match[1] !== undefined)
    return parseIpv6(match[1]) === undefined ? undefined : `[${match[1].toLowerCase()}]`;
  const host = match[2].toLowerCase().replace(/\.$/, '');
  return host === '' ? undefined : host;
}
