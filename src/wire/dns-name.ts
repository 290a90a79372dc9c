/**
 * Domain names in uncompressed wire form (RFC 1035 section 3.1): length-prefixed labels, a zero byte for the root at the end,
 * at most 255 bytes. Length bytes are at most 63, which is below "A", so lower-casing all bytes of a name never changes them.
 */

/** RFC 1035 section 2.3.4. */
export const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const POINTER = 0xc0;

export interface NameAt {
  /** Uncompressed, the case kept. */
  readonly name: Uint8Array;
  /** Offset of the first byte after the name in the message. */
  readonly end: number;
}

const scratch = new Uint8Array(MAX_NAME_BYTES);

/**
 * Reads a name that may be compressed (RFC 1035 section 4.1.4); undefined when it is malformed. A pointer must lead to a place
 * before the labels that it ends, so every name is finite.
 */
export function readName(message: Uint8Array, offset: number): NameAt | undefined {
  let length = 0;
  let end = -1;
  let at = offset;
  let lowest = offset;
  for (;;) {
    if (at >= message.length) return undefined;
    const head = message[at];
    if (head >= POINTER) {
      if (at + 1 >= message.length) return undefined;
      if (end === -1) end = at + 2;
      const target = ((head & 0x3f) << 8) | message[at + 1];
      if (target >= lowest) return undefined;
      at = lowest = target;
      continue;
    }
    const next = at + 1 + head;
    if (head > MAX_LABEL_BYTES || next > message.length || length + 1 + head > MAX_NAME_BYTES)
      return undefined;
    while (at < next) scratch[length++] = message[at++];
    if (head === 0) return { name: scratch.slice(0, length), end: end === -1 ? at : end };
  }
}

/** Converts "example.com" or "example.com." to a name. Throws on a label or name that is too long or empty. For constants and tests. */
export function nameFromText(text: string): Uint8Array {
  const labels = text.replace(/\.$/, '').split('.');
  const bytes = labels.flatMap((label) => {
    const encoded = new TextEncoder().encode(label);
    if (encoded.length > MAX_LABEL_BYTES || (encoded.length === 0 && text !== '.' && text !== ''))
      throw new Error(`nameFromText: label "${label}" of "${text}" must have 1 to ${MAX_LABEL_BYTES} bytes`);
    return encoded.length === 0 ? [] : [encoded.length, ...encoded];
  });
  if (bytes.length >= MAX_NAME_BYTES) throw new Error(`nameFromText: "${text}" is too long`);
  return Uint8Array.from([...bytes, 0]);
}

/** Text of a name for people, without the final dot. Bytes that are not plain text are written as \DDD (RFC 1035 section 5.1). */
export function formatName(name: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 0; name[at] > 0; at += name[at] + 1) {
    const label = name.subarray(at + 1, at + 1 + name[at]);
    labels.push(Array.from(label, formatByte).join(''));
  }
  return labels.length === 0 ? '.' : labels.join('.');
}

function formatByte(byte: number): string {
  if (byte === 0x2e || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString().padStart(3, '0')}`;
}

/** ASCII lower case of one byte (RFC 4343). */
export const lowerByte = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);

/** The name in lower case, as a new array. */
export const lowerName = (name: Uint8Array): Uint8Array => name.map(lowerByte);

/** Whether two names are the same, ignoring case. */
export const namesEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && endsEqual(a, b, b.length);

/** Whether `name` is `ancestor` or below it. */
export function isAtOrBelow(name: Uint8Array, ancestor: Uint8Array): boolean {
  let at = 0;
  while (name.length - at > ancestor.length && name[at] > 0) at += name[at] + 1;
  return name.length - at === ancestor.length && endsEqual(name, ancestor, ancestor.length);
}

function endsEqual(a: Uint8Array, b: Uint8Array, bytes: number): boolean {
  for (let i = 1; i <= bytes; i++) {
    if (lowerByte(a[a.length - i]) !== lowerByte(b[b.length - i])) return false;
  }
  return true;
}

/** A string for use as a map key: two names have the same one exactly when they are equal. */
export function nameKey(name: Uint8Array): string {
  let key = '';
  for (const byte of name) key += String.fromCharCode(lowerByte(byte));
  return key;
}
