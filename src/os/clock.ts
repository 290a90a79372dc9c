/** Whether something keeps the kernel's clock right. */
import { statSync } from 'node:fs';
import { adjtimex, pinned } from './libc.ts';

/** systemd-timesyncd creates this file when it has set the clock, and touches it at each later adjustment. */
const TIMESYNC_FILE = '/run/systemd/timesync/synchronized';
const TIMEX_BYTES = 208;
/** Offset of `maxerror`, in microseconds (64 bits). */
const MAX_ERROR_AT = 24;
const STATUS_AT = 40;
const STA_UNSYNC = 0x40;
const TIME_ERROR = 5;

export interface ClockState {
  /** Undefined where this process may not ask. */
  readonly isSynchronised: boolean | undefined;
  /** The maximum error of the clock, by the kernel's own estimate. */
  readonly maxErrorMs?: number;
}

/** Asks the kernel (adjtimex(2), changing nothing), or systemd-timesyncd where a sandbox forbids that. */
export function clockState(): ClockState {
  if (statSync(TIMESYNC_FILE, { throwIfNoEntry: false }) !== undefined) return { isSynchronised: true };
  const state = pinned(TIMEX_BYTES);
  const result = adjtimex(state);
  if (result < 0) return { isSynchronised: undefined };
  const view = new DataView(state.buffer);
  const isSynchronised = result !== TIME_ERROR && (view.getInt32(STATUS_AT, true) & STA_UNSYNC) === 0;
  return { isSynchronised, maxErrorMs: Number(view.getBigInt64(MAX_ERROR_AT, true)) / 1000 };
}
