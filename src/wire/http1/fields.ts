/** The field lines of a head (RFC 9112 section 5), for requests and responses. */
import type { HttpFault } from './fault.ts';
import { FIELD_SHIFT, Field, FieldFlag, MAX_FIELDS, type MessageHead } from './head.ts';
import { DROPPED_OF_REQUESTS, DROPPED_OF_RESPONSES, fieldNameId, nextHash } from './names.ts';
import { COLON, CR, FOLDED_TOKEN, IS_TEXT, LF, SPACE, ZERO, isBlank } from './octets.ts';

/** The faults of lines, with the status for a request or a response. */
export interface LineFaults {
  readonly bareLf: HttpFault;
  readonly bareCr: HttpFault;
  readonly fold: HttpFault;
  readonly noColon: HttpFault;
  readonly fieldName: HttpFault;
  readonly fieldValue: HttpFault;
  readonly tooManyFields: HttpFault;
}

export function refuse(head: MessageHead, fault: HttpFault): -1 {
  head.fault = fault;
  return -1;
}

/** The same for functions that tell by a boolean whether to go on. */
export function reject(head: MessageHead, fault: HttpFault): false {
  head.fault = fault;
  return false;
}

/**
 * Reads field lines up to the empty line. > 0: the offset behind that, and the rows of the table are filled. 0: more bytes are
 * needed. -1: refused.
 */
export function parseFields(
  head: MessageHead,
  bytes: Uint8Array,
  from: number,
  to: number,
  isResponse: boolean,
  faults: LineFaults,
): number {
  const { fields } = head;
  let at = from;
  for (let count = 0; ; count++) {
    const lineStart = at;
    let hash = 0;
    let folded = 0;
    while (at < to && (folded = FOLDED_TOKEN[bytes[at]]) !== 0) {
      hash = nextHash(hash, folded);
      at++;
    }
    if (at === to) return 0;
    const nameEnd = at;
    if (nameEnd === lineStart) {
      if (bytes[at] !== CR) return refuse(head, nameFault(bytes[at], true, faults));
      if (at + 1 === to) return 0;
      if (bytes[at + 1] !== LF) return refuse(head, faults.bareCr);
      head.fieldCount = count;
      head.headEnd = at + 2;
      return at + 2;
    }
    // Section 5.1: a proxy MUST remove white space before the colon from a response, and refuse a request with it.
    if (isResponse) while (at < to && isBlank(bytes[at])) at++;
    if (at === to) return 0;
    if (bytes[at] !== COLON) return refuse(head, nameFault(bytes[at], false, faults));
    const isSpaced = at !== nameEnd;
    at++;
    while (at < to && isBlank(bytes[at])) at++;
    const valueStart = at;
    while (at < to && IS_TEXT[bytes[at]] === 1) at++;
    if (at === to) return 0;
    if (bytes[at] !== CR) return refuse(head, bytes[at] === LF ? faults.bareLf : faults.fieldValue);
    if (at + 1 === to) return 0;
    if (bytes[at + 1] !== LF) return refuse(head, faults.bareCr);
    if (count === MAX_FIELDS) return refuse(head, faults.tooManyFields);
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
    at += 2;
    const row = count << FIELD_SHIFT;
    fields[row + Field.lineStart] = lineStart;
    fields[row + Field.nameEnd] = nameEnd;
    fields[row + Field.valueStart] = valueStart;
    fields[row + Field.valueEnd] = valueEnd;
    fields[row + Field.lineEnd] = at;
    classify(fields, row, fieldNameId(bytes, lineStart, nameEnd, hash), isResponse, isSpaced);
  }
}

/** Sets id and flags. */
function classify(fields: Int32Array, row: number, id: number, isResponse: boolean, isSpaced: boolean): void {
  if (isResponse) {
    // A client reads a response's names as they are: one in disguise is just another name.
    const own = Math.max(id, 0);
    fields[row + Field.id] = own;
    fields[row + Field.flags] =
      (DROPPED_OF_RESPONSES[own] === 1 ? FieldFlag.dropped : 0) | (isSpaced ? FieldFlag.spaced : 0);
    return;
  }
  // A name in disguise (Content_Length) means nothing here but may mean something to the server, so it must not arrive there.
  // Dropped rather than refused: the request means the same without it, and clients with such a field of old do no harm.
  fields[row + Field.id] = Math.max(id, 0);
  fields[row + Field.flags] = id < 0 || DROPPED_OF_REQUESTS[id] === 1 ? FieldFlag.dropped : 0;
}

/** What is wrong with a line that has `byte` where its name or the colon should be. */
function nameFault(byte: number, isFirst: boolean, faults: LineFaults): HttpFault {
  if (byte === LF) return faults.bareLf;
  // Section 5.2: obs-fold MUST be refused, or replaced.
  if (isFirst && isBlank(byte)) return faults.fold;
  return byte === CR ? faults.noColon : faults.fieldName;
}

/** The line is "Name: value", without other white space. */
export function isPlainLine(fields: Int32Array, row: number, bytes: Uint8Array): boolean {
  const nameEnd = fields[row + Field.nameEnd];
  return (
    fields[row + Field.valueStart] === nameEnd + 2 &&
    bytes[nameEnd + 1] === SPACE &&
    fields[row + Field.valueEnd] === fields[row + Field.lineEnd] - 2
  );
}

/** The digits of a length are as they are written anew. */
export const isPlainNumber = (bytes: Uint8Array, start: number, end: number): boolean =>
  bytes[start] !== ZERO || end - start === 1;

/** Flags all fields of a name (FieldName). */
export function dropFields({ fields, fieldCount }: MessageHead, id: number): void {
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] === id) fields[row + Field.flags] |= FieldFlag.dropped;
  }
}

/**
 * For a head that an earlier call found incomplete when it had the bytes up to `from`: 0 when what has come since cannot end
 * a line, -1 when it cannot be in a head at all, 1 when the head is to be read again.
 */
export function checkMore(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === LF) return 1;
    if (IS_TEXT[byte] === 0 && byte !== CR) return -1;
  }
  return 0;
}
