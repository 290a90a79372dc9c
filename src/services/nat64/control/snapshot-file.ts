/**
 * The file that keeps the sessions over a restart of the process (nat64.keepSessions). It is written when NAT64 stops, and from
 * time to time while it runs, in case the process is killed or the power fails. Both are rare, and the file is on an SD card. So
 * while NAT64 runs, the file is written at most once in ten minutes, only if the set of connections has changed, and only with
 * established TCP connections, whose loss would hurt most. UDP mappings would be out of date, and their ports reassigned.
 */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFileDurably, writeFileAtomically } from '../../../os/atomic-write.ts';
import { setAside } from '../../../os/set-aside.ts';
import type { Conditions } from '../../../runtime/conditions.ts';
import { readVerdict } from '../../../runtime/kept-file.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Storage } from '../../../runtime/storage.ts';
import { type Text, TextError, notAsWritten, reasonOf, say } from '../../../texts/text.ts';
import { type KeptSessions, type Snapshot, snapshotSessions } from './snapshot.ts';
import { decodeSnapshot, encodeSnapshot, sessionsDigest } from './snapshot-bytes.ts';

export const FILE_NAME = 'nat64-sessions.bin';
const MODE = 0o600;
/** If the file system is nearly full, this much space is reserved for the configuration. */
const RESERVED_BYTES = 8 * 1024 * 1024;
/** The time from the start to the first write, and below, from each write to the next. */
const FIRST_WRITE_MS = 60_000;
const WRITE_INTERVAL_MS = 600_000;
/** After this time the file is written again even if the sessions are the same, because the lifetimes in it become too short. */
const LIFETIMES_HOLD_MS = 3_600_000;

type FileLog = Pick<Logger, 'info' | 'warn' | 'error'>;

/**
 * Reads the sessions that the previous process has left, and removes the file: later it would contain ended sessions and ports
 * that others have. Undefined if there is no file or it cannot be used; the log then says why it cannot be used.
 */
export async function readSessions(
  stateDirectory: string,
  isWanted: boolean,
  log: Pick<Logger, 'info' | 'warn'>,
  onAside: (error: unknown, aside: string) => void = () => {},
): Promise<Snapshot | undefined> {
  const file = join(stateDirectory, FILE_NAME);
  const found = await readVerdict(file, (content) => {
    const decoded = decodeSnapshot(content);
    return typeof decoded === 'string' ? notAsWritten(decoded) : decoded;
  });
  if (found.verdict === 'missing') return undefined;
  if (found.verdict === 'unreadable') {
    log.warn({ err: found.error, file }, 'nat64: the kept sessions cannot be read');
    return undefined;
  }
  try {
    if (found.verdict === 'damaged') {
      const aside = await setAside(file);
      log.warn({ err: found.error, aside }, 'nat64: the kept sessions are damaged and were kept aside');
      onAside(found.error, aside);
      return undefined;
    }
    await removeFileDurably(file);
  } catch (error) {
    // Otherwise the same old sessions would be restored at every start.
    log.warn({ err: error, file }, 'nat64: the kept sessions are ignored: their file cannot be removed');
    return undefined;
  }
  if (!isWanted) return undefined;
  const snapshot = found.value;
  log.info(
    { sessions: snapshotSessions(snapshot), savedAt: new Date(snapshot.savedAtMs).toISOString() },
    'nat64: sessions of before the restart',
  );
  return snapshot;
}

/** Never rejects: the loss of sessions must not prevent a stop. Resolves with the reason of a failure, if there was one. */
export async function writeSessions(
  stateDirectory: string,
  snapshot: Snapshot,
  log: Pick<Logger, 'info' | 'error'>,
  freeBytes: (directory: string) => Promise<number> = freeBytesOf,
): Promise<Text | undefined> {
  const file = join(stateDirectory, FILE_NAME);
  try {
    const bytes = encodeSnapshot(snapshot);
    const neededBytes = bytes.length + RESERVED_BYTES;
    const free = await freeBytes(stateDirectory);
    if (free < neededBytes)
      throw new TextError(say('{free} bytes are free, {needed} are needed', { free, needed: neededBytes }));
    await writeFileAtomically(file, bytes, MODE);
    log.info({ file, sessions: snapshotSessions(snapshot) }, 'nat64: sessions are kept');
    return undefined;
  } catch (error) {
    log.error({ err: error, file }, 'nat64: the sessions could not be kept');
    return reasonOf(error);
  }
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Keeps the file in step with the sessions of a running service. */
export interface SessionFile {
  /** Call often while NAT64 runs: writes if it is time and something has changed. `take` is only called if it is time. */
  keepNowAndThen(nowMs: number, take: (kept: KeptSessions) => Snapshot): Promise<void>;
  /** Writes the sessions that NAT64 had when it stopped. Without sessions, there is no file. */
  keepLast(snapshot: Snapshot): Promise<void>;
  /** Removes the file: there is nothing to keep any more. */
  remove(): Promise<void>;
}

export interface SessionFileOptions {
  readonly stateDirectory: string;
  /** Says whether this process may write there. */
  readonly storage?: Pick<Storage, 'assertOurs'> | undefined;
  readonly log: FileLog;
  readonly conditions?: Conditions | undefined;
  /** Milliseconds of a clock that never goes back, the same as for `keepNowAndThen`. */
  readonly nowMs: number;
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** None of its promises reject: if the file cannot be written, this is reported as the condition "storage". */
export function createSessionFile(options: SessionFileOptions): SessionFile {
  const { stateDirectory, storage, log, conditions, freeBytes } = options;
  let dueMs = options.nowMs + FIRST_WRITE_MS;
  /** What the file contains; undefined while there is none. */
  let written: { readonly digest: string; readonly atMs: number } | undefined;

  async function write(snapshot: Snapshot, digest: string): Promise<void> {
    try {
      storage?.assertOurs();
    } catch (error) {
      reportProblem(reasonOf(error));
      return;
    }
    const reason = await writeSessions(stateDirectory, snapshot, log, freeBytes);
    if (reason === undefined) written = { digest, atMs: snapshot.savedAtMs };
    reportProblem(reason);
  }

  function reportProblem(reason: Text | undefined): void {
    conditions?.set(
      'storage',
      FILE_NAME,
      reason && say('NAT64 cannot keep its sessions across a restart: {reason}.', { reason }),
    );
  }

  async function remove(): Promise<void> {
    if (written === undefined) return;
    written = undefined;
    await removeFileDurably(join(stateDirectory, FILE_NAME)).then(
      () => reportProblem(undefined),
      (error: unknown) => log.warn({ err: error }, 'nat64: the file of kept sessions cannot be removed'),
    );
  }

  return {
    async keepNowAndThen(nowMs, take) {
      if (nowMs < dueMs) return;
      dueMs = nowMs + WRITE_INTERVAL_MS;
      const snapshot = take('established');
      if (snapshotSessions(snapshot) === 0) return remove();
      const digest = sessionsDigest(snapshot);
      const isSame = written?.digest === digest && snapshot.savedAtMs - written.atMs < LIFETIMES_HOLD_MS;
      if (!isSame) await write(snapshot, digest);
    },
    keepLast: (snapshot) =>
      snapshotSessions(snapshot) === 0 ? remove() : write(snapshot, sessionsDigest(snapshot)),
    remove,
  };
}
