/** The checks that cost little run by themselves, one after the other, spread over some minutes. */
import { createInTurn } from '../../os/in-turn.ts';

/** So long until each has had its turn again. */
export const ROUND_MS = 300_000;
/** In the first round, when nothing is known yet, between one and the next. */
export const FIRST_GAP_MS = 2000;
/** One that has found a fault looks again so soon: who mends it shall not read for minutes that it is not mended. */
export const AGAIN_MS = 20_000;

/**
 * Runs `tasks` in turn until disposed, the first at once; the next waits until the one before has ended. One that resolves to true
 * has found a fault. They should not reject; what one throws goes to `onError`.
 */
export function runInTurn(
  tasks: readonly (() => Promise<boolean>)[],
  onError: (error: unknown) => void,
): Disposable {
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;
  /** By task: when it looks again. */
  const again = new Map<number, NodeJS.Timeout>();
  const inTurn = createInTurn();
  let turn = 0;

  const look = (task: number): Promise<void> =>
    inTurn(async () => {
      clearTimeout(again.get(task));
      if (isDisposed) return;
      const isFaulty = await tasks[task]().catch(onError);
      if (isDisposed || isFaulty !== true) return;
      again.set(task, setTimeout(() => void look(task), AGAIN_MS).unref());
    });

  async function run(): Promise<void> {
    await look(turn % tasks.length);
    turn++;
    const gapMs = turn < tasks.length ? FIRST_GAP_MS : ROUND_MS / tasks.length;
    if (!isDisposed) timer = setTimeout(() => void run(), gapMs).unref();
  }

  if (tasks.length > 0) void run();
  return {
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
      for (const each of again.values()) clearTimeout(each);
    },
  };
}
