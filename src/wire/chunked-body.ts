/**
 * Finds the end of a chunked body (RFC 9112 section 7.1) while its bytes pass through unchanged. Parsing is strict: a line
 * whose end two implementations could see at different places is malformed, because a request could be hidden after it.
 */

const State = {
  /** Hexadecimal digits of a chunk size. */
  size: 0,
  /** After the size: white space or chunk extensions, up to the CR. */
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  /** Trailer fields, line by line, until an empty line. */
  trailerStart: 6,
  trailer: 7,
  trailerLf: 8,
  lastLf: 9,
  complete: 10,
} as const;

/** How far a body has been read. */
export interface ChunkedScan {
  state: (typeof State)[keyof typeof State];
  /** Digits of the size so far. */
  digits: number;
  /** The size while it is being read, then the bytes of the chunk that are still to come. */
  remaining: number;
  /** Bytes of the line (or of all trailer fields) so far. */
  lineBytes: number;
}

export const startChunkedScan = (): ChunkedScan => ({
  state: State.size,
  digits: 0,
  remaining: 0,
  lineBytes: 0,
});

export const isChunkedComplete = ({ state }: ChunkedScan): boolean => state === State.complete;

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const SEMICOLON = 59;
/** 2^52 bytes: numbers are exact up to this size. */
const MAX_SIZE_DIGITS = 13;
/** Section 7.1.1: a recipient ought to limit extensions. Nobody needs them. */
const MAX_EXTENSION_BYTES = 4096;
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
export function scanChunked(scan: ChunkedScan, bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    if (scan.state === State.complete) return at;
    if (scan.state === State.data) {
      const taken = Math.min(scan.remaining, bytes.length - at);
      scan.remaining -= taken;
      at += taken;
      if (scan.remaining === 0) scan.state = State.dataCr;
    } else if (!scanByte(scan, bytes[at++])) return -1;
  }
  return at;
}

/** One byte outside of chunk data; false when it is not allowed there. */
function scanByte(scan: ChunkedScan, byte: number): boolean {
  switch (scan.state) {
    case State.size:
      return scanSize(scan, byte);
    case State.extension:
      if (byte === CR) scan.state = State.sizeLf;
      return byte === CR || (isText(byte) && ++scan.lineBytes <= MAX_EXTENSION_BYTES);
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
      scan.state = byte === CR ? State.lastLf : State.trailer;
      return byte === CR || (isText(byte) && ++scan.lineBytes <= MAX_TRAILER_BYTES);
    case State.trailer:
      if (byte === CR) scan.state = State.trailerLf;
      return byte === CR || (isText(byte) && ++scan.lineBytes <= MAX_TRAILER_BYTES);
    case State.trailerLf:
      scan.state = State.trailerStart;
      return byte === LF;
    default:
      scan.state = State.complete;
      return byte === LF;
  }
}

function scanSize(scan: ChunkedScan, byte: number): boolean {
  const value = hexValue(byte);
  if (value >= 0) {
    scan.remaining = scan.remaining * 16 + value;
    return ++scan.digits <= MAX_SIZE_DIGITS;
  }
  if (scan.digits === 0) return false;
  if (byte === CR) scan.state = State.sizeLf;
  else if (byte === SEMICOLON || byte === SPACE || byte === TAB) scan.state = State.extension;
  else return false;
  return true;
}

/** No control characters except HTAB, so neither a bare CR nor a bare LF. */
const isText = (byte: number): boolean => (byte >= SPACE && byte !== 127) || byte === TAB;
