/**
 * A snapshot as bytes for a file: a header with version and checksum, then the BIB entries, then the sessions. Words have the
 * byte order of the machine, because the same machine reads them again.
 */
import { createHash } from 'node:crypto';
import { BIB_WORDS, SESSION_WORDS, type Snapshot } from './snapshot.ts';
import { STATE_MASK } from '../tables/tables.ts';
import { MAX_ADDRESSES } from '../settings/pool.ts';

const MAGIC = 'TBNAT64S';
const VERSION = 1;
const MAGIC_BYTES = 8;
/** Offset of the checksum (SHA-256) over everything that follows it. */
const CHECKSUM_AT = 16;
const CHECKED_FROM = 48;
/** Offset of the time: milliseconds since 1970, as a double. */
const SAVED_AT = 48;
// Word offsets from here on.
/** Length of the whole, in words. */
const LENGTH = 3;
const BIB_COUNT = 14;
const SESSION_COUNT = 15;
const ADDRESSES = 16;
/** Length of the prefixes in bytes. They are a JSON list that begins at the next word. */
const PREFIX_BYTES = ADDRESSES + MAX_ADDRESSES;
const PREFIXES = PREFIX_BYTES + 1;

/** A digest of the set of sessions: it stays the same while only their lifetimes and states change. */
export function sessionsDigest({ addresses, prefixes, bib, sessions }: Snapshot): string {
  const hash = createHash('sha256').update(JSON.stringify(prefixes)).update(addresses).update(bib);
  const tuples = sessions.slice();
  for (let at = 0; at < tuples.length; at += SESSION_WORDS) {
    tuples[at + 2] &= ~STATE_MASK;
    tuples[at + 3] = 0;
  }
  return hash.update(tuples).digest('base64');
}

export function encodeSnapshot({ savedAtMs, addresses, prefixes, bib, sessions }: Snapshot): Uint8Array {
  const text = Buffer.from(JSON.stringify(prefixes));
  const bodyAt = PREFIXES + Math.ceil(text.length / 4);
  const bytes = new Uint8Array((bodyAt + bib.length + sessions.length) * 4);
  const words = new Int32Array(bytes.buffer);
  bytes.set(Buffer.from(MAGIC, 'latin1'));
  words[MAGIC_BYTES / 4] = VERSION;
  words[LENGTH] = words.length;
  new Float64Array(bytes.buffer, SAVED_AT, 1)[0] = savedAtMs;
  words[BIB_COUNT] = bib.length / BIB_WORDS;
  words[SESSION_COUNT] = sessions.length / SESSION_WORDS;
  words.set(addresses, ADDRESSES);
  words[PREFIX_BYTES] = text.length;
  bytes.set(text, PREFIXES * 4);
  words.set(bib, bodyAt);
  words.set(sessions, bodyAt + bib.length);
  bytes.set(checksumOf(bytes), CHECKSUM_AT);
  return bytes;
}

/** The snapshot, or the reason why the bytes are not a valid snapshot. */
export function decodeSnapshot(file: Uint8Array): Snapshot | string {
  if (file.length < (PREFIXES + 1) * 4 || file.length % 4 !== 0)
    return `${file.length} bytes are no snapshot`;
  // A copy, so that the words are aligned.
  const bytes = Uint8Array.from(file);
  const words = new Int32Array(bytes.buffer);
  if (Buffer.from(bytes.subarray(0, MAGIC_BYTES)).toString('latin1') !== MAGIC) return 'it is no snapshot';
  if (words[MAGIC_BYTES / 4] !== VERSION)
    return `its version is ${words[MAGIC_BYTES / 4]}; expected ${VERSION}`;
  if (!checksumOf(bytes).equals(bytes.subarray(CHECKSUM_AT, CHECKED_FROM))) return 'its checksum is wrong';
  const counts = [words[BIB_COUNT], words[SESSION_COUNT], words[PREFIX_BYTES]];
  const bibWords = words[BIB_COUNT] * BIB_WORDS;
  const bodyAt = PREFIXES + Math.ceil(words[PREFIX_BYTES] / 4);
  if (
    words[LENGTH] !== words.length ||
    counts.some((count) => count < 0) ||
    bodyAt + bibWords + words[SESSION_COUNT] * SESSION_WORDS !== words.length
  )
    return 'its counts contradict its length';
  const prefixes = readPrefixes(bytes.subarray(PREFIXES * 4, PREFIXES * 4 + words[PREFIX_BYTES]));
  if (prefixes === undefined) return 'its prefixes are no list of texts';
  return {
    savedAtMs: new Float64Array(bytes.buffer, SAVED_AT, 1)[0],
    addresses: words.slice(ADDRESSES, ADDRESSES + MAX_ADDRESSES),
    prefixes,
    bib: words.slice(bodyAt, bodyAt + bibWords),
    sessions: words.slice(bodyAt + bibWords),
  };
}

function readPrefixes(bytes: Uint8Array): string[] | undefined {
  try {
    const list = JSON.parse(Buffer.from(bytes).toString()) as unknown;
    return Array.isArray(list) && list.every((text) => typeof text === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

const checksumOf = (bytes: Uint8Array): Buffer =>
  createHash('sha256').update(bytes.subarray(CHECKED_FROM)).digest();
