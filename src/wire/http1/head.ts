/**
 * The result of reading a head of HTTP/1.1 (RFC 9112): one object, made once for a thread and filled anew for each message.
 * It holds offsets into the buffer that was read, numbers and flags: no strings, nothing allocated for a message.
 *
 * Reading keeps no state between calls: the object may serve any number of connections. Whoever has an incomplete head keeps
 * its bytes and reads it again when more have come (`seen` makes that cheap).
 *
 *   parseRequest(head, bytes, from, to, seen?): number                       request.ts
 *   parseResponse(head, bytes, from, to, requestMethod, seen?): number       response.ts
 *   writeRequestHead(head, bytes, at, limit, clientFields, connection): number    write.ts
 *   writeResponseHead(head, bytes, at, limit, connection, flags, more?): number   write.ts
 *   createClientFields(address, scheme): Uint8Array                          client-fields.ts, once for a connection
 *   scanChunked(scan, bytes, from, to), dechunk(scan, bytes, from, to)       ../chunked-body.ts
 *
 * parse...: > 0: the head is complete, and this is the offset behind it. 0: more bytes are needed. -1: refused, see
 * `head.fault`. `from` to `to` are the bytes that have arrived, from the beginning of the message.
 * write...: the offset behind the head that was written to `bytes` at `at`, or -1 when it would pass `limit`. What is written
 * must not overlap the head that was read.
 */
import { nameText } from '../known-name.ts';
import type { HttpFault } from './fault.ts';

/** The maximum size of a head, with its final empty line. */
export const MAX_HEAD_BYTES = 16_384;
export const MAX_FIELDS = 128;
/** A host name of 255 bytes, with a port. */
export const MAX_AUTHORITY_BYTES = 261;

export const Method = {
  other: 0,
  get: 1,
  head: 2,
  options: 3,
  trace: 4,
  post: 5,
  put: 6,
  delete: 7,
  patch: 8,
  connect: 9,
} as const;
export type MethodId = (typeof Method)[keyof typeof Method];

/** What a message asks to switch to (RFC 9110 section 7.8). */
export const Upgrade = { none: 0, websocket: 1, h2c: 2, other: 3 } as const;
export type UpgradeId = (typeof Upgrade)[keyof typeof Upgrade];

/** `bodyBytes` of a message whose end is in its bytes. */
export const CHUNKED = -1;
/** `bodyBytes` of a response that ends with the connection. */
export const UNTIL_CLOSE = -2;

/** Places in a field's row of the table. */
export const Field = {
  lineStart: 0,
  nameEnd: 1,
  /** Without the white space around it. */
  valueStart: 2,
  valueEnd: 3,
  /** Behind the LF. */
  lineEnd: 4,
  /** FieldName, or 0. */
  id: 5,
  /** FieldFlag. */
  flags: 6,
} as const;
/** Numbers for a field: its row begins at `i << FIELD_SHIFT`. */
export const FIELD_SHIFT = 3;

export const FieldFlag = {
  /** Connection names the field: it is meant for this connection only. */
  nominated: 1,
  /** It must not be passed on: hop-by-hop, a claim that a client may not make, or a field that is written anew. */
  dropped: 2,
  /** White space before the colon (responses only), which a proxy MUST remove (RFC 9112 section 5.1). */
  spaced: 4,
} as const;

export interface MessageHead {
  /** Why the message is refused; null after 0 and > 0. */
  fault: HttpFault | null;
  /** Where the first line begins: behind an empty line that was ignored. */
  start: number;
  /** Behind the empty line at the end of the head: where the body begins. */
  headEnd: number;
  /** 0 or 1. A higher one counts as 1 (RFC 9112 section 2.3). */
  minorVersion: number;

  // Requests.
  /** Of a response: the method that was given to parseResponse. */
  method: MethodId;
  methodEnd: number;
  /** The target to send on, in origin-form or "*": of an absolute-form only what is behind the authority. */
  targetStart: number;
  targetEnd: number;
  /** A byte to send before it, or 0: "/" or "*" when an absolute-form has no path. */
  targetPrefix: number;
  isAbsolute: boolean;
  /** The whole authority that the request is for, as the client wrote it: of the target if that has one, or of Host. */
  authorityStart: number;
  authorityEnd: number;
  /** The host in it, without port and final dot; an IPv6 address with its brackets. Letters as the client wrote them. */
  hostStart: number;
  hostEnd: number;
  /** `Expect: 100-continue`. Never in HTTP/1.0 (RFC 9110 section 10.1.1). */
  expectsContinue: boolean;
  /** -1: none, or not a number. At most 999,999,999. With 0, OPTIONS and TRACE are not to be passed on (RFC 9110 section 7.6.2). */
  maxForwards: number;

  // Responses.
  /** 100 to 599. */
  status: number;
  /** May be empty. */
  reasonStart: number;
  reasonEnd: number;
  /** `Keep-Alive: timeout=N`: how long the server keeps an idle connection. -1: not said. */
  keepAliveSeconds: number;
  /** Transfer-Encoding has more than "chunked": a client of HTTP/1.0 cannot be given this body. */
  hasOtherCodings: boolean;
  /** A Date field is passed on. */
  hasDate: boolean;

  // Both.
  /** What Content-Length says; -1: there is none. For what follows the head see bodyBytes. */
  contentLength: number;
  isChunked: boolean;
  /**
   * Content-Length, or Transfer-Encoding, is not in its plain form ("Name: value", once): its lines are flagged as dropped, and
   * what was read is written. So the next parser cannot see another framing in white space, zeros, commas or repetition.
   */
  rewritesLength: boolean;
  rewritesCodings: boolean;
  /** The body that follows: its length, CHUNKED or UNTIL_CLOSE. 0 for a response to HEAD, 1xx, 204 and 304. */
  bodyBytes: number;
  connectionClose: boolean;
  connectionKeepAlive: boolean;
  connectionUpgrade: boolean;
  /** Connection names other options: fields that have such a name are flagged as `nominated`. */
  hasNominations: boolean;
  /**
   * Of a request: what it asks to switch to; `websocket` when that is one of several. none without `Connection: Upgrade` and
   * in HTTP/1.0. Of a response: what it has switched to (101), or offers (426).
   */
  upgrade: UpgradeId;
  /** The value of the only Upgrade field; both -1 when there is none, or more than one. */
  upgradeStart: number;
  upgradeEnd: number;

  fieldCount: number;
  /** Rows of FIELD_SHIFT: see Field. */
  readonly fields: Int32Array;
}

export const createMessageHead = (): MessageHead => ({
  fault: null,
  start: 0,
  headEnd: 0,
  minorVersion: 1,
  method: Method.other,
  methodEnd: 0,
  targetStart: 0,
  targetEnd: 0,
  targetPrefix: 0,
  isAbsolute: false,
  authorityStart: 0,
  authorityEnd: 0,
  hostStart: 0,
  hostEnd: 0,
  expectsContinue: false,
  maxForwards: -1,
  status: 0,
  reasonStart: 0,
  reasonEnd: 0,
  keepAliveSeconds: -1,
  hasOtherCodings: false,
  hasDate: false,
  contentLength: -1,
  isChunked: false,
  rewritesLength: false,
  rewritesCodings: false,
  bodyBytes: 0,
  connectionClose: false,
  connectionKeepAlive: false,
  connectionUpgrade: false,
  hasNominations: false,
  upgrade: Upgrade.none,
  upgradeStart: -1,
  upgradeEnd: -1,
  fieldCount: 0,
  fields: new Int32Array(MAX_FIELDS << FIELD_SHIFT),
});

/** Clears what the last message left behind; rows of the table count up to fieldCount. */
export function resetHead(head: MessageHead): void {
  head.fault = null;
  head.start = 0;
  head.headEnd = 0;
  head.minorVersion = 1;
  head.method = Method.other;
  head.methodEnd = 0;
  head.targetStart = 0;
  head.targetEnd = 0;
  head.targetPrefix = 0;
  head.isAbsolute = false;
  head.authorityStart = 0;
  head.authorityEnd = 0;
  head.hostStart = 0;
  head.hostEnd = 0;
  head.expectsContinue = false;
  head.maxForwards = -1;
  head.status = 0;
  head.reasonStart = 0;
  head.reasonEnd = 0;
  head.keepAliveSeconds = -1;
  head.hasOtherCodings = false;
  head.hasDate = false;
  head.contentLength = -1;
  head.isChunked = false;
  head.rewritesLength = false;
  head.rewritesCodings = false;
  head.bodyBytes = 0;
  head.connectionClose = false;
  head.connectionKeepAlive = false;
  head.connectionUpgrade = false;
  head.hasNominations = false;
  head.upgrade = Upgrade.none;
  head.upgradeStart = -1;
  head.upgradeEnd = -1;
  head.fieldCount = 0;
}

/** The message is the last one that its sender wants on this connection (RFC 9112 section 9.3). */
export const isLastMessage = ({ minorVersion, connectionClose, connectionKeepAlive }: MessageHead): boolean =>
  connectionClose || (minorVersion === 0 && !connectionKeepAlive);

/** The first field of a name (FieldName), or -1. */
export function findField({ fields, fieldCount }: MessageHead, id: number): number {
  for (let i = 0; i < fieldCount; i++) if (fields[(i << FIELD_SHIFT) + Field.id] === id) return i;
  return -1;
}

/** The field is not to be sent on. */
export const isDroppedField = ({ fields }: MessageHead, i: number): boolean =>
  (fields[(i << FIELD_SHIFT) + Field.flags] & FieldFlag.dropped) !== 0;

/** Bytes as text of the same char codes. For names and logs, not for the usual path. */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** The host that a request is for, in lower case: the key of the host table. */
export const hostText = ({ hostStart, hostEnd }: MessageHead, bytes: Uint8Array): string =>
  nameText(bytes, hostStart, hostEnd);

/** The target to send on, with its prefix. For logs and redirects, not for the usual path. */
export function targetText({ targetPrefix, targetStart, targetEnd }: MessageHead, bytes: Uint8Array): string {
  const prefix = targetPrefix === 0 ? '' : String.fromCharCode(targetPrefix);
  return prefix + latin1Text(bytes, targetStart, targetEnd);
}
