/**
 * Work that must not overlap. Each task begins when all tasks before it have ended, whether they succeeded or failed; the
 * promise is that of the task itself.
 */
export type InTurn = <T>(task: () => T | Promise<T>) => Promise<T>;

/** A queue of its own for each thing that one task at a time may touch. */
export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  };
}
