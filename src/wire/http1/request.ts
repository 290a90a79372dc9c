/**
 * The head of a request (RFC 9112 sections 2 to 6), read strictly. A request that two implementations could read differently
 * is refused: if this side and the server see different requests, one can be smuggled.
 */
import { findHostEnd } from './authority.ts';
import { judgeTarget, setAuthority } from './target.ts';
import { RequestFault } from './fault.ts';
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
  resetHead,
} from './head.ts';
import { FieldName } from './names.ts';
import { addUpgrade, readConnection, settleUpgrade } from './options.ts';
import {
  CR,
  FOLDED_TOKEN,
  IS_TARGET,
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

const ONE = 49;
const VERSION = octetsOf('HTTP/');
const CHUNKED_CODING = octetsOf('chunked');
const CONTINUE = octetsOf('100-continue');
const PREFACE = octetsOf('PRI * HTTP/2.0');
const MAX_LENGTH_DIGITS = 15;
const MAX_FORWARDS_LIMIT = 999_999_999;

/** By the length of the name; methods are case-sensitive (RFC 9110 section 9.1). */
const METHODS: readonly (readonly (readonly [id: MethodId, name: Uint8Array])[])[] = Array.from(
  { length: 8 },
  (_, length) =>
    Object.entries(Method)
      .filter(([name, id]) => name.length === length && id !== Method.other)
      .map(([name, id]) => [id, octetsOf(name.toUpperCase())] as const),
);

/**
 * Reads the head of a request that begins at `from`; see head.ts for what it returns. `seen`: how many of its bytes were there
 * in an earlier call that returned 0. The first line is judged as soon as it ends, and before where it cannot become one.
 */
export function parseRequest(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  to: number,
  seen = 0,
): number {
  resetHead(head);
  const isFull = to - from >= MAX_HEAD_BYTES;
  if (seen > 0 && !isFull) {
    const more = checkMore(bytes, from + seen, to);
    if (more <= 0) return more === 0 ? 0 : refuse(head, RequestFault.fieldValue);
  }
  const line = parseRequestLine(head, bytes, from, to);
  const end = line > 0 ? parseFields(head, bytes, line, to, false, RequestFault) : line;
  if (end > 0) return end - from > MAX_HEAD_BYTES ? refuse(head, RequestFault.oversized) : judge(head, bytes);
  return end === 0 && isFull ? refuse(head, RequestFault.oversized) : end;
}

/** Section 3: the offset behind the line, 0 or -1. */
function parseRequestLine(head: MessageHead, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  if (at === to) return 0;
  if (bytes[at] === CR) {
    // Section 2.2: a server SHOULD ignore at least one empty line before the request line.
    if (at + 1 === to) return 0;
    if (bytes[at + 1] !== LF) return refuse(head, RequestFault.noRequest);
    at += 2;
    if (at === to) return 0;
  }
  head.start = at;
  while (at < to && FOLDED_TOKEN[bytes[at]] !== 0) at++;
  if (at === to) return 0;
  if (at === head.start) return refuse(head, RequestFault.noRequest);
  if (bytes[at] !== SPACE) return refuse(head, lineFault(bytes[at]));
  head.methodEnd = at;
  head.method = methodOf(bytes, head.start, at);
  const target = at + 1;
  for (at = target; at < to && IS_TARGET[bytes[at]] === 1; ) at++;
  if (at === to) return 0;
  if (bytes[at] !== SPACE || at === target) return refuse(head, lineFault(bytes[at]));
  head.targetStart = target;
  head.targetEnd = at;
  return parseVersion(head, bytes, at + 1, to);
}

/** "HTTP/1.1" and CR LF. */
function parseVersion(head: MessageHead, bytes: Uint8Array, at: number, to: number): number {
  const available = Math.min(VERSION.length, to - at);
  for (let i = 0; i < available; i++) {
    if (bytes[at + i] !== VERSION[i]) return refuse(head, lineFault(bytes[at + i]));
  }
  const digits = at + VERSION.length;
  if (to > digits && !isDigit(bytes[digits])) return refuse(head, RequestFault.requestLine);
  if (to > digits + 1 && bytes[digits + 1] !== 46) return refuse(head, RequestFault.requestLine);
  if (to > digits + 2 && !isDigit(bytes[digits + 2])) return refuse(head, RequestFault.requestLine);
  if (to > digits + 3 && bytes[digits + 3] !== CR) return refuse(head, lineFault(bytes[digits + 3]));
  if (to <= digits + 4) return 0;
  if (bytes[digits + 4] !== LF) return refuse(head, RequestFault.bareCr);
  if (bytes[digits] !== ONE) {
    const isPreface = equalsExactly(bytes, head.start, digits + 3, PREFACE);
    return refuse(head, isPreface ? RequestFault.http2Preface : RequestFault.version);
  }
  // Section 2.3: a higher minor version is treated like the one that we know.
  head.minorVersion = bytes[digits + 2] === ZERO ? 0 : 1;
  return judgeTarget(head, bytes) ? digits + 5 : -1;
}

const lineFault = (byte: number) => (byte === LF ? RequestFault.bareLf : RequestFault.requestLine);

function methodOf(bytes: Uint8Array, start: number, end: number): MethodId {
  if (end - start >= METHODS.length) return Method.other;
  const candidates = METHODS[end - start];
  for (let i = 0; i < candidates.length; i++) {
    if (equalsExactly(bytes, start, end, candidates[i][1])) return candidates[i][0];
  }
  return Method.other;
}

/** Judges the fields together: framing, host and connection. The end of the head, or -1. */
function judge(head: MessageHead, bytes: Uint8Array): number {
  const { fields, fieldCount } = head;
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  let options = 0;
  let upgrades = 0;
  let hostRow = 0;
  let lengthRow = 0;
  let codingRow = 0;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    switch (fields[row + Field.id]) {
      case FieldName.host:
        hosts++;
        hostRow = row;
        break;
      case FieldName.contentLength:
        lengths++;
        lengthRow = row;
        break;
      case FieldName.transferEncoding:
        codings++;
        codingRow = row;
        break;
      case FieldName.connection:
        options = readConnection(head, bytes, row, options, RequestFault);
        if (options === -1) return -1;
        break;
      case FieldName.upgrade:
        addUpgrade(head, bytes, row, upgrades++ === 0);
        break;
      case FieldName.expect:
        judgeExpect(head, bytes, row);
        break;
      case FieldName.maxForwards:
        judgeMaxForwards(head, bytes, row);
        break;
      default:
    }
  }
  settleUpgrade(head);
  if (codings > 0) {
    if (!judgeCoding(head, bytes, codingRow, codings, lengths)) return -1;
  } else if (lengths > 0 && !judgeLength(head, bytes, lengthRow, lengths)) return -1;
  return judgeHost(head, bytes, hostRow, hosts) ? head.headEnd : -1;
}

/** Section 6.1. Conflicting lengths, the basis of request smuggling, are refused. */
function judgeCoding(
  head: MessageHead,
  bytes: Uint8Array,
  row: number,
  codings: number,
  lengths: number,
): boolean {
  if (lengths > 0) return reject(head, RequestFault.lengthAndCoding);
  if (head.minorVersion === 0) return reject(head, RequestFault.codingInHttp10);
  const { fields } = head;
  const start = fields[row + Field.valueStart];
  // A transfer coding that is not understood SHOULD be answered with 501.
  const end = fields[row + Field.valueEnd];
  if (codings > 1 || !equalsWord(bytes, start, end, CHUNKED_CODING)) return reject(head, RequestFault.coding);
  if (!isPlainLine(fields, row, bytes) || !equalsExactly(bytes, start, end, CHUNKED_CODING)) {
    head.rewritesCodings = true;
    dropFields(head, FieldName.transferEncoding);
  }
  head.isChunked = true;
  head.bodyBytes = CHUNKED;
  return true;
}

/** Section 6.2. */
function judgeLength(head: MessageHead, bytes: Uint8Array, row: number, lengths: number): boolean {
  if (lengths > 1) return reject(head, RequestFault.lengths);
  const { fields } = head;
  const start = fields[row + Field.valueStart];
  const end = fields[row + Field.valueEnd];
  const length = readDecimal(bytes, start, end, MAX_LENGTH_DIGITS);
  if (length === -1) return reject(head, RequestFault.length);
  if (!isPlainLine(fields, row, bytes) || !isPlainNumber(bytes, start, end)) {
    head.rewritesLength = true;
    dropFields(head, FieldName.contentLength);
  }
  head.contentLength = length;
  head.bodyBytes = length;
  return true;
}

/** Section 3.2: no Host in HTTP/1.1, more than one, or an invalid one MUST be answered with 400. */
function judgeHost(head: MessageHead, bytes: Uint8Array, row: number, hosts: number): boolean {
  if (hosts > 1) return reject(head, RequestFault.hosts);
  const start = head.fields[row + Field.valueStart];
  const end = head.fields[row + Field.valueEnd];
  if (hosts === 1 && head.isAbsolute) {
    // Section 3.2.2: the target's authority replaces the received Host field.
    if (end === start || findHostEnd(bytes, start, end) !== -1) return true;
    return reject(head, RequestFault.host);
  }
  if (hosts === 0) return (head.isAbsolute && head.minorVersion === 0) || reject(head, RequestFault.noHost);
  return end === start ? reject(head, RequestFault.noHost) : setAuthority(head, bytes, start, end);
}

/** RFC 9110 section 10.1.1: MUST be ignored in HTTP/1.0, so the server, which is spoken to in HTTP/1.1, must not see it. */
function judgeExpect(head: MessageHead, bytes: Uint8Array, row: number): void {
  const { fields } = head;
  if (head.minorVersion === 0) {
    fields[row + Field.flags] |= FieldFlag.dropped;
    return;
  }
  const end = fields[row + Field.valueEnd];
  let start = memberStart(bytes, fields[row + Field.valueStart], end);
  while (start !== -1) {
    const stop = memberEnd(bytes, start, end);
    if (equalsWord(bytes, start, stop, CONTINUE)) head.expectsContinue = true;
    start = memberStart(bytes, stop, end);
  }
}

/** RFC 9110 section 7.6.2: for OPTIONS and TRACE it is written anew, less one; the lowest of several counts. */
function judgeMaxForwards(head: MessageHead, bytes: Uint8Array, row: number): void {
  if (head.method !== Method.options && head.method !== Method.trace) return;
  const { fields } = head;
  const start = fields[row + Field.valueStart];
  const end = fields[row + Field.valueEnd];
  const value = Math.min(readDecimal(bytes, start, end, end - start), MAX_FORWARDS_LIMIT);
  if (value < 0) return;
  fields[row + Field.flags] |= FieldFlag.dropped;
  head.maxForwards = head.maxForwards === -1 ? value : Math.min(value, head.maxForwards);
}
