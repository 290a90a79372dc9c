/**
 * The sessions as bytes that outlive the process: a header with version and checksum, then the BIB entries that have
 * sessions, then the sessions with what is left of their lives. Words are in the order of the machine, which is the one
 * that reads them again.
 */
import { createHash } from 'node:crypto';
import {
  BIB,
  CONTROL,
  MAX_ADDRESSES,
  RECORD_WORDS,
  SESSION,
  STATE_MASK,
  type SharedTables,
} from './tables.ts';
import { TCP_STATE } from './tcp-state.ts';

const MAGIC = 'TBNAT64S';
const VERSION = 1;
const MAGIC_BYTES = 8;
/** Of the checksum (SHA-256) over all that follows it. */
const CHECKSUM_AT = 16;
const CHECKED_FROM = 48;
/** Milliseconds since 1970, as a double. */
const SAVED_AT = 48;
// Word offsets from here on.
/** Words of the whole. */
const LENGTH = 3;
const BIB_COUNT = 14;
const SESSION_COUNT = 15;
const ADDRESSES = 16;
/** Length in bytes of the prefixes, a JSON list that begins at the next word. */
const PREFIX_BYTES = ADDRESSES + MAX_ADDRESSES;
const PREFIXES = PREFIX_BYTES + 1;
/** host (4 words), PORTS, KIND */
const BIB_WORDS = 6;
/** number of its BIB entry, from 0; remote address; REMOTE_PORT_AND_STATE; seconds left */
const SESSION_WORDS = 4;

export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly savedAtMs: number;
  /** pool4 by slot, signed. */
  readonly addresses: Int32Array;
  /** NAT64 prefixes as texts: what the sessions' prefix numbers mean. */
  readonly prefixes: readonly string[];
  /** BIB_WORDS each. */
  readonly bib: Int32Array;
  /** SESSION_WORDS each. */
  readonly sessions: Int32Array;
}

/** More sessions are not kept, so that the file stays below 11 MB. */
export const MAX_KEPT_SESSIONS = 262_144;

/** Sessions to keep: all, or only those that live long and are missed most, established TCP connections. */
export type KeptSessions = 'all' | 'established';

/**
 * Takes a snapshot of the tables. A worker may change them meanwhile: a session that changes while it is copied is left
 * out. Where there are more than `limit`, established TCP connections come first.
 */
export function takeSnapshot(
  tables: SharedTables,
  prefixes: readonly string[],
  nowSeconds: number,
  nowMs: number,
  kept: KeptSessions = 'all',
  limit = MAX_KEPT_SESSIONS,
): Snapshot {
  const { control } = tables;
  const capacity = Math.min(control[CONTROL.SESSIONS_USED], limit);
  const copy: Copy = {
    numbers: new Int32Array(control[CONTROL.BIB_USED]),
    bib: new Int32Array(capacity * BIB_WORDS),
    bibCount: 0,
    sessions: new Int32Array(capacity * SESSION_WORDS),
    sessionCount: 0,
  };
  copySessions(tables, copy, nowSeconds, true);
  if (kept === 'all') copySessions(tables, copy, nowSeconds, false);
  return {
    savedAtMs: nowMs,
    addresses: control.slice(CONTROL.ADDRESSES, CONTROL.ADDRESSES + MAX_ADDRESSES),
    prefixes,
    bib: copy.bib.slice(0, copy.bibCount * BIB_WORDS),
    sessions: copy.sessions.slice(0, copy.sessionCount * SESSION_WORDS),
  };
}

interface Copy {
  /** By BIB record: 1 + its number in the snapshot, 0 where it has none yet. */
  readonly numbers: Int32Array;
  readonly bib: Int32Array;
  bibCount: number;
  readonly sessions: Int32Array;
  sessionCount: number;
}

/** Copies the established TCP connections, or the others, until there is no more room. */
function copySessions(tables: SharedTables, copy: Copy, nowSeconds: number, areEstablished: boolean): void {
  const { control, bib, sessions } = tables;
  const used = control[CONTROL.SESSIONS_USED];
  const { numbers } = copy;
  for (let index = 1; index < used; index++) {
    const to = copy.sessionCount * SESSION_WORDS;
    if (to === copy.sessions.length) return;
    const at = index * RECORD_WORDS;
    const owner = sessions[at + SESSION.BIB];
    const remoteAddress = sessions[at + SESSION.REMOTE_ADDRESS];
    const portAndState = sessions[at + SESSION.REMOTE_PORT_AND_STATE];
    const secondsLeft = sessions[at + SESSION.EXPIRES_AT] - nowSeconds;
    if (owner <= 0 || owner >= numbers.length || secondsLeft <= 0) continue;
    if (isEstablished(portAndState & STATE_MASK) !== areEstablished) continue;
    const bibAt = owner * RECORD_WORDS;
    const bibTo = copy.bibCount * BIB_WORDS;
    if (numbers[owner] === 0)
      for (let word = 0; word < BIB_WORDS; word++) copy.bib[bibTo + word] = Atomics.load(bib, bibAt + word);
    // Records of another session by now are told by another BIB entry or another other end.
    const isSame =
      Atomics.load(sessions, at + SESSION.BIB) === owner &&
      Atomics.load(sessions, at + SESSION.REMOTE_ADDRESS) === remoteAddress &&
      Atomics.load(sessions, at + SESSION.REMOTE_PORT_AND_STATE) >>> 16 === portAndState >>> 16;
    if (!isSame || bib[bibAt + BIB.KIND] === 0) continue;
    numbers[owner] ||= ++copy.bibCount;
    copy.sessions[to] = numbers[owner] - 1;
    copy.sessions[to + 1] = remoteAddress;
    copy.sessions[to + 2] = portAndState;
    copy.sessions[to + 3] = secondsLeft;
    copy.sessionCount++;
  }
}

/** States that only TCP has. */
const isEstablished = (state: number): boolean =>
  state === TCP_STATE.ESTABLISHED || state === TCP_STATE.V4_FIN || state === TCP_STATE.V6_FIN;

/** A digest of which sessions there are: it stays the same while only their lifetimes and states change. */
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

/** The snapshot, or why these bytes are none. */
export function decodeSnapshot(file: Uint8Array): Snapshot | string {
  if (file.length < (PREFIXES + 1) * 4 || file.length % 4 !== 0)
    return `${file.length} bytes are no snapshot`;
  // A copy, so that words lie where words must.
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

/** A BIB entry of a snapshot, as `tables.bib` has it. */
export const readSnapshotBib = ({ bib }: Snapshot, number: number) => {
  const at = number * BIB_WORDS;
  return {
    host: bib.subarray(at, at + 4),
    hostPort: bib[at + 4] >>> 16,
    mappedPort: bib[at + 4] & 0xffff,
    kind: bib[at + 5],
  };
};

export const snapshotSessions = ({ sessions }: Snapshot): number => sessions.length / SESSION_WORDS;

export const readSnapshotSession = ({ sessions }: Snapshot, index: number) => {
  const at = index * SESSION_WORDS;
  return {
    bib: sessions[at],
    remoteAddress: sessions[at + 1],
    remotePort: sessions[at + 2] >>> 16,
    stateAndPrefix: sessions[at + 2] & 0xffff,
    secondsLeft: sessions[at + 3],
  };
};
