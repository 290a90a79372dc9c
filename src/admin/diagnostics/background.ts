/** Cheap checks run automatically, one after the other, spread over some minutes. */
import { createInTurn } from '../../os/in-turn.ts';

/** The time for one round through all of them. */
export const ROUND_MS = 300_000;
/** The gap between two checks in the first round, when nothing is known yet. */
export const FIRST_GAP_MS = 2000;
/** A check that has found a fault runs again this soon: after a fix, the user must not see the old fault for minutes. */
export const AGAIN_MS = 20_000;

/**
 * Runs `tasks` in turn until disposed, the first one at once. Each waits until the previous one has ended. A task that resolves
 * to true has found a fault. Tasks should not reject; if one throws, the error goes to `onError`.
 */
export function runInTurn(
  tasks: readonly (() => Promise<boolean>)[],
  onError: (error: unknown) => void,
): Disposable {
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;
  /** By task: when it runs again. */
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
