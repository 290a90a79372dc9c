/** The checks that cost little run by themselves, one after the other, spread over some minutes. */

/** So long until each has had its turn again. */
export const ROUND_MS = 300_000;
/** In the first round, when nothing is known yet, between one and the next. */
export const FIRST_GAP_MS = 2000;

/**
 * Runs `tasks` in turn until disposed, the first at once; the next waits until the one before has ended. They should not reject;
 * what one throws goes to `onError`.
 */
export function runInTurn(
  tasks: readonly (() => Promise<void>)[],
  onError: (error: unknown) => void,
): Disposable {
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;

  async function run(): Promise<void> {
    try {
      await tasks[turn % tasks.length]();
    } catch (error) {
      onError(error);
    }
    turn++;
    const gapMs = turn < tasks.length ? FIRST_GAP_MS : ROUND_MS / tasks.length;
    if (!isDisposed) timer = setTimeout(() => void run(), gapMs).unref();
  }

  if (tasks.length > 0) void run();
  return {
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}
