/** Classes of bytes in heads, and comparisons on bytes. */

export const CR = 13;
export const LF = 10;
export const TAB = 9;
export const SPACE = 32;
export const COMMA = 44;
export const ZERO = 48;
export const COLON = 58;

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~";
const HYPHEN = 45;

/**
 * For each byte that a token may hold (RFC 9110 section 5.6.2): the letter in lower case, the digit, or "-" for all else; 0
 * for other bytes. So this is a test, and folds names that servers take for the same: CGI, WSGI and PHP show both
 * X-Forwarded-For and X_Forwarded_For as HTTP_X_FORWARDED_FOR (RFC 3875 section 4.1.18), lighttpd X.Forwarded.For and
 * X+Forwarded+For too.
 */
export const FOLDED_TOKEN = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[0-9a-zA-Z]/.test(character)) return character.toLowerCase().charCodeAt(0);
  return TOKEN_CHARACTERS.includes(character) ? HYPHEN : 0;
});

/** 1 for the bytes of a field value or a reason (RFC 9110 section 5.5): no control characters except HTAB. */
export const IS_TEXT = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === TAB || (byte >= SPACE && byte !== 127) ? 1 : 0,
);

/** 1 for visible ASCII except "#": a request target has no fragment. */
export const IS_TARGET = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte > SPACE && byte < 127 && byte !== 35 ? 1 : 0,
);

/** Not Uint8Array.from: it costs fifty times as much. */
export function octetsOf(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}

export const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
export const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;

/** The bytes from `start` to `end` are `word`, in this case. */
export function equalsExactly(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

/** The bytes from `start` to `end` are `word` (in lower case), whatever their case. */
export function equalsWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i];
    const lower = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    if (lower !== word[i]) return false;
  }
  return true;
}

/** Two ranges of the same bytes are equal, whatever their case. */
export function equalsRange(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = 0; a + i < aEnd; i++) {
    const x = bytes[a + i];
    const y = bytes[b + i];
    // Two tokens that differ only in this bit are the same letter, or "^" and "~", "`" and "@": the latter is in no token.
    if (x !== y && ((x | 32) !== (y | 32) || (x | 32) < 97 || (x | 32) > 122)) return false;
  }
  return true;
}

/**
 * A list's member that begins at or behind `at` (RFC 9110 section 5.6.1): its start, or -1 when there is none left. Empty
 * members are skipped.
 */
export function memberStart(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (bytes[at] === COMMA || isBlank(bytes[at]))) at++;
  return at < end ? at : -1;
}

/** Behind the last byte of the member that begins at `start`, without white space. */
export function memberEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA) at++;
  while (isBlank(bytes[at - 1])) at--;
  return at;
}

/** The number in decimal digits, or -1 when there are none, other bytes, or more than `maxDigits`. */
export function readDecimal(bytes: Uint8Array, start: number, end: number, maxDigits: number): number {
  if (start === end || end - start > maxDigits) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    if (!isDigit(bytes[i])) return -1;
    value = value * 10 + bytes[i] - 48;
  }
  return value;
}
