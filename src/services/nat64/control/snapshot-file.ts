/**
 * The file that carries the sessions over a restart of the process (nat64.keepSessions): written when NAT64 stops, and
 * now and then while it runs, for a process that is killed and for a power cut. Both are rare, and the file lies on an SD
 * card: so it is written at most once in ten minutes, only when other connections are there than it tells of, and only
 * of established TCP connections, which are missed most; mappings of UDP would be old by then, and their ports another's.
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
/** Of a file system that is nearly full the rest belongs to the configuration. */
const RESERVED_BYTES = 8 * 1024 * 1024;
/** From the start to the first writing, and from each to the next. */
const FIRST_WRITE_MS = 60_000;
const WRITE_INTERVAL_MS = 600_000;
/** Written again although the sessions are the same: the lifetimes that it tells run out. */
const LIFETIMES_HOLD_MS = 3_600_000;

type FileLog = Pick<Logger, 'info' | 'warn' | 'error'>;

/**
 * The sessions that the process before has left, and removes the file: later it would tell of sessions that have ended and
 * of ports that others have. Undefined, with a line in the log that says why, when there are none that could be used.
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
    // It would come back at each start, older every time.
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

/** Never rejects: that sessions are lost is no reason not to stop. Resolves with what went wrong, if anything did. */
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
  /** Call often while NAT64 runs: writes when it is time, and something has changed. `take` is asked only then. */
  keepNowAndThen(nowMs: number, take: (kept: KeptSessions) => Snapshot): Promise<void>;
  /** The sessions that NAT64 had when it stopped. Without any there is no file. */
  keepLast(snapshot: Snapshot): Promise<void>;
  /** There is nothing to keep any more. */
  remove(): Promise<void>;
}

export interface SessionFileOptions {
  readonly stateDirectory: string;
  /** Asked whether anything may be written there. */
  readonly storage?: Pick<Storage, 'assertOurs'> | undefined;
  readonly log: FileLog;
  readonly conditions?: Conditions | undefined;
  /** Milliseconds of a clock that never goes back, as `keepNowAndThen` is told them. */
  readonly nowMs: number;
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** None of its promises reject: where the file cannot be written the condition of the storage says so. */
export function createSessionFile(options: SessionFileOptions): SessionFile {
  const { stateDirectory, storage, log, conditions, freeBytes } = options;
  let dueMs = options.nowMs + FIRST_WRITE_MS;
  /** What the file tells; undefined while there is none. */
  let written: { readonly digest: string; readonly atMs: number } | undefined;

  async function write(snapshot: Snapshot, digest: string): Promise<void> {
    try {
      storage?.assertOurs();
    } catch (error) {
      tell(reasonOf(error));
      return;
    }
    const reason = await writeSessions(stateDirectory, snapshot, log, freeBytes);
    if (reason === undefined) written = { digest, atMs: snapshot.savedAtMs };
    tell(reason);
  }

  function tell(reason: Text | undefined): void {
    conditions?.set(
      'storage',
      FILE_NAME,
      reason && say('NAT64 cannot keep its sessions over a restart: {reason}.', { reason }),
    );
  }

  async function remove(): Promise<void> {
    if (written === undefined) return;
    written = undefined;
    await removeFileDurably(join(stateDirectory, FILE_NAME)).then(
      () => tell(undefined),
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
