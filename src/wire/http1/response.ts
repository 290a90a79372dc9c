/**
 * The head of a response (RFC 9112 sections 4 to 6), read strictly. A response that this side and the client could read
 * differently is refused.
 */
import { ResponseFault } from './fault.ts';
import { checkMore, dropFields, isPlainLine, isPlainNumber, parseFields, refuse, reject } from './fields.ts';
import {
  CHUNKED,
  FIELD_SHIFT,
  Field,
  FieldFlag,
  MAX_HEAD_BYTES,
  type MessageHead,
  Method,
  type MethodId,
  UNTIL_CLOSE,
  resetHead,
} from './head.ts';
import { FieldName } from './names.ts';
import { addUpgrade, readConnection, readKeepAliveTimeout, settleUpgrade } from './options.ts';
import {
  CR,
  IS_TEXT,
  LF,
  SPACE,
  ZERO,
  equalsExactly,
  equalsWord,
  isDigit,
  memberEnd,
  memberStart,
  octetsOf,
  readDecimal,
} from './octets.ts';

const VERSION = octetsOf('HTTP/1.');
const CHUNKED_CODING = octetsOf('chunked');
const MAX_LENGTH_DIGITS = 15;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Reads the head of a response to a request with the method (not CONNECT); see head.ts for what it returns. `seen`: how many
 * of its bytes were there in an earlier call that returned 0.
 */
export function parseResponse(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  to: number,
  requestMethod: MethodId,
  seen = 0,
): number {
  resetHead(head);
  const isFull = to - from >= MAX_HEAD_BYTES;
  if (seen > 0 && !isFull) {
    const more = checkMore(bytes, from + seen, to);
    if (more <= 0) return more === 0 ? 0 : refuse(head, ResponseFault.fieldValue);
  }
  head.method = requestMethod;
  const line = parseStatusLine(head, bytes, from, to);
  const end = line > 0 ? parseFields(head, bytes, line, to, true, ResponseFault) : line;
  if (end > 0)
    return end - from > MAX_HEAD_BYTES ? refuse(head, ResponseFault.oversized) : judge(head, bytes);
  return end === 0 && isFull ? refuse(head, ResponseFault.oversized) : end;
}

/** Section 4: the offset behind the line, 0 or -1. */
function parseStatusLine(head: MessageHead, bytes: Uint8Array, from: number, to: number): number {
  head.start = from;
  const available = Math.min(VERSION.length, to - from);
  for (let i = 0; i < available; i++) {
    if (bytes[from + i] !== VERSION[i]) return refuse(head, ResponseFault.statusLine);
  }
  // "HTTP/1.1 200", byte by byte as far as it has come.
  const minor = from + VERSION.length;
  const code = minor + 2;
  let at = code + 3;
  for (let i = minor; i < at && i < to; i++) {
    const isRight = i === minor + 1 ? bytes[i] === SPACE : isDigit(bytes[i]);
    if (!isRight) return refuse(head, ResponseFault.statusLine);
  }
  if (at >= to) return 0;
  head.minorVersion = bytes[minor] === ZERO ? 0 : 1;
  head.status = (bytes[code] - ZERO) * 100 + (bytes[code + 1] - ZERO) * 10 + bytes[code + 2] - ZERO;
  if (head.status < 100 || head.status > 599) return refuse(head, ResponseFault.statusLine);
  // The space without a reason may be missing.
  if (bytes[at] === SPACE) {
    at++;
    head.reasonStart = at;
    while (at < to && IS_TEXT[bytes[at]] === 1) at++;
    if (at === to) return 0;
    head.reasonEnd = at;
  }
  if (bytes[at] !== CR)
    return refuse(head, bytes[at] === LF ? ResponseFault.bareLf : ResponseFault.statusLine);
  if (at + 1 === to) return 0;
  return bytes[at + 1] === LF ? at + 2 : refuse(head, ResponseFault.bareCr);
}

/** Judges the fields together. The end of the head, or -1. */
function judge(head: MessageHead, bytes: Uint8Array): number {
  const { fields, fieldCount } = head;
  let options = 0;
  let upgrades = 0;
  let hasCoding = false;
  let dateRow = -1;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    switch (fields[row + Field.id]) {
      case FieldName.contentLength:
        if (!readLength(head, bytes, row)) return -1;
        break;
      case FieldName.transferEncoding:
        hasCoding = true;
        readCoding(head, bytes, row);
        break;
      case FieldName.connection:
        options = readConnection(head, bytes, row, options, ResponseFault);
        if (options === -1) return -1;
        break;
      case FieldName.upgrade:
        addUpgrade(head, bytes, row, upgrades++ === 0);
        break;
      case FieldName.date:
        dateRow = row;
        break;
      case FieldName.keepAlive: {
        const seconds = readKeepAliveTimeout(
          bytes,
          fields[row + Field.valueStart],
          fields[row + Field.valueEnd],
        );
        if (seconds >= 0) head.keepAliveSeconds = seconds;
        break;
      }
      default:
    }
  }
  settleUpgrade(head);
  head.hasDate = dateRow !== -1 && (fields[dateRow + Field.flags] & FieldFlag.dropped) === 0;
  // Both together, or a transfer coding in HTTP/1.0, are used for smuggling and response splitting. This holds for a response
  // without a body too: its fields are passed on.
  if (hasCoding && head.contentLength !== -1) return refuse(head, ResponseFault.lengthAndCoding);
  if (hasCoding && head.minorVersion === 0) return refuse(head, ResponseFault.codingInHttp10);
  settleBody(head, hasCoding);
  return head.headEnd;
}

/** Section 6.3. */
function settleBody(head: MessageHead, hasCoding: boolean): void {
  const { status } = head;
  if (status < 200 || status === NO_CONTENT) {
    // RFC 9110 section 8.6 and RFC 9112 section 6.1: these MUST NOT have the fields.
    dropFields(head, FieldName.contentLength);
    dropFields(head, FieldName.transferEncoding);
    head.rewritesLength = false;
    head.rewritesCodings = false;
  }
  if (head.rewritesLength) dropFields(head, FieldName.contentLength);
  if (head.rewritesCodings) dropFields(head, FieldName.transferEncoding);
  if (head.method === Method.head || status < 200 || status === NO_CONTENT || status === NOT_MODIFIED)
    head.bodyBytes = 0;
  else if (head.isChunked) head.bodyBytes = CHUNKED;
  else if (hasCoding || head.contentLength === -1) head.bodyBytes = UNTIL_CLOSE;
  else head.bodyBytes = head.contentLength;
}

/** RFC 9110 section 8.6: a length may be repeated, in one field or several, when all are the same. False when refused. */
function readLength(head: MessageHead, bytes: Uint8Array, row: number): boolean {
  const { fields } = head;
  const valueStart = fields[row + Field.valueStart];
  const end = fields[row + Field.valueEnd];
  let start = memberStart(bytes, valueStart, end);
  if (start === -1) return reject(head, ResponseFault.length);
  if (head.contentLength !== -1 || !isPlainLine(fields, row, bytes)) head.rewritesLength = true;
  while (start !== -1) {
    const stop = memberEnd(bytes, start, end);
    const length = readDecimal(bytes, start, stop, MAX_LENGTH_DIGITS);
    if (length === -1) return reject(head, ResponseFault.length);
    if (head.contentLength !== -1 && length !== head.contentLength)
      return reject(head, ResponseFault.lengths);
    if (start !== valueStart || stop !== end || !isPlainNumber(bytes, start, stop))
      head.rewritesLength = true;
    head.contentLength = length;
    start = memberStart(bytes, stop, end);
  }
  return true;
}

/** Section 6.1: chunked must be the last coding, in one field or several, or the body ends with the connection. */
function readCoding(head: MessageHead, bytes: Uint8Array, row: number): void {
  const { fields } = head;
  const valueStart = fields[row + Field.valueStart];
  const end = fields[row + Field.valueEnd];
  if (!isPlainLine(fields, row, bytes) || !equalsExactly(bytes, valueStart, end, CHUNKED_CODING))
    head.rewritesCodings = true;
  let start = memberStart(bytes, valueStart, end);
  while (start !== -1) {
    const stop = memberEnd(bytes, start, end);
    // What was last so far is not: one that comes before another.
    if (head.isChunked) {
      head.hasOtherCodings = true;
      head.rewritesCodings = true;
    }
    head.isChunked = equalsWord(bytes, start, stop, CHUNKED_CODING);
    if (!head.isChunked) head.hasOtherCodings = true;
    start = memberStart(bytes, stop, end);
  }
}
