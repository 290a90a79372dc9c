/** The file that carries the sessions over a restart of the process (nat64.keepSessions). */
import type { Logger } from '../../runtime/log.ts';
import type { Storage } from '../../runtime/storage.ts';
import { notAsWritten } from '../../texts/text.ts';
import { type Snapshot, decodeSnapshot, encodeSnapshot, snapshotSessions } from './snapshot.ts';

const FILE_NAME = 'nat64-sessions.bin';

/**
 * The sessions that the process before has left, and removes the file: later it would tell of sessions that have ended and
 * of ports that others have. Where it cannot be removed they are taken all the same: what is left of their lives is counted
 * from the moment they were written. Undefined when there are none that could be used. Never rejects.
 */
export async function readSessions(
  storage: Storage,
  isWanted: boolean,
  log: Pick<Logger, 'info'>,
): Promise<Snapshot | undefined> {
  const file = storage.file(FILE_NAME);
  const found = await file.read((content) => {
    const snapshot = decodeSnapshot(content);
    return typeof snapshot === 'string' ? notAsWritten(snapshot) : snapshot;
  });
  await file.remove();
  if (found.verdict !== 'good' || !isWanted) return undefined;
  const snapshot = found.value;
  log.info(
    { sessions: snapshotSessions(snapshot), savedAt: new Date(snapshot.savedAtMs).toISOString() },
    'nat64: sessions of before the restart',
  );
  return snapshot;
}

/** Never rejects: that sessions are lost is no reason not to stop. */
export async function writeSessions(
  storage: Storage,
  snapshot: Snapshot,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const file = storage.file(FILE_NAME);
  if ((await file.write(encodeSnapshot(snapshot))) === undefined)
    log.info({ file: file.path, sessions: snapshotSessions(snapshot) }, 'nat64: sessions are kept');
}
