/**
 * Writes the head to send on (RFC 9110 section 7.6) behind the one that was read, into the same buffer: lines that pass are
 * copied in runs, the others left out. Nothing is allocated.
 */
import { FIELD_SHIFT, Field, FieldFlag, type MessageHead, Upgrade } from './head.ts';
import { FieldName } from './names.ts';
import { CR, LF, SPACE, ZERO, equalsWord, memberEnd, memberStart, octetsOf } from './octets.ts';

/** What to say in Connection. Bits. `upgrade` also sends the Upgrade field: of a request what it asks for. */
export const ConnectionOption = { none: 0, close: 1, keepAlive: 2, upgrade: 4 } as const;

export const ResponseOption = {
  none: 0,
  /** Without Transfer-Encoding and Trailer: for a client of HTTP/1.0, which gets the data alone (dechunk). */
  dechunked: 1,
} as const;

/** Our name in Via: an HTTP-to-HTTP gateway MUST add it to requests (RFC 9110 section 7.6.3). */
const PSEUDONYM = 'tombolo';
/** RFC 9112 section 2.3: an intermediary sends its own version. */
const REQUEST_VERSION = octetsOf(' HTTP/1.1\r\nHost: ');
const STATUS_VERSION = octetsOf('HTTP/1.1 ');
const BEHIND_FORWARDED = octetsOf('"\r\nX-Forwarded-Host: ');
const END_OF_LINE = octetsOf('\r\n');
const MAX_FORWARDS = octetsOf('Max-Forwards: ');
const CONTENT_LENGTH = octetsOf('Content-Length: ');
const TRANSFER_ENCODING = octetsOf('Transfer-Encoding: ');
const CHUNKED = octetsOf('chunked');
/** Without a space, so that the line does not grow. */
const LIST_SEPARATOR = octetsOf(',');
const SEPARATOR = octetsOf(': ');
const UPGRADE = octetsOf('Upgrade: ');
const UPGRADE_TO_WEBSOCKET = octetsOf('Upgrade: websocket\r\n');

/** The end of a head: Via, which has the version that was received (section 7.6.3), Connection, and the empty line. */
function encodeEnd(minorVersion: number, connection: number): Uint8Array {
  const options = [
    ...(connection & ConnectionOption.close ? ['close'] : []),
    ...(connection & ConnectionOption.keepAlive ? ['keep-alive'] : []),
    ...(connection & ConnectionOption.upgrade ? ['Upgrade'] : []),
  ];
  const field = options.length === 0 ? '' : `Connection: ${options.join(', ')}\r\n`;
  return octetsOf(`Via: 1.${minorVersion} ${PSEUDONYM}\r\n${field}\r\n`);
}
/** By minor version, and the bits of ConnectionOption. */
const ENDS = [0, 1].map((minor) => Array.from({ length: 8 }, (_, bits) => encodeEnd(minor, bits)));

/** More than all constant text that is added to a head. */
const ADDED_BYTES = 256;
const NOTHING = new Uint8Array(0);
const VERSION_BYTES = 9;
const STATUS_BYTES = 3;

/**
 * Bytes that suffice for the head to send: what is written is not longer. For a request with the fields of its client, for a
 * response with 0.
 */
export const boundWrittenHead = (head: MessageHead, clientFieldBytes: number): number =>
  head.headEnd - head.start + clientFieldBytes + 2 * (head.authorityEnd - head.authorityStart) + ADDED_BYTES;

/**
 * The head of the request to send on: version 1.1, Host first (with the authority that was checked), what may pass,
 * Max-Forwards less one for OPTIONS and TRACE, the client's address and the authority in X-Forwarded-* and Forwarded, Via,
 * Connection, empty line. `clientFields`: createClientFields. Returns the offset behind it, or -1 when boundWrittenHead passes
 * `limit`.
 */
export function writeRequestHead(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  limit: number,
  clientFields: Uint8Array,
  connection: number,
): number {
  if (from + boundWrittenHead(head, clientFields.length) > limit) return -1;
  const { start, methodEnd, targetStart, targetEnd, authorityStart, authorityEnd } = head;
  let at = from;
  if (head.isAbsolute) {
    at = copyRange(bytes, at, start, methodEnd + 1);
    if (head.targetPrefix !== 0) bytes[at++] = head.targetPrefix;
    at = copyRange(bytes, at, targetStart, targetEnd);
  } else at = copyRange(bytes, at, start, targetEnd);
  at = copyWord(bytes, at, REQUEST_VERSION);
  // RFC 9110 section 7.2: Host SHOULD be the first field.
  at = copyRange(bytes, at, authorityStart, authorityEnd);
  at = copyWord(bytes, at, END_OF_LINE);
  at = copyFields(head, bytes, at, false, 0);
  if (head.rewritesLength) at = writeNumberField(bytes, at, CONTENT_LENGTH, head.contentLength);
  if (head.rewritesCodings) at = writeCodings(head, bytes, at);
  if (head.maxForwards >= 0)
    at = writeNumberField(bytes, at, MAX_FORWARDS, Math.max(head.maxForwards - 1, 0));
  at = copyWord(bytes, at, clientFields);
  at = copyRange(bytes, at, authorityStart, authorityEnd);
  at = copyWord(bytes, at, BEHIND_FORWARDED);
  at = copyRange(bytes, at, authorityStart, authorityEnd);
  at = copyWord(bytes, at, END_OF_LINE);
  if ((connection & ConnectionOption.upgrade) !== 0) at = writeUpgrade(head, bytes, at);
  return copyWord(bytes, at, ENDS[head.minorVersion][connection]);
}

/**
 * The head of the response to send on: version 1.1, what may pass, one Content-Length, `more` (a line, or none), Via,
 * Connection, empty line. With ConnectionOption.upgrade (101, 426) the server's Upgrade fields pass. Returns the offset
 * behind it, or -1 when boundWrittenHead and `more` together pass `limit`.
 */
export function writeResponseHead(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  limit: number,
  connection: number,
  options: number,
  more: Uint8Array = NOTHING,
): number {
  const { start, reasonStart, reasonEnd } = head;
  if (from + head.headEnd - start + more.length + ADDED_BYTES > limit) return -1;
  const status = start + VERSION_BYTES;
  let at = copyWord(bytes, from, STATUS_VERSION);
  at = copyRange(bytes, at, status, status + STATUS_BYTES);
  // RFC 9112 section 4: the space MUST be there without a reason too.
  bytes[at++] = SPACE;
  at = copyRange(bytes, at, reasonStart, reasonEnd);
  at = copyWord(bytes, at, END_OF_LINE);
  const isDechunked = (options & ResponseOption.dechunked) !== 0;
  const kept = (connection & ConnectionOption.upgrade) !== 0 ? FieldName.upgrade : 0;
  at = copyFields(head, bytes, at, isDechunked, kept);
  if (head.rewritesLength) at = writeNumberField(bytes, at, CONTENT_LENGTH, head.contentLength);
  if (head.rewritesCodings && !isDechunked) at = writeCodings(head, bytes, at);
  at = copyWord(bytes, at, more);
  return copyWord(bytes, at, ENDS[head.minorVersion][connection]);
}

/** The field lines that pass, and in spite of their flags those of `kept` (FieldName, or 0). */
function copyFields(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  isDechunked: boolean,
  kept: number,
): number {
  const { fields, fieldCount } = head;
  let at = from;
  /** Where the run of lines to copy begins, or -1. */
  let run = -1;
  let runEnd = 0;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    const flags = fields[row + Field.flags];
    const id = fields[row + Field.id];
    const lineStart = fields[row + Field.lineStart];
    const isLeftOut =
      ((flags & FieldFlag.dropped) !== 0 && (kept === 0 || id !== kept)) ||
      (isDechunked && (id === FieldName.transferEncoding || id === FieldName.trailer));
    if (!isLeftOut && (flags & FieldFlag.spaced) === 0) {
      if (run === -1) run = lineStart;
      runEnd = fields[row + Field.lineEnd];
      continue;
    }
    if (run !== -1) at = copyRange(bytes, at, run, runEnd);
    run = -1;
    if (!isLeftOut) at = copyWithoutSpace(fields, row, bytes, at);
  }
  return run === -1 ? at : copyRange(bytes, at, run, runEnd);
}

/** A line without white space before the colon. */
function copyWithoutSpace(fields: Int32Array, row: number, bytes: Uint8Array, from: number): number {
  let at = copyRange(bytes, from, fields[row + Field.lineStart], fields[row + Field.nameEnd]);
  at = copyWord(bytes, at, SEPARATOR);
  at = copyRange(bytes, at, fields[row + Field.valueStart], fields[row + Field.valueEnd]);
  return copyWord(bytes, at, END_OF_LINE);
}

/** The members of all Transfer-Encoding fields in one line; none when there are none. */
function writeCodings({ fields, fieldCount }: MessageHead, bytes: Uint8Array, from: number): number {
  let at = from;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] !== FieldName.transferEncoding) continue;
    const end = fields[row + Field.valueEnd];
    let start = memberStart(bytes, fields[row + Field.valueStart], end);
    while (start !== -1) {
      const stop = memberEnd(bytes, start, end);
      at = copyWord(bytes, at, at === from ? TRANSFER_ENCODING : LIST_SEPARATOR);
      // Some programs compare it in lower case only.
      if (equalsWord(bytes, start, stop, CHUNKED)) at = copyWord(bytes, at, CHUNKED);
      else at = copyRange(bytes, at, start, stop);
      start = memberStart(bytes, stop, end);
    }
  }
  return at === from ? at : copyWord(bytes, at, END_OF_LINE);
}

/** What the request asks for; of several protocols only WebSocket. */
function writeUpgrade(head: MessageHead, bytes: Uint8Array, from: number): number {
  if (head.upgrade === Upgrade.websocket) return copyWord(bytes, from, UPGRADE_TO_WEBSOCKET);
  if (head.upgradeStart === -1) return from;
  let at = copyWord(bytes, from, UPGRADE);
  at = copyRange(bytes, at, head.upgradeStart, head.upgradeEnd);
  return copyWord(bytes, at, END_OF_LINE);
}

function writeNumberField(bytes: Uint8Array, from: number, name: Uint8Array, value: number): number {
  const start = copyWord(bytes, from, name);
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let i = start + digits - 1; i >= start; i--) {
    bytes[i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  bytes[start + digits] = CR;
  bytes[start + digits + 1] = LF;
  return start + digits + 2;
}

/** Below this, a loop is faster than the call. */
const SHORT = 16;

function copyRange(bytes: Uint8Array, at: number, start: number, end: number): number {
  if (end - start > SHORT) bytes.copyWithin(at, start, end);
  else for (let i = start; i < end; i++) bytes[at + i - start] = bytes[i];
  return at + end - start;
}

function copyWord(bytes: Uint8Array, at: number, word: Uint8Array): number {
  if (word.length > SHORT) bytes.set(word, at);
  else for (let i = 0; i < word.length; i++) bytes[at + i] = word[i];
  return at + word.length;
}
