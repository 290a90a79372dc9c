/**
 * Finds the end of a chunked body (RFC 9112 section 7.1) while its bytes pass through unchanged, or takes the data out of it.
 * Parsing is strict: a line whose end two implementations could see at different places is malformed, because a request could
 * be hidden after it.
 */
import { isForbiddenTrailer, isForbiddenTrailerPrefix, nextHash } from './http1/names.ts';
import { COLON, CR, FOLDED_TOKEN, IS_TEXT, LF } from './http1/octets.ts';

const State = {
  /** Hexadecimal digits of a chunk size. */
  size: 0,
  /** Extensions after the size: `;name`, `;name=value` or `;name="value"`, without white space. */
  extensionStart: 1,
  extensionName: 2,
  extensionValueStart: 3,
  extensionValue: 4,
  extensionQuoted: 5,
  extensionEscaped: 6,
  extensionQuotedEnd: 7,
  sizeLf: 8,
  data: 9,
  dataCr: 10,
  dataLf: 11,
  /** Trailer fields, line by line, until an empty line. */
  trailerStart: 12,
  trailerName: 13,
  trailerValue: 14,
  trailerLf: 15,
  lastLf: 16,
  complete: 17,
} as const;

/** How far a body has been read. */
export interface ChunkedScan {
  state: (typeof State)[keyof typeof State];
  /** Digits of the size so far. */
  digits: number;
  /** The size while it is being read, then the bytes of the chunk that are still to come. */
  remaining: number;
  /** Bytes of the extensions of this chunk, or of all trailer fields, so far. */
  lineBytes: number;
  /** Bytes of extensions beyond those of data. */
  excessBytes: number;
  /** Of the name of the trailer field so far. */
  nameHash: number;
  /** What dechunk has taken in its last call, data and framing. */
  consumed: number;
}

export const startChunkedScan = (): ChunkedScan => ({
  state: State.size,
  digits: 0,
  remaining: 0,
  lineBytes: 0,
  excessBytes: 0,
  nameHash: 0,
  consumed: 0,
});

/** Makes the object ready for another body. */
export function restartChunkedScan(scan: ChunkedScan): void {
  scan.state = State.size;
  scan.digits = 0;
  scan.remaining = 0;
  scan.lineBytes = 0;
  scan.excessBytes = 0;
  scan.nameHash = 0;
  scan.consumed = 0;
}

export const isChunkedComplete = ({ state }: ChunkedScan): boolean => state === State.complete;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;
/** 2^52 bytes: numbers are exact up to this size. */
const MAX_SIZE_DIGITS = 13;
/** Section 7.1.1: a recipient ought to limit extensions. Nobody needs them. */
const MAX_EXTENSION_BYTES = 4096;
/** So that a body cannot consist of extensions: what they may have more than the data. */
const MAX_EXCESS_BYTES = 16_384;
const MAX_TRAILER_BYTES = 16_384;

/** The value of a hexadecimal digit, or -1. */
function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/**
 * How many of the bytes belong to the body. Fewer than all when the body ends within them; -1 when it is malformed. `scan`
 * holds the state between calls. Allocates nothing.
 */
export function scanChunked(scan: ChunkedScan, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let at = from;
  while (at < to && scan.state !== State.complete) {
    if (scan.state === State.data) at += takeData(scan, to - at);
    else if (!scanByte(scan, bytes[at++])) return -1;
  }
  return at - from;
}

/**
 * Takes the framing out of the bytes: moves the data together at `from` and returns its length; -1 when the body is malformed.
 * `scan.consumed` says how many of the bytes belonged to the body. Trailer fields are left out. Allocates nothing.
 */
export function dechunk(scan: ChunkedScan, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let end = from;
  while (at < to && scan.state !== State.complete) {
    if (scan.state === State.data) {
      const taken = takeData(scan, to - at);
      if (end !== at) bytes.copyWithin(end, at, at + taken);
      at += taken;
      end += taken;
    } else if (!scanByte(scan, bytes[at++])) return -1;
  }
  scan.consumed = at - from;
  return end - from;
}

/** How many of the bytes that are there are data of the chunk. */
function takeData(scan: ChunkedScan, available: number): number {
  const taken = Math.min(scan.remaining, available);
  scan.remaining -= taken;
  scan.excessBytes = Math.max(scan.excessBytes - taken, 0);
  if (scan.remaining === 0) scan.state = State.dataCr;
  return taken;
}

/** One byte outside of chunk data; false when it is not allowed there. */
function scanByte(scan: ChunkedScan, byte: number): boolean {
  switch (scan.state) {
    case State.size:
      return scanSize(scan, byte);
    case State.sizeLf:
      scan.lineBytes = 0;
      scan.digits = 0;
      scan.state = scan.remaining === 0 ? State.trailerStart : State.data;
      return byte === LF;
    case State.dataCr:
      scan.state = State.dataLf;
      return byte === CR;
    case State.dataLf:
      scan.state = State.size;
      return byte === LF;
    case State.trailerStart:
    case State.trailerName:
    case State.trailerValue:
      return scanTrailer(scan, byte);
    case State.trailerLf:
      scan.state = State.trailerStart;
      return byte === LF;
    case State.lastLf:
      scan.state = State.complete;
      return byte === LF;
    default:
      scan.excessBytes++;
      scan.lineBytes++;
      return (
        scan.lineBytes <= MAX_EXTENSION_BYTES &&
        scan.excessBytes <= MAX_EXCESS_BYTES &&
        scanExtension(scan, byte)
      );
  }
}

function scanSize(scan: ChunkedScan, byte: number): boolean {
  const value = hexValue(byte);
  if (value >= 0) {
    scan.remaining = scan.remaining * 16 + value;
    return ++scan.digits <= MAX_SIZE_DIGITS;
  }
  return scan.digits > 0 && endExtension(scan, byte);
}

/** What may follow a size or a complete extension. */
function endExtension(scan: ChunkedScan, byte: number): boolean {
  if (byte === CR) scan.state = State.sizeLf;
  else if (byte === SEMICOLON) scan.state = State.extensionStart;
  else return false;
  return true;
}

/**
 * Section 7.1.1. White space around ";" and "=" is only for the sake of senders of old (BWS), and recipients differ about it:
 * refused.
 */
function scanExtension(scan: ChunkedScan, byte: number): boolean {
  const isToken = FOLDED_TOKEN[byte] !== 0;
  switch (scan.state) {
    case State.extensionStart:
      scan.state = State.extensionName;
      return isToken;
    case State.extensionName:
      if (isToken) return true;
      if (byte !== EQUALS) return endExtension(scan, byte);
      scan.state = State.extensionValueStart;
      return true;
    case State.extensionValueStart:
      scan.state = byte === QUOTE ? State.extensionQuoted : State.extensionValue;
      return byte === QUOTE || isToken;
    case State.extensionValue:
      return isToken || endExtension(scan, byte);
    case State.extensionQuoted:
      if (byte === QUOTE) scan.state = State.extensionQuotedEnd;
      else if (byte === BACKSLASH) scan.state = State.extensionEscaped;
      return IS_TEXT[byte] === 1;
    case State.extensionEscaped:
      scan.state = State.extensionQuoted;
      return IS_TEXT[byte] === 1;
    default:
      return endExtension(scan, byte);
  }
}

/** A line of the trailer section (section 7.1.2): a field as in a head, with a name that is allowed there. */
function scanTrailer(scan: ChunkedScan, byte: number): boolean {
  if (scan.state === State.trailerStart) {
    if (byte === CR) {
      scan.state = State.lastLf;
      return true;
    }
    scan.state = State.trailerName;
    scan.nameHash = 0;
    // A name is not empty.
    if (byte === COLON) return false;
  }
  if (++scan.lineBytes > MAX_TRAILER_BYTES) return false;
  if (scan.state === State.trailerValue) {
    if (byte === CR) scan.state = State.trailerLf;
    return byte === CR || IS_TEXT[byte] === 1;
  }
  if (byte === COLON) {
    scan.state = State.trailerValue;
    return !isForbiddenTrailer(scan.nameHash);
  }
  const folded = FOLDED_TOKEN[byte];
  scan.nameHash = nextHash(scan.nameHash, folded);
  return folded !== 0 && !isForbiddenTrailerPrefix(scan.nameHash);
}
