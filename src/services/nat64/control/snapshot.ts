/** A copy of the sessions that outlives the tables: the BIB entries that have sessions, and the sessions with their remaining time. */
import { BIB, CONTROL, RECORD_WORDS, SESSION, STATE_MASK, type SharedTables } from '../tables/tables.ts';
import { TCP_STATE } from '../tables/tcp-state.ts';
import { MAX_ADDRESSES } from '../settings/pool.ts';

/** Words of a BIB entry: host (4 words), PORTS, KIND */
export const BIB_WORDS = 6;
/** Words of a session: number of its BIB entry, from 0; remote address; REMOTE_PORT_AND_STATE; seconds left */
export const SESSION_WORDS = 4;

export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly savedAtMs: number;
  /** The addresses of pool4 by slot, signed. */
  readonly addresses: Int32Array;
  /** NAT64 prefixes as texts. The prefix number of a session is an index into this list. */
  readonly prefixes: readonly string[];
  /** BIB_WORDS each. */
  readonly bib: Int32Array;
  /** SESSION_WORDS each. */
  readonly sessions: Int32Array;
}

/** The limit of sessions to keep, so that the file stays below 11 MB. */
export const MAX_KEPT_SESSIONS = 262_144;

/** Which sessions to keep: all, or only established TCP connections, which live long and whose loss would hurt most. */
export type KeptSessions = 'all' | 'established';

/**
 * Takes a snapshot of the tables. A worker may change them meanwhile: a session that changes while it is copied is left
 * out. If there are more than `limit`, established TCP connections come first.
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
  /** By BIB record: 1 + its number in the snapshot, 0 if it has none yet. */
  readonly numbers: Int32Array;
  readonly bib: Int32Array;
  bibCount: number;
  readonly sessions: Int32Array;
  sessionCount: number;
}

/** Copies the established TCP connections, or all other sessions, until there is no more room. */
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
    // If the record belongs to another session by now, its BIB entry or its remote end has changed.
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

/** Whether a TCP connection is established, perhaps with one side closed. Other protocols never have these states. */
const isEstablished = (state: number): boolean =>
  state === TCP_STATE.ESTABLISHED || state === TCP_STATE.V4_FIN || state === TCP_STATE.V6_FIN;

/** Reads a BIB entry of a snapshot; `kind` has the same format as in `tables.bib`. */
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
