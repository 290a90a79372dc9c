/** Waiting for a condition instead of for a time. */
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Ends the wait early with this signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** More text for the error at the time-out, e.g. the log of the process that never listened. */
  readonly explain?: () => string;
}

/**
 * Repeats `condition` until it returns something other than undefined and false, and returns that. At the time-out, rejects
 * with `what` in its message. An error that `condition` throws ends the wait too.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 60_000, intervalMs = 10, signal, explain }: WaitOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const result = await condition();
    if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
    if (performance.now() >= deadline) {
      const more = explain?.();
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}${more ? `\n${more}` : ''}`);
    }
    await delay(intervalMs);
  }
}
