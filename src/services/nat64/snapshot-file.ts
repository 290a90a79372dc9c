/** The file that carries the sessions over a restart of the process (nat64.keepSessions). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFileDurably, writeFileAtomically } from '../../os/atomic-write.ts';
import type { Logger } from '../../runtime/log.ts';
import { type Snapshot, decodeSnapshot, encodeSnapshot, snapshotSessions } from './snapshot.ts';

const FILE_NAME = 'nat64-sessions.bin';
const MODE = 0o600;

/**
 * The sessions that the process before has left, and removes the file: later it would tell of sessions that have ended and
 * of ports that others have. Undefined, with a line in the log that says why, when there are none that could be used.
 */
export async function readSessions(
  stateDirectory: string,
  isWanted: boolean,
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<Snapshot | undefined> {
  const file = join(stateDirectory, FILE_NAME);
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') log.warn({ err: error, file }, 'nat64: the kept sessions cannot be read');
    return undefined;
  });
  if (bytes === undefined) return undefined;
  await removeFileDurably(file);
  if (!isWanted) return undefined;
  const snapshot = decodeSnapshot(bytes);
  if (typeof snapshot === 'string') {
    log.warn({ file, problem: snapshot }, 'nat64: the kept sessions are ignored');
    return undefined;
  }
  log.info(
    { sessions: snapshotSessions(snapshot), savedAt: new Date(snapshot.savedAtMs).toISOString() },
    'nat64: sessions of before the restart',
  );
  return snapshot;
}

/** Never rejects: that sessions are lost is no reason not to stop. */
export async function writeSessions(
  stateDirectory: string,
  snapshot: Snapshot,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<void> {
  const file = join(stateDirectory, FILE_NAME);
  try {
    await writeFileAtomically(file, encodeSnapshot(snapshot), MODE);
    log.info({ file, sessions: snapshotSessions(snapshot) }, 'nat64: sessions are kept');
  } catch (error) {
    log.error({ err: error, file }, 'nat64: the sessions could not be kept');
  }
}
