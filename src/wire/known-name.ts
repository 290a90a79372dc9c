/**
 * Names of hosts as text. The same few names are asked for again and again, and a string that is made for each connection costs
 * more than a comparison, here and where it is looked up. So the texts are kept, a fixed number of them.
 */

const SLOT_BITS = 10;
const MAX_BYTES = 255;
const texts: (string | undefined)[] = new Array<string | undefined>(1 << SLOT_BITS).fill(undefined);

const lowerOf = (byte: number): number => (byte >= 65 && byte <= 90 ? byte | 32 : byte);

function equals(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== lowerOf(bytes[start + i])) return false;
  return true;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  const codes: number[] = [];
  for (let i = start; i < end; i++) codes.push(lowerOf(bytes[i]));
  return String.fromCharCode(...codes);
}

/** The bytes from `start` to `end`, which are ASCII, as text in lower case. */
export function nameText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > MAX_BYTES) return textOf(bytes, start, end);
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + lowerOf(bytes[i])) | 0;
  const slot = Math.imul(hash, 0x9e3779b1) >>> (32 - SLOT_BITS);
  const known = texts[slot];
  if (known !== undefined && known.length === end - start && equals(known, bytes, start)) return known;
  return (texts[slot] = textOf(bytes, start, end));
}
