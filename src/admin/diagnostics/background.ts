/** Cheap checks run automatically, one after the other, spread over some minutes. */
import { createInTurn } from '../../os/in-turn.ts';

/** The time for one round through all of them. */
export const ROUND_MS = 300_000;
/** The gap between two checks in the first round, when nothing is known yet. */
export const FIRST_GAP_MS = 2000;
/** A check that has found a fault runs again this soon: after a fix, the user must not see the old fault for minutes. */
export const AGAIN_MS = 20_000;
/** After a change of the network, all run again this soon: changes come in groups. And not more often than every AGAIN_MS. */
export const SETTLED_MS = 2000;

export interface Background extends Disposable {
  /** The network has changed (a cable, an address, a route): all tasks run soon, one after the other. */
  lookSoon(): void;
}

/**
 * Runs `tasks` in turn until disposed, the first one at once. Each waits until the previous one has ended. A task that resolves
 * to true has found a fault. Tasks should not reject; if one throws, the error goes to `onError`.
 */
export function runInTurn(
  tasks: readonly (() => Promise<boolean>)[],
  onError: (error: unknown) => void,
): Background {
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;
  /** Runs from a change until the next one is looked at. */
  let soon: NodeJS.Timeout | undefined;
  let hasChanged = false;
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

  function lookSoon(): void {
    hasChanged = true;
    if (isDisposed || soon !== undefined) return;
    soon = setTimeout(lookAtAll, SETTLED_MS).unref();
  }

  function lookAtAll(): void {
    hasChanged = false;
    for (const task of tasks.keys()) void look(task);
    soon = setTimeout(() => {
      soon = undefined;
      if (hasChanged) lookSoon();
    }, AGAIN_MS).unref();
  }

  if (tasks.length > 0) void run();
  return {
    lookSoon,
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
      clearTimeout(soon);
      for (const each of again.values()) clearTimeout(each);
    },
  };
}
