/**
 * Keeps the sessions between two translations, even if those run in different processes: they wait for the next translation, and
 * for its addresses. Meanwhile the kernel must not reset the connections (kernel/hold.ts).
 */
import type { Logger } from '../../../runtime/log.ts';
import type { ServiceContext } from '../../../runtime/service.ts';
import { releasePorts } from '../kernel/hold.ts';
import { type Snapshot, snapshotSessions } from './snapshot.ts';
import { FILE_NAME, createSessionFile, readSessions } from './snapshot-file.ts';
import type { Translation } from './translation.ts';

/** After this time, sessions that wait for the addresses of the pool are restored as far as possible. */
const RESTORE_WAIT_MS = 60_000;

export interface SessionKeeper {
  /** Reads the sessions that the previous process has left; `isOn`: nat64.keepSessions. */
  readLeft(isOn: boolean): Promise<void>;
  /** Call before a translation ends whose sessions the next one continues. It prevents the kernel from resetting their connections. */
  hold(ending: Translation): Promise<void>;
  /** Call after the translation has ended: takes its sessions. */
  keep(ended: Translation): void;
  /** Gives the waiting sessions to a translation as soon as it has its addresses. After a boot that may take a while. */
  restoreInto(translation: Translation): Promise<void>;
  /** Call regularly: saves the sessions for the next process from time to time. */
  save(running: Translation, nowMs: number, isOn: boolean): Promise<void>;
  forget(): Promise<void>;
  /** Saves the sessions that still wait, for the next process. */
  end(isOn: boolean): Promise<void>;
}

export function createSessionKeeper(context: ServiceContext, log: Logger): SessionKeeper {
  let kept: { readonly snapshot: Snapshot; readonly sinceMs: number } | undefined;
  /** The previous translation, perhaps in another process, may have left the ports of the pool held. */
  let mayBeHeld = true;
  const file = createSessionFile({ ...context, log, nowMs: performance.now() });
  const waiting = (snapshot: Snapshot) => ({ snapshot, sinceMs: performance.now() });
  return {
    async readLeft(isOn) {
      const { stateDirectory, storage } = context;
      if (!(storage?.isOurs ?? true)) return;
      const snapshot = await readSessions(stateDirectory, isOn, log, (error, aside) =>
        storage?.noteAside(FILE_NAME, error, aside),
      );
      if (snapshot !== undefined) kept = waiting(snapshot);
    },
    async hold(ending) {
      if (snapshotSessions(ending.snapshot('established')) === 0) return;
      mayBeHeld = true;
      await ending.holdPorts().catch((error: unknown) => {
        log.warn({ err: error }, 'nat64: the kernel may reset connections until NAT64 is back');
      });
    },
    keep(ended) {
      kept ??= waiting(ended.snapshot());
    },
    async restoreInto(translation) {
      if (kept !== undefined) {
        const hasWaited = performance.now() - kept.sinceMs > RESTORE_WAIT_MS;
        if (!translation.isPoolComplete && !hasWaited) return;
        translation.restore(kept.snapshot);
        kept = undefined;
      }
      if (!mayBeHeld) return;
      mayBeHeld = false;
      await releasePorts().catch((error: unknown) => {
        log.warn({ err: error }, 'nat64: the ports of the pool stay held for up to half a minute');
      });
    },
    async save(running, nowMs, isOn) {
      // Sessions that wait to be restored are not in the tables yet.
      if (kept !== undefined) return;
      if (isOn) await file.keepNowAndThen(nowMs, (which) => running.snapshot(which));
      else await file.remove();
    },
    async forget() {
      kept = undefined;
      await file.remove();
    },
    async end(isOn) {
      if (!isOn) await file.remove();
      else if (kept !== undefined) await file.keepLast(kept.snapshot);
    },
  };
}
